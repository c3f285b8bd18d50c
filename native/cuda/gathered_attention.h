// Packed attention by libtorch's kernels for GPUs.
#pragma once
#include <ATen/core/Tensor.h>

namespace clha {

// As packed_attention without a soft cap, on any device.
at::Tensor gathered_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& segments, double scale,
                              int64_t window);

}  // namespace clha
