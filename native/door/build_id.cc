// By itself, since it changes with every source.
namespace clha {
const char* build_id() { return CLHA_BUILD_ID; }
}  // namespace clha
