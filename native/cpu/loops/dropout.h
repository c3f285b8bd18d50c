// Dropout of elements: cpu/dropout.cc.
#pragma once
#include <algorithm>
#include <cstdint>
#include <type_traits>

#include <ATen/cpu/vec/functional.h>

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
void drop_wide(T* to, const T* from, double share, int64_t seed, int64_t begin, int64_t end) {
  const auto threshold = static_cast<uint32_t>(share * 4294967296.0);
  const T scale = static_cast<T>(1 / (1 - share));
  while (begin < end) {
    // Places count in 32 bits; what lies above goes into the seed.
    const int64_t block = begin >> 32, stop = std::min(end, (block + 1) << 32), count = stop - begin;
    const auto low = static_cast<uint32_t>(seed), high = static_cast<uint32_t>(seed >> 32) + static_cast<uint32_t>(block);
    const auto first = static_cast<uint32_t>(begin);
    // A choice between numbers, not of what is computed: compilers take no branch into vectors.
#pragma omp simd
    for (int64_t i = 0; i < count; i++) to[i] = from[i] * (mix(first + static_cast<uint32_t>(i), low, high) >= threshold ? scale : T(0));
    to += count;
    from += count;
    begin = stop;
  }
}

template <typename T>
void drop(Wide<T>* to, const T* from, double share, int64_t seed, int64_t begin, int64_t end) {
  if constexpr (std::is_same_v<T, Wide<T>>) {
    drop_wide(to, from, share, seed, begin, end);
  } else {
    at::vec::convert(from, to, end - begin);
    drop_wide(to, to, share, seed, begin, end);
  }
}

template <typename T>
void drop_back(T* to, Wide<T>* from, double share, int64_t seed, int64_t begin, int64_t end) {
  if constexpr (std::is_same_v<T, Wide<T>>) {
    drop_wide(to, from, share, seed, begin, end);
  } else {
    drop_wide(from, from, share, seed, begin, end);
    at::vec::convert(from, to, end - begin);
  }
}

}  // namespace
}  // namespace clha
