// Weights in 8 and 4 bits, widened.
#include "common.cuh"

// Quantised weights [rows, width] as T: linear/quantized.cc has their layout. A thread takes four bytes of codes.
template <typename T> __device__ void widen_int8(const signed char* codes, const float* scale, T* out, i64 rows, int width) {
  const i64 place = 4 * (static_cast<i64>(blockIdx.x) * 256 + threadIdx.x);
  if (place >= rows * width) return;
  const float s = scale[place / width];
  float v[4];
  for (int i = 0; i < 4; i++) v[i] = s * codes[place + i];
  store(out + place, v);
}
// pairs [256, 2] f32: what a byte's codes stand for; in a block of 64 numbers the low halves of the bytes come first.
template <typename T> __device__ void widen_nf4(const unsigned char* codes, const bf16* scale, const float* pairs, T* out, i64 rows, int width) {
  const i64 place = 4 * (static_cast<i64>(blockIdx.x) * 256 + threadIdx.x);
  if (place >= rows * width / 2) return;
  const float s = wide(scale[place / 32]);
  float low[4], high[4];
  for (int i = 0; i < 4; i++) {
    low[i] = s * pairs[2 * codes[place + i]];
    high[i] = s * pairs[2 * codes[place + i] + 1];
  }
  T* to = out + place / 32 * 64 + place % 32;
  store(to, low);
  store(to + 32, high);
}
#define WIDEN(T, NAME) \
  extern "C" __global__ void widen_int8_##NAME(const signed char* codes, const float* scale, T* out, i64 rows, int width) { \
    widen_int8(codes, scale, out, rows, width); \
  } \
  extern "C" __global__ void widen_nf4_##NAME(const unsigned char* codes, const bf16* scale, const float* pairs, T* out, i64 rows, int width) { \
    widen_nf4(codes, scale, pairs, out, rows, width); \
  }
WIDEN(float, f32)
WIDEN(bf16, bf16)
