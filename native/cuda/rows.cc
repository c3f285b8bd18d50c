// What cpu/rows.cc, rotary.cc and dropout.cc compute, on NVIDIA GPUs.
#include "cuda/rows.h"

#include <algorithm>

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include "cuda/kernels.h"

namespace clha {
namespace {

using at::Tensor;

constexpr int64_t kThreads = 256, kWarp = 32;
constexpr int64_t kWidestWarpRow = 1024;       // wider rows take a whole block
constexpr int64_t kWidest = 12288;             // sums of a row's gradients fit into shared memory
constexpr int64_t kSumBlocks = 264;            // two for each multiprocessor of the largest GPUs

int64_t blocks_for(int64_t threads) { return (threads + kThreads - 1) / kThreads; }

// [..., F] -> [rows, F]; rows may lie apart, as in a part of a fused projection
Tensor as_rows(const Tensor& t) {
  const Tensor rows = t.dim() == 2 ? t : t.reshape({-1, t.size(-1)});
  return in_fours(rows) ? rows : rows.contiguous();
}

bool fits(const Tensor& t) {
  return t.dim() > 0 && t.numel() > 0 && kernel_type(t.scalar_type()) && t.size(-1) % 4 == 0 && has_cuda_kernels(t);
}

template <typename... Parts>
std::string joined(Parts... parts) {
  std::string out;
  ((out += (out.empty() ? "" : "_") + std::string(parts)), ...);
  return out;
}

std::string norm_kernel(const char* pass, int64_t width, at::ScalarType in, at::ScalarType out) {
  const std::string name = joined("norm", pass, width <= kWidestWarpRow ? "warp" : "block", kernel_type(in));
  return in == out ? name : joined(name, kernel_type(out));
}

std::string gated_kernel(const char* pass, Activation activation, const Tensor& gate) {
  return joined("gated", pass, activation == Activation::kSilu ? "silu" : "gelu", kernel_type(gate.scalar_type()));
}

}  // namespace

bool cuda_norm_takes(const Tensor& x, const std::optional<Tensor>& weight, at::ScalarType out) {
  const bool types = out == x.scalar_type() || (x.scalar_type() == at::kFloat && out == at::kBFloat16);
  return types && fits(x) && x.size(-1) <= kWidest && (!weight || kernel_type(weight->scalar_type()));
}

Normed cuda_norm(const Tensor& x, const Tensor& gain, double eps, at::ScalarType out) {
  const Tensor rows = as_rows(x);
  const int64_t count = rows.size(0), width = rows.size(1), group = width <= kWidestWarpRow ? kWarp : kThreads;
  const Tensor y = at::empty(x.sizes(), x.options().dtype(out)), scale = at::empty({count}, gain.options());
  launch(norm_kernel("forward", width, x.scalar_type(), out), x, (count * group + kThreads - 1) / kThreads, 0, rows.const_data_ptr(),
         rows.stride(0), gain.const_data_ptr(), y.mutable_data_ptr(), scale.mutable_data_ptr(), count, static_cast<int>(width),
         static_cast<float>(eps));
  return {y, scale};
}

NormGradients cuda_norm_backward(const Tensor& x, const Tensor& gain, const Tensor& grad, const Tensor& scale, bool to_gain) {
  const Tensor rows = as_rows(x), dy = grad.contiguous(), dx = at::empty(x.sizes(), x.options());
  const int64_t count = rows.size(0), width = rows.size(1), groups = width <= kWidestWarpRow ? kThreads / kWarp : 1;
  const int64_t blocks = std::min((count + groups - 1) / groups, kSumBlocks);
  const Tensor parts = to_gain ? at::empty({blocks * groups, width}, gain.options()) : Tensor();
  launch(norm_kernel("backward", width, x.scalar_type(), dy.scalar_type()), x, blocks, groups * width * 4, rows.const_data_ptr(),
         rows.stride(0), gain.const_data_ptr(), dy.const_data_ptr(), scale.const_data_ptr(), dx.mutable_data_ptr(),
         to_gain ? parts.mutable_data_ptr() : nullptr, count, static_cast<int>(width));
  return {dx, to_gain ? parts.sum(0) : Tensor()};
}

bool cuda_gate_takes(const Tensor& gate, const Tensor& up) { return fits(gate) && gate.scalar_type() == up.scalar_type(); }

Tensor cuda_gated(const Tensor& gate, const Tensor& up, Activation activation) {
  const Tensor out = at::empty(gate.sizes(), gate.options()), g = as_rows(gate), u = as_rows(up);
  launch(gated_kernel("forward", activation, gate), gate, blocks_for(gate.numel() / 4), 0, g.const_data_ptr(), g.stride(0),
         u.const_data_ptr(), u.stride(0), out.mutable_data_ptr(), g.size(0), static_cast<int>(g.size(1)));
  return out;
}

GatedGradients cuda_gated_backward(const Tensor& gate, const Tensor& up, const Tensor& grad, Activation activation) {
  const Tensor g = as_rows(gate), u = as_rows(up), dy = grad.contiguous();
  const Tensor dgate = at::empty(gate.sizes(), gate.options()), dup = at::empty(up.sizes(), up.options());
  launch(gated_kernel("backward", activation, gate), gate, blocks_for(gate.numel() / 4), 0, g.const_data_ptr(), g.stride(0),
         u.const_data_ptr(), u.stride(0), dy.const_data_ptr(), dgate.mutable_data_ptr(), dup.mutable_data_ptr(), g.size(0),
         static_cast<int>(g.size(1)));
  return {dgate, dup};
}

bool cuda_rotary_takes(const Tensor& x, const Tensor& cos, const Tensor& sin) {
  const bool types = x.scalar_type() == cos.scalar_type() || (x.scalar_type() == at::kBFloat16 && cos.scalar_type() == at::kFloat);
  return types && fits(x) && cos.size(1) > 0 && cos.size(1) % 4 == 0 && in_fours(cos) && in_fours(sin);
}

Tensor cuda_rotated(const Tensor& x_in, const Tensor& cos, const Tensor& sin, double sign) {
  const Tensor x = in_fours(x_in) ? x_in : x_in.contiguous(), out = at::empty(x.sizes(), x.options());
  const int64_t width = x.size(2), half = cos.size(1);
  const std::string name = joined("rotary", kernel_type(x.scalar_type()));
  launch(x.scalar_type() == cos.scalar_type() ? name : joined(name, kernel_type(cos.scalar_type())), x,
         blocks_for(x.size(0) * x.size(1) * (width - half) / 4), 0, x.const_data_ptr(), x.stride(0), x.stride(1), cos.const_data_ptr(),
         sin.const_data_ptr(), static_cast<float>(sign), out.mutable_data_ptr(), x.size(0), static_cast<int>(x.size(1)),
         static_cast<int>(width), static_cast<int>(half));
  return out;
}

bool cuda_dropout_takes(const Tensor& x) { return kernel_type(x.scalar_type()) && has_cuda_kernels(x); }

Tensor cuda_dropped(const Tensor& x, double share, int64_t seed) {
  const Tensor source = x.contiguous(), out = at::empty_like(source);
  launch(joined("dropout", kernel_type(x.scalar_type())), x, blocks_for(x.numel()), 0, source.const_data_ptr(), out.mutable_data_ptr(),
         x.numel(), static_cast<uint32_t>(share * 4294967296.0), static_cast<float>(1 / (1 - share)), static_cast<uint32_t>(seed),
         static_cast<uint32_t>(seed >> 32));
  return out;
}

}  // namespace clha
