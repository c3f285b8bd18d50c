// A training step frees and takes the same gigabytes again. Given back to the kernel they cost a page fault for every 4 KiB;
// kept on the heap, blocks of slightly different sizes tear it into holes. So large blocks come from the kernel one by one, in
// sizes of eight to the octave, and freed ones wait in lists by size. What waits is never more than what was ever in use at once.
#include "allocator.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>
#include <unordered_map>
#include <vector>

#include <sys/mman.h>

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>

namespace clha {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kLarge = size_t{1} << 20;  // smaller ones are malloc's business
constexpr size_t kHuge = size_t{4} << 20;   // worth huge pages
constexpr size_t kAlwaysKept = size_t{256} << 20;

size_t round_up(size_t n) {
  size_t octave = kLarge;
  while (octave * 2 <= n) octave *= 2;
  const size_t step = octave / 8;
  return (n + step - 1) / step * step;
}

class Blocks {
 public:
  void* take(size_t n) {
    const size_t size = round_up(n);
    std::lock_guard<std::mutex> guard(mutex_);
    // a block up to a quarter larger is better than a new one
    auto it = free_.lower_bound(size);
    void* block;
    if (it != free_.end() && it->first <= size + size / 4) {
      block = it->second.back();
      it->second.pop_back();
      waiting_ -= it->first;
      live_ += it->first;
      if (it->second.empty()) free_.erase(it);
    } else {
      block = map(size);
      if (!block) {
        give_back(0);
        block = map(size);
      }
      if (!block) return nullptr;
      sizes_[block] = size;
      live_ += size;
    }
    peak_ = std::max(peak_, live_);
    return block;
  }

  // Whether the block was one of these.
  bool put(void* block) {
    std::lock_guard<std::mutex> guard(mutex_);
    const auto it = sizes_.find(block);
    if (it == sizes_.end()) return false;
    live_ -= it->second;
    waiting_ += it->second;
    free_[it->second].push_back(block);
    give_back(std::max(kAlwaysKept, peak_ > live_ ? peak_ - live_ : 0));
    return true;
  }

 private:
  static void* map(size_t size) {
    void* block = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) return nullptr;
#ifdef MADV_HUGEPAGE
    if (size >= kHuge) madvise(block, size, MADV_HUGEPAGE);
#endif
    return block;
  }

  // Unmaps waiting blocks, the smallest sizes first, until at most `limit` bytes wait.
  void give_back(size_t limit) {
    while (waiting_ > limit && !free_.empty()) {
      auto it = free_.begin();
      munmap(it->second.back(), it->first);
      sizes_.erase(it->second.back());
      waiting_ -= it->first;
      it->second.pop_back();
      if (it->second.empty()) free_.erase(it);
    }
  }

  std::mutex mutex_;
  std::map<size_t, std::vector<void*>> free_;
  std::unordered_map<void*, size_t> sizes_;
  size_t live_ = 0, waiting_ = 0, peak_ = 0;
};

Blocks& blocks() {
  static auto* instance = new Blocks();  // never destroyed: tensors may be freed while the process ends
  return *instance;
}

void drop(void* block) {
  if (block && !blocks().put(block)) std::free(block);
}

struct StepAllocator final : c10::Allocator {
  c10::DataPtr allocate(size_t n) override {
    void* block = nullptr;
    if (n >= kLarge) block = blocks().take(n);
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
