// Kernels that walk rows: RMSNorm and gated activations, forward and backward, each in one pass over memory.
//
// rms_norm: x / sqrt(mean(x^2) + eps) * (offset + weight); x [..., D], weight [D] or none (a factor of 1). Gemma stores its
//   gains less one: offset 1. The result is rounded to `dtype` where that is given.
// swiglu: silu(gate) * up, geglu: gelu(gate) * up in gelu's tanh form; gate, up [..., F], also halves of a fused projection.
// f32, f64 and bf16: bf16 is computed in f32 and rounded once, at the end.
#include <array>
#include <cmath>
#include <type_traits>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/cpu/vec/functional.h>
#include <ATen/cpu/vec/vec.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "cuda/rows.h"
#include "cpu/norm_gain.h"

namespace clha {
namespace {

using at::Tensor;
using at::vec::Vectorized;

// The type that a row is computed in.
template <typename T>
using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;

bool native_rows(const Tensor& t) {
  const auto type = t.scalar_type();
  return t.device().is_cpu() && t.numel() > 0 && (type == at::kFloat || type == at::kDouble || type == at::kBFloat16);
}

template <typename F>
void with_type(const Tensor& t, F&& f) {
  if (t.scalar_type() == at::kDouble) f(double{});
  else if (t.scalar_type() == at::kBFloat16) f(at::BFloat16{});
  else f(float{});
}

// [..., F] -> [rows, F] with whole rows; rows may lie apart, as in a part of a fused projection
Tensor as_rows(const Tensor& t) {
  if (t.dim() == 2 && t.stride(1) == 1) return t;
  return t.contiguous().view({t.numel() / t.size(-1), t.size(-1)});
}

template <typename T>
const T* row(const Tensor& t, int64_t r) {
  return t.const_data_ptr<T>() + r * t.stride(0);
}
template <typename T>
T* mutable_row(const Tensor& t, int64_t r) {
  return t.data_ptr<T>() + r * t.stride(0);
}

template <typename F>
void parallel_rows(int64_t rows, int64_t width, F&& f) {
  at::parallel_for(0, rows, std::max<int64_t>(1, 16384 / width), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) f(r);
  });
}

// f(inputs, outputs, n) over a row in the wide type: at once, or for bf16 in pieces that pass through f32
template <typename T, size_t I, size_t O, typename F>
void over_row(int64_t n, const std::array<const T*, I>& in, const std::array<T*, O>& out, F&& f) {
  if constexpr (std::is_same_v<T, Wide<T>>) {
    f(in, out, n);
  } else {
    constexpr int64_t kPiece = 512;
    float from[I][kPiece], to[O][kPiece];
    std::array<const float*, I> wide_in;
    std::array<float*, O> wide_out;
    for (size_t i = 0; i < I; i++) wide_in[i] = from[i];
    for (size_t o = 0; o < O; o++) wide_out[o] = to[o];
    for (int64_t at = 0; at < n; at += kPiece) {
      const int64_t count = std::min(kPiece, n - at);
      for (size_t i = 0; i < I; i++) at::vec::convert(in[i] + at, from[i], count);
      f(wide_in, wide_out, count);
      for (size_t o = 0; o < O; o++) at::vec::convert(to[o], out[o] + at, count);
    }
  }
}

constexpr int64_t kMaxSlices = 32;  // parts of the rows whose weight gradients add up alone: the same for any number of threads

// A row in the wide type: itself, or a bf16 row converted into `buffer`.
template <typename T>
const Wide<T>* widened(const T* row, int64_t n, std::vector<Wide<T>>& buffer) {
  if constexpr (std::is_same_v<T, Wide<T>>) {
    return row;
  } else {
    buffer.resize(n);
    at::vec::convert(row, buffer.data(), n);
    return buffer.data();
  }
}

