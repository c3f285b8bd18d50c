// How many threads compute and how they wait: what the team of team.cc goes by.
#pragma once
#include <cstdint>
#include <string>

namespace clha {

// Cores that this process may use, and how far others keep them busy.
struct CoreLoad {
  int cores;
  double others;  // cores' worth of computing by anybody else, 0 to `cores`
};

// Of a team of `size` threads: how many are called for a loop, and how long one that has nothing to do looks out for work.
struct ThreadPlan {
  int active;
  int64_t spin_ns;
  bool busy;
};
ThreadPlan plan_threads(int size, const CoreLoad& load, bool was_busy);

// Cores by the CPU quota of the cgroups that this process is in, rounded up; 0 without one. `root` is "" but in tests.
int quota_cores(const std::string& root);

// Cores by affinity and quota.
int usable_cores();

// Cores' worth of time that others took since the last call, smoothed; `own_ns`: processor time of this process so far. A call long after
// the last one tells nothing: what stood between them is over.
class LoadMeter {
 public:
  explicit LoadMeter(int cores);
  CoreLoad sample(int64_t now_ns, int64_t own_ns);

 private:
  CoreLoad load_;
  int64_t last_ns_ = 0, last_own_ = 0, last_busy_ = 0;
};

// Whether loops of libtorch and of own kernels run on the team of team.cc; else on libgomp as it is.
bool own_team();

// libgomp takes a thread for each core of the affinity, where a quota lets fewer compute. The own team starts with what may be used.
void keep_to_quota();

}  // namespace clha
