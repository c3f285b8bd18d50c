// The gain of an RMSNorm as its kernels take it, on the CPU and on a GPU.
#pragma once
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/ones.h>

namespace clha {

// offset + weight, or ones without a weight; [D] in the type that x [..., D] is computed in
inline at::Tensor gain_of(const at::Tensor& x, const at::Tensor& weight, double offset) {
  const auto options = x.options().dtype(x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);
  if (!weight.defined()) return at::ones({x.size(-1)}, options);
  const at::Tensor wide = weight.to(options.dtype()).contiguous();
  return offset == 0 ? wide : wide + offset;
}

}  // namespace clha
