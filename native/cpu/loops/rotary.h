// Rotation of heads by position: cpu/rotary.cc.
#pragma once
#include <cstdint>

#include "cpu/loops.h"

namespace clha {
namespace {

template <typename T>
void rotate(const Rotation<T>& r, int64_t begin, int64_t end) {
  const int64_t half = r.half, d = r.d;
  for (int64_t t = begin; t < end; t++) {
    const T *c = r.cos + t * half, *s = r.sin + t * half;
    for (int64_t h = 0; h < r.heads; h++) {
      const T* in = r.x + t * r.row + h * r.head;
      T* to = r.out + (t * r.heads + h) * d;
#pragma omp simd
      for (int64_t i = 0; i < half; i++) {
        const T a = in[i], b = in[i + half], angle = r.sign * s[i];
        to[i] = a * c[i] - b * angle;
        to[i + half] = b * c[i] + a * angle;
      }
      for (int64_t i = 2 * half; i < d; i++) to[i] = in[i];
    }
  }
}

}  // namespace
}  // namespace clha
