// Loops, sections and `single` of OpenMP within a region of the own team, as libgomp's interface has them.
#include "runtime/threads/team.h"

#if defined(_OPENMP) && defined(__linux__) && !defined(__clang__)

#include <algorithm>

#include <sched.h>

#include "runtime/threads/threads.h"
#include "runtime/threads/libgomp.h"

namespace clha::team {
namespace {

// The construct that this thread meets now. Set up by the first that comes; the lock is held.
template <typename F>
Share& meet(std::unique_lock<std::mutex>& lock, F&& set_up) {
  Place& place = here();
  Region& region = *place.region;
  Share* share;
  {
    std::lock_guard<std::mutex> guard(region.mutex);
    while (region.shares.size() <= place.share) region.shares.push_back(std::make_unique<Share>());
    share = region.shares[place.share].get();
  }
  place.share++;
  lock = std::unique_lock<std::mutex>(share->mutex);
  if (!share->set) share->set = true, set_up(*share);
  return *share;
}

Share& current() {
  Place& place = here();
  std::lock_guard<std::mutex> guard(place.region->mutex);
  return *place.region->shares[place.share - 1];
}

// The next chunk of a loop; the lock is held.
bool take(Share& s, long* first, long* last) {
  const long left = s.step > 0 ? (s.end - s.next + s.step - 1) / s.step : (s.next - s.end - s.step - 1) / -s.step;
  if (left <= 0) return false;
  const long size = here().region->size;
  const long n = std::min(left, s.guided ? std::max(s.chunk, (left + size - 1) / size) : s.chunk);
  *first = s.next;
  *last = s.next += n * s.step;
  here().chunk = s.given++;
  return true;
}

void wait_for_turn(const Share& s) {
  while (s.turn.load(std::memory_order_acquire) != here().chunk) sched_yield();
}

bool start(long first, long end, long step, long chunk, bool guided, long* from, long* to) {
  std::unique_lock<std::mutex> lock;
  Share& share = meet(lock, [&](Share& s) { s.next = first, s.end = end, s.step = step, s.chunk = std::max(1L, chunk), s.guided = guided; });
  return take(share, from, to);
}

bool next(long* from, long* to) {
  Share& share = current();
  std::lock_guard<std::mutex> lock(share.mutex);
  return take(share, from, to);
}

void leave() {
  Place& place = here();
  if (place.region->size > 1) return;
  place.region->shares.clear();
  place.share = 0;
}

void end() {
  if (here().region->size > 1) barrier();
  leave();
}

}  // namespace
}  // namespace clha::team

using namespace clha::team;

#define CLHA_LOOP(kind, guided)                                                                            \
  CLHA_GOMP bool GOMP_loop_##kind##_start(long first, long last, long step, long chunk, long* from, long* to) { \
    CLHA_ELSE(GOMP_loop_##kind##_start, first, last, step, chunk, from, to);                               \
    return start(first, last, step, chunk, guided, from, to);                                              \
  }                                                                                                        \
  CLHA_GOMP bool GOMP_loop_##kind##_next(long* from, long* to) {                                           \
    CLHA_ELSE(GOMP_loop_##kind##_next, from, to);                                                          \
    return next(from, to);                                                                                 \
  }
CLHA_LOOP(dynamic, false)
CLHA_LOOP(guided, true)
CLHA_LOOP(nonmonotonic_dynamic, false)
CLHA_LOOP(nonmonotonic_guided, true)

CLHA_GOMP bool GOMP_loop_ordered_dynamic_start(long first, long last, long step, long chunk, long* from, long* to) {
  CLHA_ELSE(GOMP_loop_ordered_dynamic_start, first, last, step, chunk, from, to);
  return start(first, last, step, chunk, false, from, to);
}
CLHA_GOMP bool GOMP_loop_ordered_dynamic_next(long* from, long* to) {
  CLHA_ELSE(GOMP_loop_ordered_dynamic_next, from, to);
  Share& share = current();
  wait_for_turn(share);
  std::lock_guard<std::mutex> lock(share.mutex);
  const bool more = take(share, from, to);
  share.turn.fetch_add(1, std::memory_order_release);
  return more;
}
CLHA_GOMP void GOMP_ordered_start() {
  CLHA_ELSE(GOMP_ordered_start, );
  wait_for_turn(current());
}
CLHA_GOMP void GOMP_ordered_end() { CLHA_ELSE(GOMP_ordered_end, ); }

CLHA_GOMP void GOMP_loop_end() {
  CLHA_ELSE(GOMP_loop_end, );
  end();
}
CLHA_GOMP void GOMP_loop_end_nowait() {
  CLHA_ELSE(GOMP_loop_end_nowait, );
  leave();
}

CLHA_GOMP unsigned GOMP_sections_start(unsigned count) {
  CLHA_ELSE(GOMP_sections_start, count);
  long from, to;
  return start(1, static_cast<long>(count) + 1, 1, 1, false, &from, &to) ? static_cast<unsigned>(from) : 0;
}
CLHA_GOMP unsigned GOMP_sections_next() {
  CLHA_ELSE(GOMP_sections_next, );
  long from, to;
  return next(&from, &to) ? static_cast<unsigned>(from) : 0;
}
CLHA_GOMP void GOMP_sections_end() {
  CLHA_ELSE(GOMP_sections_end, );
  end();
}
CLHA_GOMP void GOMP_sections_end_nowait() {
  CLHA_ELSE(GOMP_sections_end_nowait, );
  leave();
}

CLHA_GOMP bool GOMP_single_start() {
  CLHA_ELSE(GOMP_single_start, );
  long from, to;
  const bool first = start(0, 1, 1, 1, false, &from, &to);
  leave();
  return first;
}

#endif
