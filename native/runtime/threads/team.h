// A parallel region as the threads in it see it; shared by team.cc, shares.cc and exports.cc.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace clha::team {

// A loop, a set of sections or a `single` that the threads of a region share out among themselves.
struct Share {
  std::mutex mutex;
  bool set = false;
  long next = 0, end = 0, step = 1, chunk = 1;
  bool guided = false;
  long given = 0;              // chunks so far
  std::atomic<long> turn{0};  // of an ordered loop: the chunk whose turn it is
};

// What the threads of one parallel region share. Threads meet its constructs in the same order.
struct Team;
struct Region {
  int size = 1;
  Team* team = nullptr;
  std::mutex mutex;
  std::vector<std::unique_ptr<Share>> shares;
  std::atomic<int> arrived{0};
  std::atomic<uint32_t> phase{0};
  std::atomic<uint32_t> phase_sleepers{0};
};

// A thread within a region. Outside of all it is alone in one of its own.
struct Place {
  Region* region;
  int number;
  bool parallel;        // within a region of more than one, nested or not
  size_t share = 0;     // constructs met
  long chunk = 0;       // of an ordered loop: which one this thread holds
};

Place& here();

// Whether a call of omp_in_parallel only asks who answers.
bool asked_by_probe();
void barrier();

constexpr int kMaxThreads = 1024;
// Runs `fn` in `size` threads; where the caller is one of several already, in itself alone.
void run_region(void (*fn)(void*), void* data, int size);

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield" ::: "memory");
#endif
}

}  // namespace clha::team
