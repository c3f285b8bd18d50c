// What vector instructions are used: those of the processor, or fewer where CLHA_CPU_LEVEL asks for less.
#pragma once
#include <string>

namespace clha {

enum class Level { kDefault, kAvx2, kAvx512 };

// Reads CLHA_CPU_LEVEL, once, and holds libtorch's libraries to the same level unless their own variables are set. Throws
// std::invalid_argument for a level that does not exist or that this processor does not have.
void choose_level();

Level level();
const char* level_name();
std::string processor_name();

// False where fewer instructions are asked for than oneDNN's widest products need. What the processor has is libtorch's to say.
bool may_use_all_of_one_dnn();
// Instructions for products of bf16; without them bf16 is emulated, at a third of the rate of f32.
bool has_bf16_products();

}  // namespace clha
