// A profile of libtorch: every operator that runs between start and stop, with its time and the bytes of its results.
// Off, nothing is registered and nothing is paid. Reached through the dispatcher, as any operator.

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <unordered_map>
#include <vector>

#include <ATen/core/Tensor.h>
#include <ATen/record_function.h>
#include <torch/library.h>

namespace clha {
namespace {

using Clock = std::chrono::steady_clock;

// An operator that has begun. Those above it on the stack run inside it.
struct Open {
  int64_t name;
  int64_t start;
  int64_t inner;  // time of the operators inside, and bytes that they made
  int64_t inner_bytes;
  bool backward;
  std::vector<const void*> inputs;
};

struct Recorder {
  bool active = false;
  at::CallbackHandle callback = 0;
  std::thread::id thread, backward;
  Clock::time_point origin;
  std::vector<std::string> names;
  std::unordered_map<std::string, int64_t> places;
  std::vector<Open> stack;
  std::vector<int64_t> events;  // seven numbers each, see profile_stop
};

Recorder& recorder() {
  static auto* one = new Recorder();
  return *one;
}

int64_t now(const Recorder& r) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - r.origin).count();
}

template <typename Use>
void each_tensor(const c10::IValue& value, const Use& use) {
  if (value.isTensor()) {
    if (value.toTensor().defined() && value.toTensor().has_storage()) use(value.toTensor());
  } else if (value.isTensorList()) {
    for (const at::Tensor& tensor : value.toTensorVector()) each_tensor(tensor, use);
  }
}

// Operators of worker threads belong to the one that waits for them. The backward pass of a GPU has a thread of its own, which
// works while the one that called waits: what runs inside its nodes is recorded.
bool listens(Recorder& r, bool node) {
  if (!r.active) return false;
  const auto own = std::this_thread::get_id();
  if (node) r.backward = own;
  return own == r.thread || own == r.backward;
}

std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction& function) {
  Recorder& r = recorder();
  if (!listens(r, function.scope() == at::RecordScope::BACKWARD_FUNCTION)) return nullptr;
  const std::string name = function.name();
  const auto [place, fresh] = r.places.emplace(name, static_cast<int64_t>(r.names.size()));
  if (fresh) r.names.push_back(name);
  Open open{place->second, 0, 0, 0, function.scope() == at::RecordScope::BACKWARD_FUNCTION, {}};
  if (!r.stack.empty()) open.backward |= r.stack.back().backward;
  for (const auto& value : function.inputs())
    each_tensor(value, [&](const at::Tensor& t) { open.inputs.push_back(t.storage().unsafeGetStorageImpl()); });
  open.start = now(r);
  r.stack.push_back(std::move(open));
  return nullptr;
}

// Bytes of results that are no views of the inputs.
int64_t new_bytes(const at::RecordFunction& function, const std::vector<const void*>& inputs) {
  int64_t bytes = 0;
  for (const auto& value : function.outputs())
    each_tensor(value, [&](const at::Tensor& t) {
      const void* storage = t.storage().unsafeGetStorageImpl();
      if (std::find(inputs.begin(), inputs.end(), storage) == inputs.end()) bytes += static_cast<int64_t>(t.nbytes());
    });
  return bytes;
}

void end(const at::RecordFunction& function, at::ObserverContext*) {
  Recorder& r = recorder();
  if (!listens(r, false) || r.stack.empty()) return;
  const int64_t stop = now(r);
  const Open open = std::move(r.stack.back());
  r.stack.pop_back();
  const int64_t whole = stop - open.start;
  // A node of the backward pass does not tell its results: those of what ran inside stand for them.
  const int64_t bytes = std::max(new_bytes(function, open.inputs), open.inner_bytes);
  if (!r.stack.empty()) {
    r.stack.back().inner += whole;
    r.stack.back().inner_bytes += bytes;
  }
  const auto depth = static_cast<int64_t>(r.stack.size());
  for (const int64_t number : {open.name, open.start, whole, whole - open.inner, bytes, depth,
                               static_cast<int64_t>(open.backward)})
    r.events.push_back(number);
}

void profile_start() {
  Recorder& r = recorder();
  TORCH_CHECK(!r.active, "a profile is being taken already");
  r.names.clear();
  r.places.clear();
  r.stack.clear();
  r.events.clear();
  r.thread = r.backward = std::this_thread::get_id();
  r.origin = Clock::now();
  r.active = true;
  r.callback = at::addGlobalCallback(at::RecordFunctionCallback(begin, end)
                                         .needsInputs(true)
                                         .needsOutputs(true)
                                         .scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION}));
}

// Names, and seven numbers for each operator in the order in which they ended: place of its name, start and duration in
// nanoseconds since profile_start, the part of it outside inner operators, bytes, depth, whether it ran in a backward.
std::tuple<std::vector<std::string>, std::vector<int64_t>> profile_stop() {
  Recorder& r = recorder();
  TORCH_CHECK(r.active, "no profile is being taken");
  at::removeCallback(r.callback);
  r.active = false;
  return {std::move(r.names), std::move(r.events)};
}

}  // namespace
}  // namespace clha

TORCH_LIBRARY_FRAGMENT(clha, m) {
  m.def("profile_start() -> ()", &clha::profile_start);
  m.def("profile_stop() -> (str[] names, int[] events)", &clha::profile_stop);
}
