// RMSNorm, gated activations, rotary position embedding and dropout on NVIDIA GPUs, forward and backward in one pass each. Each
// `takes` says whether there is a kernel for these tensors; where not, plain operators do the same.
#pragma once
#include <optional>

#include <ATen/core/Tensor.h>

#include "cpu/loops.h"

namespace clha {

// Of RMSNorm: the result, and what each row was multiplied with, [rows].
struct Normed {
  at::Tensor y, scale;
};
// A gradient that nobody needs may be undefined; that of the gain is in the type of the gain.
struct NormGradients {
  at::Tensor x, gain;
};
struct GatedGradients {
  at::Tensor gate, up;
};

// Without autograd, all of these: cpu/rows.cc, rotary.cc and dropout.cc differentiate for both processors.
bool cuda_norm_takes(const at::Tensor& x, const std::optional<at::Tensor>& weight, at::ScalarType out);
Normed cuda_norm(const at::Tensor& x, const at::Tensor& gain, double eps, at::ScalarType out);
NormGradients cuda_norm_backward(const at::Tensor& x, const at::Tensor& gain, const at::Tensor& dy, const at::Tensor& scale, bool to_gain);

bool cuda_gate_takes(const at::Tensor& gate, const at::Tensor& up);
at::Tensor cuda_gated(const at::Tensor& gate, const at::Tensor& up, Activation activation);
GatedGradients cuda_gated_backward(const at::Tensor& gate, const at::Tensor& up, const at::Tensor& dy, Activation activation);

bool cuda_rotary_takes(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin);
// `sign` -1 turns back.
at::Tensor cuda_rotated(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin, double sign);

bool cuda_dropout_takes(const at::Tensor& x);
// The backward pass is the same call on the gradient.
at::Tensor cuda_dropped(const at::Tensor& x, double share, int64_t seed);

}  // namespace clha
