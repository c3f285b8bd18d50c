// Whether loops run on the own team or on libgomp as it is: what the user asks for, and what the linker made of it.
#include "runtime/threads/threads.h"

#if defined(_OPENMP) && defined(__linux__) && !defined(__clang__)

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <iterator>
#include <string_view>

#include <dlfcn.h>
#include <link.h>

#include "runtime/threads/team.h"

extern char** environ;

namespace at {
bool in_parallel_region();
void set_num_threads(int);
int get_num_threads();
}  // namespace at

namespace clha {
namespace {

// What the own team answers, and what does not ask who is in a team.
constexpr std::string_view kKnown[] = {
    "GOMP_atomic_end", "GOMP_atomic_start", "GOMP_barrier", "GOMP_critical_end", "GOMP_critical_name_end", "GOMP_critical_name_start",
    "GOMP_critical_start", "GOMP_loop_dynamic_next", "GOMP_loop_dynamic_start", "GOMP_loop_end", "GOMP_loop_end_nowait",
    "GOMP_loop_guided_next", "GOMP_loop_guided_start", "GOMP_loop_nonmonotonic_dynamic_next", "GOMP_loop_nonmonotonic_dynamic_start",
    "GOMP_loop_nonmonotonic_guided_next", "GOMP_loop_nonmonotonic_guided_start", "GOMP_loop_ordered_dynamic_next",
    "GOMP_loop_ordered_dynamic_start", "GOMP_ordered_end", "GOMP_ordered_start", "GOMP_parallel", "GOMP_sections_end",
    "GOMP_sections_end_nowait", "GOMP_sections_next", "GOMP_sections_start", "GOMP_single_start", "omp_get_max_threads",
    "omp_get_num_procs", "omp_get_num_threads", "omp_get_thread_num", "omp_get_wtime", "omp_in_parallel", "omp_set_num_threads"};

// Whoever tunes libgomp by its variables gets it as it is; the number of threads is no tuning.
bool libgomp_is_tuned() {
  for (char** entry = environ; *entry; entry++) {
    const std::string_view text(*entry);
    if ((text.starts_with("OMP_") || text.starts_with("GOMP_")) && !text.starts_with("OMP_NUM_THREADS=")) return true;
  }
  return false;
}

// Number of symbols that the library of `map` takes from others: they stand before those of its hash table.
struct Symbols {
  const ElfW(Sym)* all = nullptr;
  const char* names = nullptr;
  uint32_t taken = 0;
};
Symbols symbols_of(const link_map& map) {
  Symbols out;
  for (const ElfW(Dyn)* entry = map.l_ld; entry->d_tag != DT_NULL; entry++) {
    const auto at = reinterpret_cast<const void*>(entry->d_un.d_ptr);
    if (entry->d_tag == DT_SYMTAB) out.all = static_cast<const ElfW(Sym)*>(at);
    if (entry->d_tag == DT_STRTAB) out.names = static_cast<const char*>(at);
    if (entry->d_tag == DT_GNU_HASH) out.taken = static_cast<const uint32_t*>(at)[1];
  }
  return out;
}

// Whether libtorch asks for nothing of OpenMP that the own team lacks: another version may be compiled in another way.
bool libtorch_asks_known() {
  Dl_info info;
  link_map* map = nullptr;
  if (!dladdr1(reinterpret_cast<void*>(&at::in_parallel_region), &info, reinterpret_cast<void**>(&map), RTLD_DL_LINKMAP) || !map) return false;
  const Symbols symbols = symbols_of(*map);
  if (!symbols.all || !symbols.names) return false;
  for (uint32_t i = 0; i < symbols.taken; i++) {
    const std::string_view name(symbols.names + symbols.all[i].st_name);
    if ((name.starts_with("GOMP_") || name.starts_with("omp_")) && std::find(std::begin(kKnown), std::end(kKnown), name) == std::end(kKnown))
      return false;
  }
  return true;
}

thread_local bool probing = false, probed = false;

// Whether libtorch calls this team: another order of loading binds it to libgomp.
bool reaches_libtorch() {
  probing = true, probed = false;
  at::in_parallel_region();
  probing = false;
  return probed;
}

}  // namespace

namespace team {
bool asked_by_probe() {
  if (probing) probed = true;
  return probing;
}
}  // namespace team

bool own_team() {
  static std::atomic<int> state{0};  // 1 own, 2 libgomp
  const int known = state.load(std::memory_order_relaxed);
  if (known) return known == 1;
  const bool own = !libgomp_is_tuned() && libtorch_asks_known() && reaches_libtorch();
  state.store(own ? 1 : 2);
  return own;
}

void keep_to_quota() {
  if (own_team() || std::getenv("OMP_NUM_THREADS")) return;
  const int cores = usable_cores();
  if (cores < at::get_num_threads()) at::set_num_threads(cores);
}

}  // namespace clha

#else

namespace clha {
bool own_team() { return false; }
void keep_to_quota() {}
}  // namespace clha

#endif
