// What all GPU kernels share. One row of a matrix belongs to one warp or one block; all arithmetic is f32, results are
// rounded once. T is float or bf16; widths are multiples of four, rows lie aligned.
#pragma once

typedef unsigned short bf16;
typedef long long i64;

__device__ __forceinline__ float wide(float x) { return x; }
__device__ __forceinline__ float wide(bf16 x) { return __uint_as_float(static_cast<unsigned>(x) << 16); }
template <typename T> __device__ T narrow(float x);
template <> __device__ __forceinline__ float narrow<float>(float x) { return x; }
template <> __device__ __forceinline__ bf16 narrow<bf16>(float x) {  // to nearest, ties to even
  if (x != x) return 0x7fc0;
  const unsigned bits = __float_as_uint(x);
  return static_cast<bf16>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

template <typename T> struct alignas(4 * sizeof(T)) Four { T v[4]; };
template <typename T> __device__ __forceinline__ void load(const T* p, float (&x)[4]) {
  const Four<T> four = *reinterpret_cast<const Four<T>*>(p);
  for (int i = 0; i < 4; i++) x[i] = wide(four.v[i]);
}
template <typename T> __device__ __forceinline__ void store(T* p, const float (&x)[4]) {
  Four<T> four;
  for (int i = 0; i < 4; i++) four.v[i] = narrow<T>(x[i]);
  *reinterpret_cast<Four<T>*>(p) = four;
}

template <typename T> struct alignas(16) Eight { T v[8]; };
template <typename T> __device__ __forceinline__ void load_eight(const T* p, float (&x)[8]) {
  const Eight<T> eight = *reinterpret_cast<const Eight<T>*>(p);
  for (int i = 0; i < 8; i++) x[i] = wide(eight.v[i]);
}

// Sums and maxima over the G threads of a row; a block has 256.
struct Add { __device__ float operator()(float a, float b) const { return a + b; } };
struct Max { __device__ float operator()(float a, float b) const { return fmaxf(a, b); } };
template <int G, typename F> __device__ float over_row(float x, F f) {
  for (int other = 16; other; other >>= 1) x = f(x, __shfl_xor_sync(~0u, x, other));
  if (G == 32) return x;
  __shared__ float parts[G / 32];
  __syncthreads();
  if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = x;
  __syncthreads();
  x = parts[threadIdx.x % (G / 32)];
  for (int other = G / 64; other; other >>= 1) x = f(x, __shfl_xor_sync(~0u, x, other));
  return x;
}
