// Rotary position embedding.
#include "common.cuh"

// Pairs (i, i + half) of each head turned by the angle of their row; what is not rotated passes. A thread takes four pairs.
template <typename T, typename C>
__device__ void rotary(const T* x, i64 row_stride, i64 head_stride, const C* cos, const C* sin, float sign, T* out, i64 rows, int heads,
                       int width, int half) {
  const int threads = (width - half) / 4;  // of a head: its pairs, then what passes
  const i64 place = static_cast<i64>(blockIdx.x) * 256 + threadIdx.x, row = place / (heads * threads);
  if (row >= rows) return;
  const int rest = static_cast<int>(place % (heads * threads)), head = rest / threads, i = 4 * (rest % threads);
  const T* from = x + row * row_stride + head * head_stride;
  T* to = out + (row * heads + head) * width;
  float a[4], b[4], c[4], s[4];
  if (i >= half) {
    load(from + i + half, a);
    store(to + i + half, a);
    return;
  }
  load(from + i, a);
  load(from + i + half, b);
  load(cos + row * half + i, c);
  load(sin + row * half + i, s);
  for (int k = 0; k < 4; k++) {
    const float first = a[k], angle = sign * s[k];
    a[k] = first * c[k] - b[k] * angle;
    b[k] = b[k] * c[k] + first * angle;
  }
  store(to + i, a);
  store(to + i + half, b);
}

#define ROTARY(T, C, NAME) \
  extern "C" __global__ void rotary_##NAME(const T* x, i64 row_stride, i64 head_stride, const C* cos, const C* sin, float sign, T* out, i64 rows, \
                                           int heads, int width, int half) { \
    rotary(x, row_stride, head_stride, cos, sin, sign, out, rows, heads, width, half); \
  }
ROTARY(float, float, f32)
ROTARY(bf16, bf16, bf16)
ROTARY(bf16, float, bf16_f32)
