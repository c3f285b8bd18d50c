// Kernels that walk rows: RMSNorm and gated activations, forward and backward, each in one pass over memory.
//
// rms_norm: x / sqrt(mean(x^2) + eps) * (offset + weight); x [..., D], weight [D] or none (a factor of 1). Gemma stores its
//   gains less one: offset 1. The result is rounded to `dtype` where that is given.
// swiglu: silu(gate) * up, geglu: gelu(gate) * up in gelu's tanh form; gate, up [..., F], also halves of a fused projection.
// On the CPU f32, f64 and bf16, on a GPU what cuda/rows.h takes: bf16 is computed in f32 and rounded once, at the end.
#include <algorithm>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "cpu/loops.h"
#include "cuda/rows.h"

namespace clha {
namespace {

using at::Tensor;

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
Rows<const T> rows_of(const Tensor& t) {
  return {t.const_data_ptr<T>(), t.stride(0)};
}
template <typename T>
Rows<T> mutable_rows(const Tensor& t) {
  return t.defined() ? Rows<T>{t.data_ptr<T>(), t.stride(0)} : Rows<T>{};
}

template <typename F>
void parallel_rows(int64_t rows, int64_t width, F&& f) {
  at::parallel_for(0, rows, std::max<int64_t>(1, 16384 / width), f);
}

constexpr int64_t kMaxSlices = 32;  // parts of the rows whose weight gradients add up alone: the same for any number of threads

template <typename T>
void norm_forward(const Tensor& x, const Tensor& gain, double eps, const Tensor& y, const Tensor& scale) {
  Norm<T> p{};
  p.x = rows_of<T>(x), p.y = mutable_rows<T>(y), p.gain = gain.const_data_ptr<Wide<T>>(), p.scale = scale.data_ptr<Wide<T>>();
  p.width = x.size(1), p.eps = eps;
  parallel_rows(x.size(0), p.width, [&](int64_t begin, int64_t end) { row_loops<T>().norm(p, begin, end); });
}

// @returns the gain's gradient [D], where wanted
template <typename T>
Tensor norm_backward(const Tensor& x, const Tensor& gain, const Tensor& dy, const Tensor& scale, const Tensor& dx, bool to_gain) {
  const int64_t rows = x.size(0), slices = std::min<int64_t>(kMaxSlices, rows);
  Norm<T> p{};
  p.x = rows_of<T>(x), p.dy = rows_of<T>(dy), p.dx = mutable_rows<T>(dx), p.gain = gain.const_data_ptr<Wide<T>>();
  p.scale = scale.data_ptr<Wide<T>>(), p.width = x.size(1);
  const Tensor parts = to_gain ? at::zeros({slices, p.width}, gain.options()) : Tensor();
  at::parallel_for(0, slices, 1, [&, sums = mutable_rows<Wide<T>>(parts)](int64_t begin, int64_t end) {
    for (int64_t slice = begin; slice < end; slice++)
      row_loops<T>().norm_backward(p, sums.data ? sums.at(slice) : nullptr, rows * slice / slices, rows * (slice + 1) / slices);
  });
  return to_gain ? parts.sum(0) : Tensor();
}

Normed cpu_norm(const Tensor& x, const Tensor& gain, double eps) {
  const Tensor rows = as_rows(x), y = at::empty(x.sizes(), x.options()), out = as_rows(y);
  const Tensor scale = at::empty({rows.size(0)}, gain.options());
  with_type(x, [&](auto type) { norm_forward<decltype(type)>(rows, gain, eps, out, scale); });
  return {y, scale};
}

NormGradients cpu_norm_backward(const Tensor& x, const Tensor& gain, const Tensor& grad, const Tensor& scale, bool to_x, bool to_gain) {
  const Tensor rows = as_rows(x), dy = as_rows(grad), dx = to_x ? at::empty(x.sizes(), x.options()) : Tensor();
  const Tensor out = to_x ? as_rows(dx) : dx;
  Tensor dgain;
  with_type(x, [&](auto type) { dgain = norm_backward<decltype(type)>(rows, gain, dy, scale, out, to_gain); });
  return {dx, dgain};
}

// offset + weight, or ones without a weight; [D] in the type that x [..., D] is computed in
Tensor gain_of(const Tensor& x, const Tensor& weight, double offset) {
  const auto options = x.options().dtype(x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);
  if (!weight.defined()) return at::ones({x.size(-1)}, options);
  const Tensor wide = weight.to(options.dtype()).contiguous();
  return offset == 0 ? wide : wide + offset;
}

// On either processor: the kernels compute, this differentiates. The CPU's kernel returns the dtype of x.
struct RmsNorm : public torch::autograd::Function<RmsNorm> {
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& x, const std::optional<Tensor>& weight, double eps,
                        double offset, at::ScalarType type) {
    const Tensor gain = gain_of(x, weight.value_or(Tensor()), offset);
    const auto [y, scale] = x.is_cpu() ? cpu_norm(x, gain, eps) : cuda_norm(x, gain, eps, type);
    ctx->save_for_backward({x, weight.value_or(Tensor()), scale});
    ctx->saved_data["offset"] = offset;
    return y;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1], &scale = saved[2];
    const Tensor gain = gain_of(x, weight, ctx->saved_data["offset"].toDouble());
    const bool learns = weight.defined() && ctx->needs_input_grad(1);
    const auto [dx, dgain] = x.is_cpu() ? cpu_norm_backward(x, gain, grads[0], scale, ctx->needs_input_grad(0), learns)
                                        : cuda_norm_backward(x, gain, grads[0], scale, learns);
    return {dx, learns ? dgain.to(weight.scalar_type()) : Tensor(), Tensor(), Tensor(), Tensor()};
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
  if (native_rows(x) || cuda_norm_takes(x, weight, out)) return RmsNorm::apply(x, weight, eps, offset, out).to(out);
  return composed_norm(x, weight, eps, offset, out);
}

template <typename T>
void gated_forward(const Tensor& gate, const Tensor& up, const Tensor& out, Activation activation) {
  Gates<T> g{};
  g.gate = rows_of<T>(gate), g.up = rows_of<T>(up), g.out = mutable_rows<T>(out), g.width = gate.size(1), g.activation = activation;
  parallel_rows(gate.size(0), g.width, [&](int64_t begin, int64_t end) { row_loops<T>().gated(g, begin, end); });
}

template <typename T>
void gated_backward(const Tensor& gate, const Tensor& up, const Tensor& dy, const Tensor& dgate, const Tensor& dup, Activation activation) {
  Gates<T> g{};
  g.gate = rows_of<T>(gate), g.up = rows_of<T>(up), g.dy = rows_of<T>(dy), g.dgate = mutable_rows<T>(dgate), g.dup = mutable_rows<T>(dup);
  g.width = gate.size(1), g.activation = activation;
  parallel_rows(gate.size(0), g.width, [&](int64_t begin, int64_t end) { row_loops<T>().gated_backward(g, begin, end); });
}

Tensor cpu_gated(const Tensor& gate, const Tensor& up, Activation activation) {
  const Tensor out = at::empty(gate.sizes(), gate.options()), g = as_rows(gate), u = as_rows(up), o = as_rows(out);
  with_type(gate, [&](auto type) { gated_forward<decltype(type)>(g, u, o, activation); });
  return out;
}

GatedGradients cpu_gated_backward(const Tensor& gate, const Tensor& up, const Tensor& grad, Activation activation) {
  const Tensor dgate = at::empty(gate.sizes(), gate.options()), dup = at::empty(up.sizes(), up.options());
  const Tensor g = as_rows(gate), u = as_rows(up), dy = as_rows(grad), to_gate = as_rows(dgate), to_up = as_rows(dup);
  with_type(gate, [&](auto type) { gated_backward<decltype(type)>(g, u, dy, to_gate, to_up, activation); });
  return {dgate, dup};
}

struct Gated : public torch::autograd::Function<Gated> {
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& gate, const Tensor& up, int64_t activation) {
    ctx->save_for_backward({gate, up});
    ctx->saved_data["activation"] = activation;
    return (gate.is_cpu() ? cpu_gated : cuda_gated)(gate, up, static_cast<Activation>(activation));
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const auto activation = static_cast<Activation>(ctx->saved_data["activation"].toInt());
    const auto [gate, up] = (saved[0].is_cpu() ? cpu_gated_backward : cuda_gated_backward)(saved[0], saved[1], grads[0], activation);
    return {gate, up, Tensor()};
  }
};

template <Activation A>
Tensor composed_gated(const Tensor& gate, const Tensor& up) {
  return (A == Activation::kSilu ? at::silu(gate) : at::gelu(gate, "tanh")) * up;
}

template <Activation A>
Tensor gated(const Tensor& gate, const Tensor& up) {
  TORCH_CHECK(gate.dim() > 0 && gate.sizes() == up.sizes() && gate.scalar_type() == up.scalar_type() && gate.device() == up.device(),
              "swiglu, geglu: gate and up [..., F] of one dtype and device, found ", gate.sizes(), ", ", up.sizes());
  if (native_rows(gate) || cuda_gate_takes(gate, up)) return Gated::apply(gate, up, static_cast<int64_t>(A));
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
  m.impl("swiglu", gated<Activation::kSilu>);
  m.impl("swiglu_composed", composed_gated<Activation::kSilu>);
  m.impl("geglu", gated<Activation::kTanhGelu>);
  m.impl("geglu_composed", composed_gated<Activation::kTanhGelu>);
}

}  // namespace clha
