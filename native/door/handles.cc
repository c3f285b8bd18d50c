// The slot table behind handles.h. One thread only: the addon refuses to load in a second one.
#include "door/handles.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <unordered_map>
#include <vector>

namespace clha {
namespace {

constexpr double kSlots = 16777216.0;  // 2^24 live handles, generations above

template <typename T>
class Table {
 public:
  explicit Table(const char* what) : what_(what) {}

  double add(T value) {
    uint32_t slot;
    if (free_.empty()) {
      slot = static_cast<uint32_t>(slots_.size());
      if (slot >= kSlots) throw std::runtime_error("more than 16 million live tensors");
      slots_.push_back({T(), 0, false});
    } else {
      slot = free_.back();
      free_.pop_back();
    }
    Slot& s = slots_[slot];
    s.value = std::move(value);
    s.generation += 1;
    s.live = true;
    return s.generation * kSlots + slot;
  }

  T* find(double handle) {
    if (!(handle >= kSlots) || handle > 9007199254740991.0 || handle != std::floor(handle)) return nullptr;
    const double generation = std::floor(handle / kSlots);
    const auto slot = static_cast<size_t>(handle - generation * kSlots);
    if (slot >= slots_.size() || !slots_[slot].live || slots_[slot].generation != generation) return nullptr;
    return &slots_[slot].value;
  }

  T& at(double handle) {
    T* value = find(handle);
    if (!value) throw std::invalid_argument(std::string("not a live ") + what_ + " (disposed, or never one)");
    return *value;
  }

  void remove(double handle) {
    const auto slot = static_cast<uint32_t>(handle - std::floor(handle / kSlots) * kSlots);
    slots_[slot].value = T();
    slots_[slot].live = false;
    free_.push_back(slot);
  }

 private:
  struct Slot {
    T value;
    double generation;
    bool live;
  };
  const char* what_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
};

Table<at::Tensor>& tensors() {
  static auto* table = new Table<at::Tensor>("tensor");  // never destroyed: Node may exit mid-step
  return *table;
}
Table<at::Generator>& generators() {
  static auto* table = new Table<at::Generator>("generator");
  return *table;
}

Memory counters;
int64_t reported = 0;

std::unordered_map<const void*, int64_t>& storage_users() {
  static auto* users = new std::unordered_map<const void*, int64_t>();
  return *users;
}

const c10::StorageImpl* storage_of(const at::Tensor& t) {
  return t.has_storage() ? t.storage().unsafeGetStorageImpl() : nullptr;
}

}  // namespace

double hold(at::Tensor tensor) {
  if (const auto* storage = storage_of(tensor); storage && storage_users()[storage]++ == 0) {
    counters.bytes += static_cast<int64_t>(storage->nbytes());
    if (counters.bytes > counters.peak_bytes) counters.peak_bytes = counters.bytes;
  }
  counters.tensors += 1;
  return tensors().add(std::move(tensor));
}

const at::Tensor& at_handle(double handle) { return tensors().at(handle); }

bool release(double handle) {
  at::Tensor* tensor = tensors().find(handle);
  if (!tensor) return false;
  if (const auto* storage = storage_of(*tensor)) {
    auto it = storage_users().find(storage);
    if (it != storage_users().end() && --it->second == 0) {
      counters.bytes -= static_cast<int64_t>(storage->nbytes());
      storage_users().erase(it);
    }
  }
  counters.tensors -= 1;
  tensors().remove(handle);
  return true;
}

double hold_generator(at::Generator generator) { return generators().add(std::move(generator)); }
at::Generator& generator_at(double handle) { return generators().at(handle); }
bool release_generator(double handle) {
  if (!generators().find(handle)) return false;
  generators().remove(handle);
  return true;
}

const Memory& memory() { return counters; }
void reset_peak() { counters.peak_bytes = counters.bytes; }

int64_t take_unreported_bytes() {
  const int64_t change = counters.bytes - reported;
  // Scopes free what a step makes; telling V8 of every rise would make it collect garbage several times a step.
  if (std::llabs(change) < std::max(int64_t{256} << 20, reported / 2)) return 0;
  reported = counters.bytes;
  return change;
}

}  // namespace clha
