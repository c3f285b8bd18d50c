// Everything that libtorch does with OpenMP, many times over, on the own team of native/runtime/threads/team.cc: any number of threads called,
// any patience. Compiled and run by threads-stress.test.ts; ends with 0, or says what went wrong.
#include <omp.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "runtime/threads/threads.h"

namespace at {
bool in_parallel_region() { return omp_in_parallel(); }
void set_num_threads(int n) { omp_set_num_threads(n); }
int get_num_threads() { return omp_get_max_threads(); }
}  // namespace at

namespace {
std::atomic<int> called{1};
std::atomic<int64_t> patience{0};
std::atomic<int> failures{0};

void check(bool right, const char* what, int size) {
  if (!right && failures++ < 20) std::printf("%s, %d threads, %d called, %ld ns\n", what, size, called.load(), static_cast<long>(patience.load()));
}
}  // namespace

namespace clha {
ThreadPlan plan_threads(int size, const CoreLoad&, bool) { return {std::min(size, called.load()), patience.load(), false}; }
int usable_cores() { return 2; }
LoadMeter::LoadMeter(int cores) : load_{cores, 0} {}
CoreLoad LoadMeter::sample(int64_t, int64_t) { return load_; }
}  // namespace clha

namespace {

void every_part_once(int size) {
  std::vector<std::atomic<int>> ran(size);
  std::atomic<int> sizes{0};
#pragma omp parallel num_threads(size)
  {
    ran[omp_get_thread_num()]++;
    sizes += omp_get_num_threads() == size && omp_in_parallel() == (size > 1);
  }
  for (auto& n : ran) check(n == 1, "a part ran not once", size);
  check(sizes == size, "a part saw another size", size);
}

void barriers(int size) {
  std::vector<int> wrote(size);
  std::atomic<int> missing{0};
#pragma omp parallel num_threads(size)
  for (int round = 1; round <= 3; round++) {
    wrote[omp_get_thread_num()] = round;
#pragma omp barrier
    for (int n : wrote) missing += n != round;
#pragma omp barrier
  }
  check(missing == 0, "a barrier let somebody through", size);
}

// Generated code waits like this, and tells OpenMP nothing.
void own_barrier(int size) {
  std::atomic<int> arrived{0};
#pragma omp parallel num_threads(size)
  {
    arrived++;
    while (arrived < size) std::this_thread::yield();
  }
  check(arrived == size, "not all came", size);
}

void loops(int size) {
  std::vector<std::atomic<int>> first(50), second(50), third(50);
  std::vector<int> order;
#pragma omp parallel num_threads(size)
  {
#pragma omp for schedule(dynamic, 3) nowait
    for (int i = 0; i < 50; i++) first[i]++;
#pragma omp for schedule(guided) nowait
    for (int i = 49; i >= 0; i--) second[i]++;
#pragma omp for schedule(dynamic)
    for (int i = 0; i < 50; i++) third[i] += first[i];
#pragma omp for ordered schedule(dynamic, 2)
    for (int i = 0; i < 20; i++) {
#pragma omp ordered
      order.push_back(i);
    }
  }
  for (int i = 0; i < 50; i++) check(first[i] == 1 && second[i] == 1 && third[i] <= 1, "a round of a loop ran not once", size);
  check(order.size() == 20, "rounds of an ordered loop are missing", size);
  for (size_t i = 0; i < order.size(); i++) check(order[i] == static_cast<int>(i), "an ordered loop lost its order", size);
}

void sections_and_single(int size) {
  std::atomic<int> a{0}, b{0}, c{0}, single{0};
#pragma omp parallel num_threads(size)
  {
#pragma omp sections nowait
    {
#pragma omp section
      a++;
#pragma omp section
      b++;
#pragma omp section
      c++;
    }
#pragma omp single
    single++;
    check(single == 1, "a single was not over", size);
  }
  check(a == 1 && b == 1 && c == 1, "a section ran not once", size);
}

void nested(int size) {
  std::atomic<int> inner{0};
#pragma omp parallel num_threads(size)
  {
#pragma omp parallel num_threads(3)
    inner += omp_get_num_threads() == 1 && omp_get_thread_num() == 0 && omp_in_parallel() == (size > 1 || omp_get_num_threads() > 1);
  }
  check(size == 1 || inner == size, "a loop within a loop was shared out", size);
}

void all(int size) {
  every_part_once(size);
  barriers(size);
  loops(size);
  sections_and_single(size);
  nested(size);
}

}  // namespace

int main(int, char** argv) {
  const int rounds = std::atoi(argv[1]);
  if (!clha::own_team()) return std::puts("the own team is not in use"), 1;
  for (const int64_t ns : {int64_t{0}, int64_t{20'000}, int64_t{5'000'000}})
    for (const int n : {1, 2, 64}) {
      called = n, patience = ns;
      if (argv[2]) std::fprintf(stderr, "%d called, %ld ns\n", n, static_cast<long>(ns));
      for (int size = 1; size <= 6; size++) {
        for (int i = 0; i < rounds; i++) all(size);
        own_barrier(size);
      }
      // Each caller has a team of its own, which ends with it.
      std::thread other([&] { for (int i = 0; i < rounds; i++) all(3); });
      for (int i = 0; i < rounds; i++) all(2);
      other.join();
    }
  if (failures == 0) std::puts("all right");
  return failures != 0;
}
