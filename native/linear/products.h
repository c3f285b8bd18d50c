// Matrix products of 2-d tensors, and the one place that decides who multiplies what: by type, size and what the processor can do.
#pragma once
#include <string>

#include <ATen/core/Tensor.h>

namespace clha {

// Who multiplies many rows of a type on the CPU. Few rows of f32 and bf16 are a kernel of ours (few_rows.h), whoever takes many.
enum class Multiplier {
  kOneDnn,
  kBlas,
  kWidened,  // bf16 in f32, rounded at the end
};
Multiplier multiplier_of(at::ScalarType type);
// Its name for people, such as "oneDNN"
std::string multiplier_name(at::ScalarType type);

// out[m, n] = a[m, k] b[k, n] (+ out where `accumulate`), where m counts tokens. Any strides of a and b; out is contiguous,
// and f32 where a and b are bf16.
void matmul_over_rows(const at::Tensor& out, const at::Tensor& a, const at::Tensor& b, bool accumulate = false);

// The same where k counts tokens, as in a weight's gradient.
void matmul_over_sum(const at::Tensor& out, const at::Tensor& a, const at::Tensor& b, bool accumulate = false);

}  // namespace clha
