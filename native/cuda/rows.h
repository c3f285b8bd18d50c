// RMSNorm, gated activations, rotary position embedding and dropout on NVIDIA GPUs, forward and backward in one pass each. Each
// `takes` says whether there is a kernel for these tensors; where not, plain operators do the same.
#pragma once
#include <optional>

#include <ATen/core/Tensor.h>

namespace clha {

enum class Gate { kSilu, kGelu };

bool cuda_norm_takes(const at::Tensor& x, const std::optional<at::Tensor>& weight, at::ScalarType out);
at::Tensor cuda_rms_norm(const at::Tensor& x, const std::optional<at::Tensor>& weight, double eps, double offset, at::ScalarType out);

bool cuda_gate_takes(const at::Tensor& gate, const at::Tensor& up);
at::Tensor cuda_gated(const at::Tensor& gate, const at::Tensor& up, Gate kind);

bool cuda_rotary_takes(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin);
// `sign` -1 turns back.
at::Tensor cuda_rotary(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin, double sign);

bool cuda_dropout_takes(const at::Tensor& x);
// Without autograd: the backward pass is the same call on the gradient.
at::Tensor cuda_dropped(const at::Tensor& x, double share, int64_t seed);

}  // namespace clha
