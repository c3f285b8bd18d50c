// Who multiplies. On a CPU:
//   few rows of f32 and bf16  our kernel, which reads the matrix once
//   f32                       oneDNN where libtorch lets it (AVX-512 or AVX-NE-CONVERT): its generated code uses the whole vector
//                             width on every x86 maker, where the BLAS of the wheel takes a half-width path on some; else that BLAS
//   bf16                      oneDNN where the processor multiplies bf16; else in f32, rounded at the end
// Everything else goes to libtorch's own operators.
#include "linear/products.h"

#include <ATen/Context.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include "cpu/few_rows.h"
#include "cpu/level.h"

namespace at::native {
// Weak: a libtorch without oneDNN lacks it.
__attribute__((weak)) void mkldnn_matmul(const Tensor& mat1, const Tensor& mat2, const Tensor& result, float beta, float alpha);
}  // namespace at::native

namespace clha {

using at::Tensor;

namespace {

// libtorch refuses these products, of f32 too, where the processor or oneDNN's own variables leave out what they need: it is asked.
bool one_dnn_takes(at::ScalarType type) {
  if (&at::native::mkldnn_matmul == nullptr || !at::globalContext().userEnabledMkldnn() || !may_use_all_of_one_dnn()) return false;
  try {
    const Tensor a = at::ones({2, 2}, type), out = at::zeros({2, 2}, type);
    at::native::mkldnn_matmul(a, a, out, 0.0f, 1.0f);
    return out.sum().item<double>() == 8;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace

Multiplier multiplier_of(at::ScalarType type) {
  static const bool f32 = one_dnn_takes(at::kFloat), bf16 = has_bf16_products() && one_dnn_takes(at::kBFloat16);
  if (type == at::kBFloat16) return bf16 ? Multiplier::kOneDnn : Multiplier::kWidened;
  return type == at::kFloat && f32 ? Multiplier::kOneDnn : Multiplier::kBlas;
}

std::string multiplier_name(at::ScalarType type) {
  const std::string blas = at::hasMKL() ? "MKL" : "BLAS";
  switch (multiplier_of(type)) {
    case Multiplier::kOneDnn:
      return "oneDNN";
    case Multiplier::kBlas:
      return blas;
    case Multiplier::kWidened:
      return multiplier_name(at::kFloat) + ", widened to f32";
  }
  return blas;
}

namespace {

bool one_dnn(const Tensor& a) { return a.device().is_cpu() && multiplier_of(a.scalar_type()) == Multiplier::kOneDnn; }
bool widens(const Tensor& a) { return a.device().is_cpu() && multiplier_of(a.scalar_type()) == Multiplier::kWidened; }

// `out` may be wider than a and b: the product is rounded to their type, and added up in its own.
void product(const Tensor& out, const Tensor& a, const Tensor& b, bool accumulate) {
  if (a.device().is_cuda() && out.scalar_type() != a.scalar_type()) {
    // cuBLAS adds up in the wide type and never rounds.
    if (accumulate) at::addmm_out(const_cast<Tensor&>(out), out, a, b, out.scalar_type());
    else at::mm_out(const_cast<Tensor&>(out), a, b, out.scalar_type());
  } else if (out.scalar_type() != a.scalar_type()) {
    const Tensor narrow = at::empty(out.sizes(), a.options());
    product(narrow, a, b, false);
    if (accumulate) out.add_(narrow);
    else out.copy_(narrow);
  } else if (one_dnn(a) && a.numel() > 0 && b.numel() > 0) {
    at::native::mkldnn_matmul(a, b, out, accumulate ? 1.0f : 0.0f, 1.0f);
  } else if (accumulate) {
    at::addmm_out(const_cast<Tensor&>(out), out, a, b);
  } else {
    at::mm_out(const_cast<Tensor&>(out), a, b);
  }
}

// Few rows of f32 or bf16 with a matrix whose columns are whole: by the kernel that reads it once.
bool few_rows(const Tensor& out, const Tensor& a, const Tensor& b) {
  const auto type = a.scalar_type();
  if (!a.device().is_cpu() || a.size(0) > kFewRows || a.size(1) == 0 || b.stride(0) != 1) return false;
  if (type == at::kFloat && a.stride(1) == 1 && out.scalar_type() == at::kFloat) {
    few_rows_product<float>({a.const_data_ptr<float>(), b.const_data_ptr<float>(), out.data_ptr<float>(), a.size(0), b.size(1), a.size(1),
                             a.stride(0), b.stride(1), out.size(1)});
    return true;
  }
  if (type != at::kBFloat16) return false;
  const Tensor x = a.to(at::kFloat).contiguous(), y = at::empty(out.sizes(), x.options());
  few_rows_product<at::BFloat16>({x.const_data_ptr<float>(), b.const_data_ptr<at::BFloat16>(), y.data_ptr<float>(), a.size(0), b.size(1),
                                  a.size(1), a.size(1), b.stride(1), out.size(1)});
  // Rounded to the type of a and b, also where `out` is wider.
  out.copy_(out.scalar_type() == at::kFloat ? y.to(at::kBFloat16) : y);
  return true;
}

// f(wide, a, b) multiplies in f32; the product is rounded to bf16, and added up in the type of `out`.
template <typename F>
void rounded(const Tensor& out, bool accumulate, const Tensor& a, const Tensor& b, F&& f) {
  const Tensor wide = at::empty(out.sizes(), a.options().dtype(at::kFloat));
  f(wide, a.to(at::kFloat), b.to(at::kFloat));
  if (out.scalar_type() == at::kBFloat16 && !accumulate) out.copy_(wide);
  else if (accumulate) out.add_(out.scalar_type() == at::kBFloat16 ? wide : wide.to(at::kBFloat16));
  else out.copy_(wide.to(at::kBFloat16));
}

}  // namespace

// oneDNN generates code and keeps buffers for every size it meets, and token counts differ from step to step. So a product is
// taken in parts whose token counts come from a short list: multiples of 256, of 64, and powers of two filled up with zeros.
struct Parts {
  int64_t coarse, fine, rest, padded;
  explicit Parts(int64_t tokens) {
    coarse = tokens >= 1024 ? tokens / 256 * 256 : 0;
    fine = (tokens - coarse) / 64 * 64;
    rest = tokens - coarse - fine;
    for (padded = 1; padded < rest;) padded *= 2;
  }
};

void matmul_over_rows(const Tensor& out, const Tensor& a, const Tensor& b, bool accumulate) {
  if (!accumulate && few_rows(out, a, b)) return;
  if (widens(a)) return rounded(out, accumulate, a, b, [](const Tensor& wide, const Tensor& x, const Tensor& y) { matmul_over_rows(wide, x, y); });
  if (!one_dnn(a)) return product(out, a, b, accumulate);
  const Parts part(a.size(0));
  int64_t at = 0;
  for (const int64_t rows : {part.coarse, part.fine}) {
    if (rows) product(out.slice(0, at, at + rows), a.slice(0, at, at + rows), b, accumulate);
    at += rows;
  }
  if (part.rest == part.padded) return product(out.slice(0, at), a.slice(0, at), b, accumulate);
  if (part.rest == 0) return;
  const Tensor filled = at::zeros({part.padded, a.size(1)}, a.options()), result = at::empty({part.padded, out.size(1)}, out.options());
  filled.slice(0, 0, part.rest).copy_(a.slice(0, at));
  product(result, filled, b, false);
  Tensor rows = out.slice(0, at);
  if (accumulate) rows.add_(result.slice(0, 0, part.rest));
  else rows.copy_(result.slice(0, 0, part.rest));
}

void matmul_over_sum(const Tensor& out, const Tensor& a, const Tensor& b, bool accumulate) {
  if (widens(a)) return rounded(out, accumulate, a, b, [](const Tensor& wide, const Tensor& x, const Tensor& y) { matmul_over_sum(wide, x, y); });
  if (!one_dnn(a) || a.size(1) == 0) return product(out, a, b, accumulate);
  const Parts part(a.size(1));
  int64_t at = 0;
  for (const int64_t terms : {part.coarse, part.fine}) {
    if (terms) product(out, a.slice(1, at, at + terms), b.slice(0, at, at + terms), accumulate || at > 0);
    at += terms;
  }
  if (part.rest == 0) return;
  const Tensor left = at::zeros({part.padded, a.size(0)}, a.options()), right = at::zeros({part.padded, b.size(1)}, b.options());
  left.slice(0, 0, part.rest).copy_(a.slice(1, at).t());
  right.slice(0, 0, part.rest).copy_(b.slice(0, at));
  product(out, left.t(), right, accumulate || at > 0);
}

}  // namespace clha
