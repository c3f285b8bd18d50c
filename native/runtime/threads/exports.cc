// What OpenMP programs call, under libgomp's names: the dynamic linker finds them here before libgomp, for libtorch too. Loops,
// sections and `single` stand in shares.cc.
#include "runtime/threads/team.h"

#if defined(_OPENMP) && defined(__linux__) && !defined(__clang__)

#include <algorithm>
#include <cstdlib>

#include "runtime/threads/libgomp.h"
#include "runtime/threads/threads.h"

namespace clha::team {
namespace {

thread_local int set_threads = 0;

int default_threads() {
  static const int threads = [] {
    const char* given = std::getenv("OMP_NUM_THREADS");
    const int asked = given ? std::atoi(given) : 0;
    return std::clamp(asked > 0 ? asked : usable_cores(), 1, kMaxThreads);
  }();
  return threads;
}

}  // namespace
}  // namespace clha::team

using namespace clha::team;

CLHA_GOMP int omp_get_max_threads() {
  CLHA_ELSE(omp_get_max_threads, );
  return set_threads ? set_threads : default_threads();
}
CLHA_GOMP void omp_set_num_threads(int count) {
  CLHA_ELSE(omp_set_num_threads, count);
  set_threads = std::clamp(count, 1, kMaxThreads);
}
CLHA_GOMP int omp_in_parallel() {
  if (asked_by_probe()) return 0;
  CLHA_ELSE(omp_in_parallel, );
  return here().parallel;
}
CLHA_GOMP int omp_get_thread_num() {
  CLHA_ELSE(omp_get_thread_num, );
  return here().number;
}
CLHA_GOMP int omp_get_num_threads() {
  CLHA_ELSE(omp_get_num_threads, );
  return here().region->size;
}

CLHA_GOMP void GOMP_parallel(void (*fn)(void*), void* data, unsigned count, unsigned flags) {
  CLHA_ELSE(GOMP_parallel, fn, data, count, flags);
  run_region(fn, data, count ? std::min(static_cast<int>(count), kMaxThreads) : omp_get_max_threads());
}

CLHA_GOMP void GOMP_barrier() {
  CLHA_ELSE(GOMP_barrier, );
  barrier();
}

#endif
