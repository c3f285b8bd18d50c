// The team of threads that OpenMP's loops run on: those of own kernels, of ATen, of oneDNN and of MKL inside libtorch.
//
// libgomp gives every thread its part and lets those that are done spin until the last one comes. Where somebody else computes too,
// that one may be waiting for the very core that its fellows spin on. Here a part that its thread has not begun is taken by whoever
// is free, waiting is as patient as the machine is idle, and threads for which others leave no core are not called at all. A loop is
// cut into as many parts as ever, so that no number depends on any of this.
// exports.cc gives it libgomp's names.
#include "runtime/threads/threads.h"

#if defined(_OPENMP) && defined(__linux__) && !defined(__clang__)

#include <algorithm>
#include <ctime>
#include <thread>

#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/threads/team.h"

namespace clha {
namespace team {
namespace {

constexpr int64_t kSampleEvery = 100'000'000, kWatch = 2'000'000;  // ns

int64_t now_ns(clockid_t clock = CLOCK_MONOTONIC) {
  timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1'000'000'000 + t.tv_nsec;
}

void futex_wait(std::atomic<uint32_t>& word, uint32_t value, int64_t timeout_ns = 0) {
  const timespec t{timeout_ns / 1'000'000'000, timeout_ns % 1'000'000'000};
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, timeout_ns ? &t : nullptr, nullptr, 0);
}
void futex_wake(std::atomic<uint32_t>& word, int count) { syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0); }

// Spins until `ready` or for so long; the clock is read now and then.
template <typename F>
bool spin(const std::atomic<int64_t>& budget_ns, F&& ready) {
  int64_t start = 0;
  for (unsigned i = 1;; i++) {
    if (ready()) return true;
    relax();
    if (i % 32 != 0) continue;
    const int64_t now = now_ns();
    if (start == 0) start = now;
    if (now - start >= budget_ns.load(std::memory_order_relaxed)) return false;
  }
}

// Lightly: for a while.
enum Sleep : uint32_t { kAwake, kLightly, kDeeply };

}  // namespace

struct alignas(64) Slot {
  std::atomic<uint64_t> taken{0};   // the last loop whose part of this number was begun
  std::atomic<uint32_t> sleep{kAwake};
};

// The threads of one calling thread, itself the first.
struct Team {
  Slot slots[kMaxThreads];
  int threads = 1;
  Region region;
  void (*fn)(void*) = nullptr;
  void* data = nullptr;
  alignas(64) std::atomic<uint64_t> call{0};  // number of the loop, and below it its parts
  alignas(64) std::atomic<uint32_t> done{0};  // parts that others than the caller ended
  std::atomic<uint32_t> caller_sleeps{0};
  std::atomic<uint64_t> urgent{0};  // the loop that needs all its threads at once
  alignas(64) std::atomic<int> active{1};
  std::atomic<int64_t> spin_ns{0};
  std::atomic<bool> over{false};
  LoadMeter meter{usable_cores()};
  pthread_t caller = pthread_self();
  int64_t next_sample = 0;
  bool busy = false;

  void run(void (*f)(void*), void* d, int size);
  void grow(int size);
  void work(int number);
  template <typename F>
  void sleep(Slot& slot, int64_t timeout_ns, F&& stay);
  uint64_t wait_for_call(int number, uint64_t seen);
  int take_parts(uint64_t loop, int size, int first);
  void sample();
  void wake(int number, bool deep_only);
  void wake_all(uint64_t loop);
};

namespace {

thread_local Place place{nullptr, 0, false};

constexpr int kSizeBits = 16;
uint64_t loop_of(uint64_t call) { return call >> kSizeBits; }
int size_of(uint64_t call) { return static_cast<int>(call & ((1 << kSizeBits) - 1)); }

void run_part(void (*fn)(void*), void* data, Region* region, int number, bool parallel) {
  const Place before = here();
  place = Place{region, number, parallel};
  fn(data);
  place = before;
}

// Ends its threads with the calling thread's own; what they look at stays.
struct Holder {
  Team* team = nullptr;
  ~Holder() {
    if (!team) return;
    team->over.store(true);
    for (int i = 1; i < team->threads; i++) {
      team->slots[i].sleep.store(kAwake);
      futex_wake(team->slots[i].sleep, 1);
    }
  }
};

Team& own() {
  static thread_local Holder holder;
  if (!holder.team) holder.team = new Team();
  return *holder.team;
}

}  // namespace

Place& here() {
  if (!place.region) {
    static thread_local Region alone;
    place.region = &alone;
  }
  return place;
}

void Team::sample() {
  const int64_t now = now_ns();
  if (now < next_sample) return;
  next_sample = now + kSampleEvery;
  const ThreadPlan plan = plan_threads(threads, meter.sample(now, now_ns(CLOCK_PROCESS_CPUTIME_ID)), busy);
  busy = plan.busy;
  active.store(plan.active, std::memory_order_relaxed);
  spin_ns.store(plan.spin_ns, std::memory_order_relaxed);
}

void Team::grow(int size) {
  if (size <= threads) return;
  while (threads < size) {
    const int number = threads;
    std::thread([this, number] { work(number); }).detach();
    threads++;
  }
  next_sample = 0;
}

void Team::wake(int number, bool deep_only) {
  std::atomic<uint32_t>& sleep = slots[number].sleep;
  uint32_t state = sleep.load(std::memory_order_seq_cst);
  if (state == kAwake || (deep_only && state != kDeeply)) return;
  if (sleep.compare_exchange_strong(state, kAwake)) futex_wake(sleep, 1);
}

