// RMSNorm, forward and backward.
#include "common.cuh"

// y = x s gain with s = 1 / sqrt(mean(x^2) + eps)
template <int G, typename T, typename O>
__device__ void norm_forward(const T* x, i64 stride, const float* gain, O* y, float* scale, i64 rows, int width, float eps) {
  const i64 row = static_cast<i64>(blockIdx.x) * (256 / G) + threadIdx.x / G;
  if (row >= rows) return;
  const int lane = threadIdx.x % G;
  const T* from = x + row * stride;
  float sum = 0, v[4], g[4];
  for (int c = 4 * lane; c < width; c += 4 * G) {
    load(from + c, v);
    for (int i = 0; i < 4; i++) sum += v[i] * v[i];
  }
  const float s = rsqrtf(over_row<G>(sum, Add()) / width + eps);
  if (lane == 0) scale[row] = s;
  for (int c = 4 * lane; c < width; c += 4 * G) {
    load(from + c, v);
    load(gain + c, g);
    for (int i = 0; i < 4; i++) v[i] *= s * g[i];
    store(y + row * width + c, v);
  }
}

// dx = s dy gain - x s^3 mean(dy gain x). With parts, [groups, width]: sums of dy x s over the rows of each group.
template <int G, typename T, typename O>
__device__ void norm_backward(const T* x, i64 stride, const float* gain, const O* dy, const float* scale, T* dx, float* parts, i64 rows,
                              int width) {
  extern __shared__ float shared[];
  const int lane = threadIdx.x % G, group = threadIdx.x / G, groups = 256 / G;
  float* sums = shared + group * width;
  if (parts) for (int c = lane; c < width; c += G) sums[c] = 0;
  __syncthreads();
  // Every thread of a block takes as many turns, with a row or without.
  const i64 step = static_cast<i64>(gridDim.x) * groups;
  for (i64 first = static_cast<i64>(blockIdx.x) * groups; first < rows; first += step) {
    const i64 row = first + group;
    const bool there = row < rows;
    float dot = 0, v[4], g[4], d[4];
    for (int c = 4 * lane; there && c < width; c += 4 * G) {
      load(x + row * stride + c, v);
      load(gain + c, g);
      load(dy + row * width + c, d);
      for (int i = 0; i < 4; i++) dot += v[i] * g[i] * d[i];
    }
    dot = over_row<G>(dot, Add());
    const float s = there ? scale[row] : 0, pull = s * s * s * dot / width;
    for (int c = 4 * lane; there && c < width; c += 4 * G) {
      load(x + row * stride + c, v);
      load(gain + c, g);
      load(dy + row * width + c, d);
      for (int i = 0; i < 4; i++) {
        if (parts) sums[c + i] += d[i] * v[i] * s;
        v[i] = s * d[i] * g[i] - v[i] * pull;
      }
      store(dx + row * width + c, v);
    }
  }
  __syncthreads();
  if (parts) for (int c = lane; c < width; c += G) parts[(static_cast<i64>(blockIdx.x) * groups + group) * width + c] = sums[c];
}

#define NORM(G, T, O, NAME) \
  extern "C" __global__ void norm_forward_##NAME(const T* x, i64 stride, const float* gain, O* y, float* scale, i64 rows, int width, float eps) { \
    norm_forward<G>(x, stride, gain, y, scale, rows, width, eps); \
  } \
  extern "C" __global__ void norm_backward_##NAME(const T* x, i64 stride, const float* gain, const O* dy, const float* scale, T* dx, \
                                                  float* parts, i64 rows, int width) { \
    norm_backward<G>(x, stride, gain, dy, scale, dx, parts, rows, width); \
  }
NORM(32, float, float, warp_f32)
NORM(32, bf16, bf16, warp_bf16)
NORM(32, float, bf16, warp_f32_bf16)
NORM(256, float, float, block_f32)
NORM(256, bf16, bf16, block_bf16)
NORM(256, float, bf16, block_f32_bf16)
