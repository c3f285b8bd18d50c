// Matrix products of 2-d tensors by the fastest kernel that libtorch carries for the type and device.
#pragma once
#include <ATen/core/Tensor.h>

namespace clha {

// out[m, n] = a[m, k] b[k, n] (+ out where `accumulate`), where m counts tokens. Any strides of a and b; out is contiguous,
// and f32 where a and b are bf16.
void matmul_over_rows(const at::Tensor& out, const at::Tensor& a, const at::Tensor& b, bool accumulate = false);

// The same where k counts tokens, as in a weight's gradient.
void matmul_over_sum(const at::Tensor& out, const at::Tensor& a, const at::Tensor& b, bool accumulate = false);

}  // namespace clha