void Team::wake_all(uint64_t loop) {
  urgent.store(loop, std::memory_order_seq_cst);
  for (int i = 1; i < region.size; i++) wake(i, false);
}

// Begins parts that nobody has begun, from `first` on. @returns how many
int Team::take_parts(uint64_t loop, int size, int first) {
  int taken = 0;
  for (int k = 0; k < size - 1; k++) {
    const int number = 1 + (first - 1 + k) % (size - 1);
    uint64_t last = slots[number].taken.load(std::memory_order_acquire);
    if (last >= loop) continue;  // begun; of a later loop where this thread comes late
    if (!slots[number].taken.compare_exchange_strong(last, loop, std::memory_order_acq_rel)) continue;
    run_part(fn, data, &region, number, true);
    taken++;
    if (pthread_equal(pthread_self(), caller)) continue;
    done.fetch_add(1, std::memory_order_seq_cst);
    if (caller_sleeps.load(std::memory_order_seq_cst)) futex_wake(done, 1);
  }
  return taken;
}

void Team::run(void (*f)(void*), void* d, int size) {
  grow(size);
  sample();
  region.size = size;
  region.team = this;
  region.shares.clear();
  fn = f, data = d;
  done.store(0, std::memory_order_relaxed);
  const uint64_t loop = loop_of(call.load(std::memory_order_relaxed)) + 1;
  call.store(loop << kSizeBits | static_cast<uint64_t>(size), std::memory_order_seq_cst);
  const int called = active.load(std::memory_order_relaxed);
  for (int i = 1; i < size; i++) wake(i, i >= called);
  run_part(f, d, &region, 0, true);
  const uint32_t left = static_cast<uint32_t>(size - 1 - take_parts(loop, size, 1));
  const auto ended = [&] { return done.load(std::memory_order_acquire) == left; };
  if (spin(spin_ns, ended)) return;
  caller_sleeps.store(1, std::memory_order_seq_cst);
  for (uint32_t now = done.load(std::memory_order_seq_cst); now != left; now = done.load(std::memory_order_seq_cst)) futex_wait(done, now);
  caller_sleeps.store(0, std::memory_order_relaxed);
}

// Sleeps while `stay` holds, at most `timeout_ns`; 0: until somebody wakes it.
template <typename F>
void Team::sleep(Slot& slot, int64_t timeout_ns, F&& stay) {
  const Sleep state = timeout_ns ? kLightly : kDeeply;
  slot.sleep.store(state, std::memory_order_seq_cst);
  if (stay() && !over.load(std::memory_order_seq_cst)) futex_wait(slot.sleep, state, timeout_ns);
  slot.sleep.store(kAwake, std::memory_order_relaxed);
}

// One that is not called looks up now and then: code that waits for all threads without telling OpenMP must not wait forever.
uint64_t Team::wait_for_call(int number, uint64_t seen) {
  Slot& slot = slots[number];
  const auto latest = [&] { return call.load(std::memory_order_seq_cst); };
  for (uint64_t watched = seen; !over.load(std::memory_order_relaxed);) {
    if (number < active.load(std::memory_order_relaxed)) {
      if (spin(spin_ns, [&] { return loop_of(call.load(std::memory_order_acquire)) != seen; })) return latest();
      sleep(slot, 0, [&] { return loop_of(latest()) == seen; });
      continue;
    }
    const uint64_t now = latest(), loop = loop_of(now);
    const bool mine = number < size_of(now) && slot.taken.load(std::memory_order_relaxed) < loop;
    if (mine && (loop == watched || urgent.load(std::memory_order_seq_cst) == loop)) return now;
    if (loop == watched) sleep(slot, 0, [&] { return loop_of(latest()) == loop; });
    else sleep(slot, kWatch, [&] { return urgent.load(std::memory_order_seq_cst) != loop_of(latest()); });
    watched = loop;
  }
  return 0;
}

void Team::work(int number) {
  pthread_setname_np(pthread_self(), "clha-team");
  uint64_t seen = 0;
  while (const uint64_t now = wait_for_call(number, seen)) {
    seen = loop_of(now);
    if (number < size_of(now)) take_parts(seen, size_of(now), number);
  }
}

void run_region(void (*fn)(void*), void* data, int size) {
  const bool parallel = here().parallel;
  if (size > 1 && !parallel) return own().run(fn, data, size);
  Region alone;
  run_part(fn, data, &alone, 0, parallel);
}

void barrier() {
  Place& p = here();
  Region& r = *p.region;
  if (r.size == 1) return;
  Team& t = *r.team;
  if (t.active.load(std::memory_order_relaxed) < r.size) t.wake_all(loop_of(t.call.load(std::memory_order_relaxed)));
  const uint32_t phase = r.phase.load(std::memory_order_acquire);
  if (r.arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == r.size) {
    r.shares.clear();
    r.arrived.store(0, std::memory_order_relaxed);
    r.phase.store(phase + 1, std::memory_order_seq_cst);
    if (r.phase_sleepers.load(std::memory_order_seq_cst)) futex_wake(r.phase, r.size);
  } else if (const auto over = [&] { return r.phase.load(std::memory_order_acquire) != phase; }; !spin(t.spin_ns, over)) {
    r.phase_sleepers.fetch_add(1, std::memory_order_seq_cst);
    while (r.phase.load(std::memory_order_seq_cst) == phase) futex_wait(r.phase, phase);
    r.phase_sleepers.fetch_sub(1, std::memory_order_relaxed);
  }
  p.share = 0;
}

}  // namespace team
}  // namespace clha

#endif
