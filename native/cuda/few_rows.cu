// Products of one or two rows with a matrix that is read once.
#include "common.cuh"

// y [rows, outs] = x [rows, width] weight [outs, width]^T for at most M rows: a warp reads one row of the weight, once.
template <int M, typename T> __device__ void few_rows(const T* x, const T* weight, T* y, int rows, int outs, int width) {
  const int out = blockIdx.x * 8 + threadIdx.x / 32, lane = threadIdx.x % 32;
  if (out >= outs) return;
  const T* w = weight + static_cast<i64>(out) * width;
  float sum[M], a[8], b[8];
  for (int m = 0; m < M; m++) sum[m] = 0;
  for (int c = 8 * lane; c < width; c += 256) {
    load_eight(w + c, a);
    for (int m = 0; m < M; m++) {
      if (m >= rows) break;
      load_eight(x + m * width + c, b);
      for (int i = 0; i < 8; i++) sum[m] += a[i] * b[i];
    }
  }
  for (int m = 0; m < M; m++) {
    if (m >= rows) break;
    const float total = over_row<32>(sum[m], Add());
    if (lane == 0) y[m * outs + out] = narrow<T>(total);
  }
}
#define FEW_ROWS(M, T, NAME) \
  extern "C" __global__ void few_rows_##NAME(const T* x, const T* weight, T* y, int rows, int outs, int width) { \
    few_rows<M>(x, weight, y, rows, outs, width); \
  }
FEW_ROWS(1, float, 1_f32)
FEW_ROWS(1, bf16, 1_bf16)
FEW_ROWS(2, float, 2_f32)
FEW_ROWS(2, bf16, 2_bf16)