template <typename T>
void norm_forward(const Tensor& x, const Tensor& gain, double eps, const Tensor& y, const Tensor& scale) {
  using W = Wide<T>;
  const int64_t width = x.size(1);
  const W* g = gain.const_data_ptr<W>();
  W* scales = scale.data_ptr<W>();
  parallel_rows(x.size(0), width, [&](int64_t r) {
    thread_local std::vector<W> in, out;
    const W* row_in = widened<T>(row<T>(x, r), width, in);
    const W squares = at::vec::map_reduce_all<W>([](Vectorized<W> v) { return v * v; },
                                                 [](Vectorized<W> a, Vectorized<W> b) { return a + b; }, row_in, width);
    const W s = W(1) / std::sqrt(squares / static_cast<W>(width) + static_cast<W>(eps));
    scales[r] = s;
    const auto apply = [s](Vectorized<W> v, Vectorized<W> w) { return v * Vectorized<W>(s) * w; };
    if constexpr (std::is_same_v<T, W>) {
      at::vec::map2(apply, mutable_row<T>(y, r), row_in, g, width);
    } else {
      out.resize(width);
      at::vec::map2(apply, out.data(), row_in, g, width);
      at::vec::convert(out.data(), mutable_row<T>(y, r), width);
    }
  });
}

// dx = s (dy g - x s^2 mean(dy g x)), dgain += dy x s; either may be left out (null)
template <typename W>
void norm_backward_row(const W* x, const W* g, const W* dy, W s, int64_t n, W* dx, W* dgain) {
  using V = Vectorized<W>;
  const W dot = dx ? at::vec::map3_reduce_all<W>([](V a, V b, V c) { return a * b * c; }, [](V a, V b) { return a + b; }, x, g, dy, n)
                   : W(0);
  const V scale(s), pull(s * s * s * dot / static_cast<W>(n));
  for (int64_t i = 0; i < n; i += V::size()) {
    const int count = static_cast<int>(std::min<int64_t>(V::size(), n - i));
    const V xi = V::loadu(x + i, count), di = V::loadu(dy + i, count) * scale;
    if (dx) (di * V::loadu(g + i, count) - xi * pull).store(dx + i, count);
    if (dgain) (V::loadu(dgain + i, count) + di * xi).store(dgain + i, count);
  }
}

template <typename T>
void norm_backward(const Tensor& x, const Tensor& gain, const Tensor& dy, const Tensor& scale, const Tensor& dx, const Tensor& dgain) {
  using W = Wide<T>;
  const int64_t rows = x.size(0), width = x.size(1), slices = std::min<int64_t>(kMaxSlices, rows);
  const W *g = gain.const_data_ptr<W>(), *scales = scale.const_data_ptr<W>();
  Tensor parts;
  if (dgain.defined()) parts = at::zeros({slices, width}, gain.options());
  at::parallel_for(0, slices, 1, [&](int64_t begin, int64_t end) {
    std::vector<W> x_buffer, dy_buffer, dx_buffer(dx.defined() && !std::is_same_v<T, W> ? width : 0);
    for (int64_t slice = begin; slice < end; slice++) {
      W* sum = parts.defined() ? mutable_row<W>(parts, slice) : nullptr;
      for (int64_t r = rows * slice / slices; r < rows * (slice + 1) / slices; r++) {
        const W *from_x = widened<T>(row<T>(x, r), width, x_buffer), *from_dy = widened<T>(row<T>(dy, r), width, dy_buffer);
        if constexpr (std::is_same_v<T, W>) {
          norm_backward_row<W>(from_x, g, from_dy, scales[r], width, dx.defined() ? mutable_row<T>(dx, r) : nullptr, sum);
        } else {
          norm_backward_row<W>(from_x, g, from_dy, scales[r], width, dx.defined() ? dx_buffer.data() : nullptr, sum);
          if (dx.defined()) at::vec::convert(dx_buffer.data(), mutable_row<T>(dx, r), width);
        }
      }
    }
  });
  if (dgain.defined()) dgain.copy_(parts.sum(0));
}

