// Sums of rows in a fixed order, as the gradients of shared contexts need them.
#include "common.cuh"

// out[r] = the sum of rows[places[i]], i from ends[r] to ends[r + 1], in this order
template <typename T>
__device__ void sum_rows(const T* rows, const int* places, const int* ends, T* out, i64 count, int width) {
  const i64 place = static_cast<i64>(blockIdx.x) * 256 + threadIdx.x, row = place / (width / 4);
  if (row >= count) return;
  const int c = 4 * static_cast<int>(place % (width / 4));
  float sum[4] = {0, 0, 0, 0}, v[4];
  for (int i = ends[row]; i < ends[row + 1]; i++) {
    load(rows + static_cast<i64>(places[i]) * width + c, v);
    for (int k = 0; k < 4; k++) sum[k] += v[k];
  }
  store(out + row * width + c, sum);
}
extern "C" __global__ void sum_rows_f32(const float* rows, const int* places, const int* ends, float* out, i64 count, int width) {
  sum_rows(rows, places, ends, out, count, width);
}
extern "C" __global__ void sum_rows_bf16(const bf16* rows, const int* places, const int* ends, bf16* out, i64 count, int width) {
  sum_rows(rows, places, ends, out, count, width);
}
