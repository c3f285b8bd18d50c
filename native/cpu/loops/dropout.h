// Dropout of elements: cpu/dropout.cc.
#pragma once
#include <algorithm>
#include <cstdint>

#include "cpu/loops.h"

namespace clha {
namespace {

// Wellons' 32-bit mix "lowbias32", with the halves of the seed before and between its rounds.
inline uint32_t mix(uint32_t x, uint32_t low, uint32_t high) {
  x ^= low;
  x ^= x >> 16;
  x *= 0x7feb352dU;
  x ^= high;
  x ^= x >> 15;
  x *= 0x846ca68bU;
  x ^= x >> 16;
  return x;
}

template <typename T>
void drop(T* to, const T* from, double share, int64_t seed, int64_t begin, int64_t end) {
  const auto threshold = static_cast<uint32_t>(share * 4294967296.0);
  const T scale = static_cast<T>(1 / (1 - share));
  while (begin < end) {
    // Places count in 32 bits; what lies above goes into the seed.
    const int64_t block = begin >> 32, stop = std::min(end, (block + 1) << 32);
    const auto low = static_cast<uint32_t>(seed), high = static_cast<uint32_t>(seed >> 32) + static_cast<uint32_t>(block);
    for (int64_t i = begin; i < stop; i++) to[i] = mix(static_cast<uint32_t>(i), low, high) >= threshold ? from[i] * scale : T(0);
    begin = stop;
  }
}

}  // namespace
}  // namespace clha