struct RmsNorm : public torch::autograd::Function<RmsNorm> {
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& x, const std::optional<Tensor>& weight, double eps,
                        double offset) {
    const Tensor rows = as_rows(x), gain = gain_of(x, weight.value_or(Tensor()), offset);
    const Tensor y = at::empty(x.sizes(), x.options()), scale = at::empty({rows.size(0)}, gain.options()), out = as_rows(y);
    with_type(x, [&](auto type) { norm_forward<decltype(type)>(rows, gain, eps, out, scale); });
    ctx->save_for_backward({x, weight.value_or(Tensor()), scale});
    ctx->saved_data["offset"] = offset;
    return y;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1], &scale = saved[2];
    const Tensor rows = as_rows(x), dy = as_rows(grads[0]), gain = gain_of(x, weight, ctx->saved_data["offset"].toDouble());
    Tensor dx, dweight;
    if (ctx->needs_input_grad(0)) dx = at::empty(x.sizes(), x.options());
    if (weight.defined() && ctx->needs_input_grad(1)) dweight = at::empty(weight.sizes(), weight.options());
    const Tensor to_x = dx.defined() ? as_rows(dx) : dx;
    with_type(x, [&](auto type) { norm_backward<decltype(type)>(rows, gain, dy, scale, to_x, dweight); });
    return {dx, dweight, Tensor(), Tensor()};
  }
};

// The same mathematics from ATen operators: other dtypes, other devices, and the test of the kernel.
Tensor composed_norm(const Tensor& x, const std::optional<Tensor>& weight, double eps, double offset, std::optional<at::ScalarType> type) {
  const Tensor wide = x.scalar_type() == at::kDouble ? x : x.to(at::kFloat);
  Tensor y = wide * (wide.square().mean(-1, true) + eps).rsqrt();
  if (weight) y = y * (offset == 0 ? weight->to(wide.scalar_type()) : weight->to(wide.scalar_type()) + offset);
  return y.to(type.value_or(x.scalar_type()));
}

Tensor rms_norm(const Tensor& x, const std::optional<Tensor>& weight, double eps, double offset, std::optional<at::ScalarType> type) {
  TORCH_CHECK(x.dim() > 0 && (!weight || (weight->dim() == 1 && weight->size(0) == x.size(-1))),
              "rms_norm: x [..., D], weight [D], found ", x.sizes(), ", ", weight ? weight->sizes() : at::IntArrayRef());
  TORCH_CHECK(!weight || weight->device() == x.device(), "rms_norm: x and weight are on different devices");
  const auto out = type.value_or(x.scalar_type());
  if (native_rows(x)) return RmsNorm::apply(x, weight, eps, offset).to(out);
  return cuda_norm_takes(x, weight, out) ? cuda_rms_norm(x, weight, eps, offset, out) : composed_norm(x, weight, eps, offset, out);
}

// Both activations are g * s(a(g)) with the logistic function s; a(g) is g for silu, 2 sqrt(2 / pi) (g + 0.044715 g^3) for gelu.
struct Silu {
  template <typename V>
  static V inner(V g) {
    return g;
  }
  template <typename V>
  static V slope(V) {
    return V(1);
  }
};

struct TanhGelu {
  static constexpr double kOne = 1.5957691216057308, kCube = 0.044715 * kOne;  // 2 sqrt(2 / pi)
  template <typename V>
  static V inner(V g) {
    return g * (V(kOne) + V(kCube) * g * g);
  }
  template <typename V>
  static V slope(V g) {
    return V(kOne) + V(3 * kCube) * g * g;
  }
};

template <typename A, typename V>
V gate_of(V g) {
  return V(1) / (V(1) + A::inner(g).neg().exp());
}

template <typename A, typename W>
void gated_forward_row(const W* gate, const W* up, W* out, int64_t n) {
  at::vec::map2([](auto g, auto u) { return g * gate_of<A>(g) * u; }, out, gate, up, n);
}

// dy -> dgate, dup
template <typename A, typename W>
void gated_backward_row(const W* gate, const W* up, const W* dy, W* dgate, W* dup, int64_t n) {
  using V = Vectorized<W>;
  for (int64_t i = 0; i < n; i += V::size()) {
    const int count = static_cast<int>(std::min<int64_t>(V::size(), n - i));
    const V g = V::loadu(gate + i, count), u = V::loadu(up + i, count), d = V::loadu(dy + i, count);
    const V s = gate_of<A>(g), value = g * s;
    (d * value).store(dup + i, count);
    (d * u * s * (V(1) + (g - value) * A::slope(g))).store(dgate + i, count);
  }
}

