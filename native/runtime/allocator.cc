// A training step frees and takes the same gigabytes again, in sizes that differ from step to step. Given back to the kernel they
// cost a page fault each; kept on malloc's heap, small blocks between them tear it into holes. So large blocks are cut from ranges
// of their own, the smallest that fits, and neighbours that are freed become one range again. What waits is given back beyond
// little more than the most that was ever in use at once.
#include "runtime/allocator.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>

#include <sys/mman.h>

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>

namespace clha {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kLarge = size_t{128} << 10;  // smaller ones are malloc's business
constexpr size_t kWide = size_t{24} << 20;
constexpr size_t kGrain = size_t{16} << 10;
constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kHuge = size_t{32} << 20;  // least that is asked of the kernel

size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

// Ranges of memory from the kernel, in use or waiting. Neighbours that wait are one range, whatever calls they came from.
class Ranges {
 public:
  void* take(size_t n) {
    const size_t size = round_up(n, kGrain);
    std::lock_guard<std::mutex> guard(mutex_);
    auto fit = by_size_.lower_bound({size, nullptr});
    if (fit == by_size_.end()) {
      give_back(limit(size));
      if (!map(size)) {
        give_back(0);
        if (!map(size)) return nullptr;
      }
      fit = by_size_.lower_bound({size, nullptr});
    }
    const auto [found, start] = *fit;
    forget(start);
    if (found > size) wait(start + size, found - size);
    used_[start] = size;
    live_ += size;
    peak_ = std::max(peak_, live_);
    return start;
  }

  // Whether the block was one of these.
  bool put(void* block) {
    std::lock_guard<std::mutex> guard(mutex_);
    const auto it = used_.find(static_cast<char*>(block));
    if (it == used_.end()) return false;
    live_ -= it->second;
    wait(it->first, it->second);
    used_.erase(it);
    give_back(limit(0));
    return true;
  }

 private:
  // What may wait beside `more` bytes that are about to be mapped: up to the most that was in use, and as much as one mapping
  // for the holes between blocks. Without it batches of many sizes unmap and map all the time.
  size_t limit(size_t more) const {
    const size_t most = peak_ + kHuge;
    return most - std::min(most, live_ + more);
  }

  bool map(size_t size) {
    const size_t length = round_up(std::max(size, kHuge), kHugePage);
    void* start = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) return false;
#ifdef MADV_HUGEPAGE
    madvise(start, length, MADV_HUGEPAGE);
#endif
    wait(static_cast<char*>(start), length);
    return true;
  }

  void wait(char* start, size_t size) {
    const auto next = waiting_.find(start + size);
    if (next != waiting_.end()) {
      size += next->second;
      forget(next->first);
    }
    const auto after = waiting_.lower_bound(start);
    if (after != waiting_.begin()) {
      const auto before = std::prev(after);
      if (before->first + before->second == start) {
        start = before->first;
        size += before->second;
        forget(start);
      }
    }
    waiting_[start] = size;
    by_size_.insert({size, start});
    waits_ += size;
  }

  void forget(char* start) {
    const auto it = waiting_.find(start);
    by_size_.erase({it->second, start});
    waits_ -= it->second;
    waiting_.erase(it);
  }

  // Unmaps waiting ranges, the smallest first, until at most `limit` bytes wait.
  void give_back(size_t limit) {
    while (waits_ > limit && !by_size_.empty()) {
      const auto [size, start] = *by_size_.begin();
      forget(start);
      munmap(start, size);
    }
  }

  std::mutex mutex_;
  std::map<char*, size_t> waiting_;
  std::set<std::pair<size_t, char*>> by_size_;  // of those that wait
  std::unordered_map<char*, size_t> used_;
  size_t live_ = 0, waits_ = 0, peak_ = 0;
};

// The widest blocks apart, so that others don't lie in their way.
struct Pools {
  Ranges wide, other;
};

Pools& pools() {
  static auto* instance = new Pools();  // never destroyed: tensors may be freed while the process ends
  return *instance;
}

void drop(void* block) {
  if (block && !pools().other.put(block) && !pools().wide.put(block)) std::free(block);
}

struct StepAllocator final : c10::Allocator {
  c10::DataPtr allocate(size_t n) override {
    void* block = nullptr;
    if (n >= kLarge) block = (n >= kWide ? pools().wide : pools().other).take(n);
    else if (n > 0 && posix_memalign(&block, kAlignment, n) != 0) block = nullptr;
    TORCH_CHECK_WITH(OutOfMemoryError, block || n == 0, "can't allocate memory: you tried to allocate ", n, " bytes");
    return {block, block, &drop, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &drop; }
  void copy_data(void* to, const void* from, size_t count) const override { default_copy_data(to, from, count); }
};

}  // namespace

void install_allocator() {
  static StepAllocator allocator;
  c10::SetCPUAllocator(&allocator, /*priority=*/100);
}

}  // namespace clha
