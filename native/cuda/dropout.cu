// Dropout from a counter.
#include "common.cuh"

// The same bits as on a CPU: cpu/dropout.cc.
template <typename T> __device__ void dropout(const T* x, T* out, i64 count, unsigned threshold, float scale, unsigned low, unsigned high) {
  const i64 place = static_cast<i64>(blockIdx.x) * 256 + threadIdx.x;
  if (place >= count) return;
  unsigned bits = static_cast<unsigned>(place) ^ low;
  bits = (bits ^ (bits >> 16)) * 0x7feb352dU;
  bits ^= high + static_cast<unsigned>(place >> 32);
  bits = (bits ^ (bits >> 15)) * 0x846ca68bU;
  bits ^= bits >> 16;
  out[place] = narrow<T>(wide(x[place]) * (bits >= threshold ? scale : 0.0f));
}
extern "C" __global__ void dropout_f32(const float* x, float* out, i64 count, unsigned threshold, float scale, unsigned low, unsigned high) {
  dropout(x, out, count, threshold, scale, low, high);
}
extern "C" __global__ void dropout_bf16(const bf16* x, bf16* out, i64 count, unsigned threshold, float scale, unsigned low, unsigned high) {
  dropout(x, out, count, threshold, scale, low, high);
}