template <typename A, typename T>
void gated_forward(const Tensor& gate, const Tensor& up, const Tensor& out) {
  parallel_rows(gate.size(0), gate.size(1), [&](int64_t r) {
    over_row<T>(gate.size(1), std::array{row<T>(gate, r), row<T>(up, r)}, std::array{mutable_row<T>(out, r)},
                [](const auto& in, const auto& to, int64_t n) { gated_forward_row<A>(in[0], in[1], to[0], n); });
  });
}

template <typename A, typename T>
void gated_backward(const Tensor& gate, const Tensor& up, const Tensor& dy, const Tensor& dgate, const Tensor& dup) {
  parallel_rows(gate.size(0), gate.size(1), [&](int64_t r) {
    over_row<T>(gate.size(1), std::array{row<T>(gate, r), row<T>(up, r), row<T>(dy, r)},
                std::array{mutable_row<T>(dgate, r), mutable_row<T>(dup, r)},
                [](const auto& in, const auto& to, int64_t n) { gated_backward_row<A>(in[0], in[1], in[2], to[0], to[1], n); });
  });
}

template <typename A>
struct Gated : public torch::autograd::Function<Gated<A>> {
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& gate, const Tensor& up) {
    const Tensor out = at::empty(gate.sizes(), gate.options());
    const Tensor g = as_rows(gate), u = as_rows(up), o = as_rows(out);
    ctx->save_for_backward({gate, up});
    with_type(gate, [&](auto type) { gated_forward<A, decltype(type)>(g, u, o); });
    return out;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &gate = saved[0], &up = saved[1];
    const Tensor dgate = at::empty(gate.sizes(), gate.options()), dup = at::empty(up.sizes(), up.options());
    const Tensor g = as_rows(gate), u = as_rows(up), dy = as_rows(grads[0]), to_gate = as_rows(dgate), to_up = as_rows(dup);
    with_type(gate, [&](auto type) { gated_backward<A, decltype(type)>(g, u, dy, to_gate, to_up); });
    return {dgate, dup};
  }
};

template <typename A>
Tensor composed_gated(const Tensor& gate, const Tensor& up) {
  return (std::is_same_v<A, Silu> ? at::silu(gate) : at::gelu(gate, "tanh")) * up;
}

template <typename A>
Tensor gated(const Tensor& gate, const Tensor& up) {
  TORCH_CHECK(gate.dim() > 0 && gate.sizes() == up.sizes() && gate.scalar_type() == up.scalar_type() && gate.device() == up.device(),
              "swiglu, geglu: gate and up [..., F] of one dtype and device, found ", gate.sizes(), ", ", up.sizes());
  if (native_rows(gate)) return Gated<A>::apply(gate, up);
  if (cuda_gate_takes(gate, up)) return cuda_gated(gate, up, std::is_same_v<A, Silu> ? Gate::kSilu : Gate::kGelu);
  return composed_gated<A>(gate, up);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(clha, m) {
  m.def("rms_norm(Tensor x, Tensor? weight=None, float eps=1e-06, float offset=0.0, ScalarType? dtype=None) -> Tensor");
  m.def("rms_norm_composed(Tensor x, Tensor? weight=None, float eps=1e-06, float offset=0.0, ScalarType? dtype=None) -> Tensor");
  m.def("swiglu(Tensor gate, Tensor up) -> Tensor");
  m.def("swiglu_composed(Tensor gate, Tensor up) -> Tensor");
  m.def("geglu(Tensor gate, Tensor up) -> Tensor");
  m.def("geglu_composed(Tensor gate, Tensor up) -> Tensor");
}
TORCH_LIBRARY_IMPL(clha, CompositeImplicitAutograd, m) {
  m.impl("rms_norm", rms_norm);
  m.impl("rms_norm_composed", composed_norm);
  m.impl("swiglu", gated<Silu>);
  m.impl("swiglu_composed", composed_gated<Silu>);
  m.impl("geglu", gated<TanhGelu>);
  m.impl("geglu_composed", composed_gated<TanhGelu>);
}

}  // namespace clha
