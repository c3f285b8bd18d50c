// Gated activations, forward and backward.
#include "common.cuh"

// g s(a(g)) u with the logistic function s; a(g) = g for silu, g (one + cube g^2) for gelu in its tanh form
struct Silu { static constexpr float one = 1, cube = 0; };
struct Gelu { static constexpr float one = 1.5957691216057308f, cube = 0.044715f * 1.5957691216057308f; };
template <typename A> __device__ __forceinline__ float gate_of(float g) { return 1 / (1 + __expf(-g * (A::one + A::cube * g * g))); }

template <typename A, typename T>
__device__ void gated_forward(const T* gate, i64 gate_stride, const T* up, i64 up_stride, T* out, i64 rows, int width) {
  const i64 place = static_cast<i64>(blockIdx.x) * 256 + threadIdx.x;
  const i64 row = place / (width / 4);
  if (row >= rows) return;
  const int c = 4 * static_cast<int>(place % (width / 4));
  float g[4], u[4];
  load(gate + row * gate_stride + c, g);
  load(up + row * up_stride + c, u);
  for (int i = 0; i < 4; i++) u[i] *= g[i] * gate_of<A>(g[i]);
  store(out + row * width + c, u);
}

template <typename A, typename T>
__device__ void gated_backward(const T* gate, i64 gate_stride, const T* up, i64 up_stride, const T* dy, T* dgate, T* dup, i64 rows, int width) {
  const i64 place = static_cast<i64>(blockIdx.x) * 256 + threadIdx.x;
  const i64 row = place / (width / 4);
  if (row >= rows) return;
  const int c = 4 * static_cast<int>(place % (width / 4));
  float g[4], u[4], d[4];
  load(gate + row * gate_stride + c, g);
  load(up + row * up_stride + c, u);
  load(dy + row * width + c, d);
  for (int i = 0; i < 4; i++) {
    const float s = gate_of<A>(g[i]), value = g[i] * s;
    g[i] = d[i] * u[i] * s * (1 + (g[i] - value) * (A::one + 3 * A::cube * g[i] * g[i]));
    u[i] = d[i] * value;
  }
  store(dgate + row * width + c, g);
  store(dup + row * width + c, u);
}

#define GATED(A, T, NAME) \
  extern "C" __global__ void gated_forward_##NAME(const T* gate, i64 gate_stride, const T* up, i64 up_stride, T* out, i64 rows, int width) { \
    gated_forward<A>(gate, gate_stride, up, up_stride, out, rows, width); \
  } \
  extern "C" __global__ void gated_backward_##NAME(const T* gate, i64 gate_stride, const T* up, i64 up_stride, const T* dy, T* dgate, T* dup, \
                                                   i64 rows, int width) { \
    gated_backward<A>(gate, gate_stride, up, up_stride, dy, dgate, dup, rows, width); \
  }
GATED(Silu, float, silu_f32)
GATED(Silu, bf16, silu_bf16)
GATED(Gelu, float, gelu_f32)
GATED(Gelu, bf16, gelu_bf16)
