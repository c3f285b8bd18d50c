// Who else computes: cores that may be used, the time that others take of them, and the plan that follows.
#include "runtime/threads/threads.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include <unistd.h>
#ifdef __linux__
#include <sched.h>
#endif

namespace clha {
namespace {

constexpr int64_t kPatient = 5'000'000, kShort = 50'000, kLongAgo = 500'000'000;  // ns

// A process that others disturb less than this is alone: ticks are counted, so that a look is off by a fifth of a core.
constexpr double kBusy = 0.4, kQuiet = 0.25;

double number_in(const std::string& path) {
  std::ifstream file(path);
  double value = -1;
  return file >> value ? value : -1;
}

// cpu.max: "max 100000" or "150000 100000".
double quota_v2(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return 0;
  return std::atof(quota.c_str()) / period;
}

double quota_v1(const std::string& folder) {
  const double quota = number_in(folder + "/cpu.cfs_quota_us"), period = number_in(folder + "/cpu.cfs_period_us");
  return quota > 0 && period > 0 ? quota / period : 0;
}

// The smallest quota of a group and those above it. Inside a container the group's own path may not exist: its root does.
double smallest(const std::string& mount, std::string path, double (*quota)(const std::string&)) {
  double least = 0;
  for (;;) {
    const double here = quota(mount + path);
    if (here > 0 && (least == 0 || here < least)) least = here;
    if (path.empty()) return least;
    path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  }
}

}  // namespace

ThreadPlan plan_threads(int size, const CoreLoad& load, bool was_busy) {
  const bool busy = load.others > (was_busy ? kQuiet : kBusy);
  if (!busy) return {size, kPatient, false};
  const int left = static_cast<int>(std::lround(load.cores - load.others));
  return {std::clamp(left, 1, size), kShort, true};
}

int quota_cores(const std::string& root) {
  std::ifstream file(root + "/proc/self/cgroup");
  double least = 0;
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string names = line.substr(first + 1, second - first - 1), path = line.substr(second + 1);
    const std::string inner = path == "/" ? "" : path;
    double found = 0;
    if (names.empty()) found = smallest(root + "/sys/fs/cgroup", inner, quota_v2);
    else if ((',' + names + ',').find(",cpu,") != std::string::npos)
      for (const std::string& mount : {names, std::string("cpu")})
        if (found == 0) found = smallest(root + "/sys/fs/cgroup/" + mount, inner, quota_v1);
    if (found > 0 && (least == 0 || found < least)) least = found;
  }
  return static_cast<int>(std::ceil(least - 1e-9));
}

int usable_cores() {
  int cores = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) cores = CPU_COUNT(&set);
#endif
  const int quota = quota_cores("");
  return std::max(1, quota > 0 ? std::min(cores, quota) : cores);
}

namespace {
#ifdef __linux__
// Nanoseconds that the processors this process may use were busy, a hypervisor's taking included; -1 where the system does not tell.
int64_t busy_ns() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return -1;
  FILE* file = std::fopen("/proc/stat", "re");
  if (!file) return -1;
  static const int64_t tick = 1'000'000'000 / sysconf(_SC_CLK_TCK);
  char line[512];
  int64_t ticks = 0;
  bool any = false;
  while (std::fgets(line, sizeof line, file) && std::strncmp(line, "cpu", 3) == 0) {
    int cpu;
    long long t[8];
    if (std::sscanf(line, "cpu%d %lld %lld %lld %lld %lld %lld %lld %lld", &cpu, t, t + 1, t + 2, t + 3, t + 4, t + 5, t + 6, t + 7) != 9)
      continue;
    if (cpu >= CPU_SETSIZE || !CPU_ISSET(cpu, &set)) continue;
    ticks += t[0] + t[1] + t[2] + t[5] + t[6] + t[7];
    any = true;
  }
  std::fclose(file);
  return any ? ticks * tick : -1;
}
#else
int64_t busy_ns() { return -1; }
#endif
}  // namespace

LoadMeter::LoadMeter(int cores) : load_{cores, 0} {}

CoreLoad LoadMeter::sample(int64_t now_ns, int64_t own_ns) {
  const int64_t busy = busy_ns();
  if (busy >= 0 && now_ns - last_ns_ < kLongAgo) {
    const double others = static_cast<double>((busy - last_busy_) - (own_ns - last_own_)) / static_cast<double>(now_ns - last_ns_);
    load_.others += 0.5 * (std::clamp(others, 0.0, static_cast<double>(load_.cores)) - load_.others);
  }
  last_ns_ = now_ns, last_own_ = own_ns, last_busy_ = busy;
  return load_;
}

}  // namespace clha
