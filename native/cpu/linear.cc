// Linear layers: x [T, in], weight [out, in], bias [out] -> [T, out], and the matrix products of all own operators.
//
// f32 and bf16 on a CPU go to oneDNN where libtorch has it: its generated code uses the whole vector width on every x86
// maker, where the BLAS of the wheel takes a half-width path on some.
//
// Mixed precision: x in bf16, the weight in f32. The weight is rounded for the product, which comes out rounded once (as
// under autocast) and is widened; the weight's gradient is added up in f32. Frozen, the weight needs no input kept. On a GPU the
// product stays in bf16, which what follows reads in half the time.
#include "cpu/matmul.h"

#include <ATen/ops/addmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "runtime/accumulate.h"
#include "cuda/kernels.h"
#include "cpu/few_rows.h"

namespace at::native {
// Weak: a libtorch without oneDNN lacks it.
__attribute__((weak)) void mkldnn_matmul(const Tensor& mat1, const Tensor& mat2, const Tensor& result, float beta, float alpha);
}  // namespace at::native

namespace clha {
namespace {

using at::Tensor;

constexpr int64_t kFewRowsThere = 2;

bool has_one_dnn() { return &at::native::mkldnn_matmul != nullptr; }

// Without instructions of its own bf16 is emulated, at a third of the rate of f32.
bool has_bf16() {
#ifdef __x86_64__
  return has_one_dnn() && __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

bool one_dnn(const Tensor& a) {
  return a.device().is_cpu() && (a.scalar_type() == at::kFloat ? has_one_dnn() : a.scalar_type() == at::kBFloat16 && has_bf16());
}

// `out` may be wider than a and b: the product is rounded to their type, and added up in its own. The same numbers come out
// where bf16 has to be multiplied as f32, but for the order of sums.
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
  } else if (a.scalar_type() == at::kBFloat16 && a.device().is_cpu() && !accumulate && !has_bf16()) {
    const Tensor wide = at::empty(out.sizes(), a.options().dtype(at::kFloat));
    product(wide, a.to(at::kFloat), b.to(at::kFloat), false);
    out.copy_(wide);
  } else if (one_dnn(a) && a.numel() > 0 && b.numel() > 0) {
    at::native::mkldnn_matmul(a, b, out, accumulate ? 1.0f : 0.0f, 1.0f);
  } else if (accumulate) {
    at::addmm_out(const_cast<Tensor&>(out), out, a, b);
  } else {
    at::mm_out(const_cast<Tensor&>(out), a, b);
  }
}

struct Linear : public torch::autograd::Function<Linear> {
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& x, const Tensor& weight, const std::optional<Tensor>& bias) {
    ctx->save_for_backward({weight.requires_grad() ? x : Tensor(), weight});
    ctx->saved_data["bias"] = bias.has_value();
    ctx->saved_data["type"] = x.scalar_type();
    Tensor y = at::empty({x.size(0), weight.size(0)}, x.device().is_cpu() ? weight.options() : x.options());
    if (bias) y.copy_(bias->expand_as(y));
    matmul_over_rows(y, x, weight.to(x.scalar_type()).t(), bias.has_value());
    return y;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1];
    const auto type = ctx->saved_data["type"].toScalarType();
    const Tensor wide = grads[0].contiguous(), dy = wide.to(type);
    Tensor dx, dw, db;
    if (ctx->needs_input_grad(0)) {
      dx = at::empty({dy.size(0), weight.size(1)}, dy.options());
      matmul_over_rows(dx, dy, weight.to(type));
    }
    if (ctx->needs_input_grad(1)) {
      const auto sum = sum_of(weight);
      if (!sum) dw = at::empty(weight.sizes(), weight.options());
      matmul_over_sum(sum ? sum->grad : dw, dy.t(), x, sum && !sum->fresh);
    }
    if (ctx->saved_data["bias"].toBool() && ctx->needs_input_grad(2)) db = wide.sum(0);
    return {dx, dw, db};
  }
};

// A GPU decodes a token at the speed at which it reads the weights.
bool few_rows_there(const Tensor& x, const Tensor& weight, const std::optional<Tensor>& bias) {
  return x.device().is_cuda() && !bias && x.size(0) > 0 && x.size(0) <= kFewRowsThere && x.scalar_type() == weight.scalar_type() &&
         kernel_type(x.scalar_type()) && x.size(1) % 8 == 0 && weight.is_contiguous() && !(at::GradMode::is_enabled() && x.requires_grad()) &&
         has_cuda_kernels(x) && in_fours(weight);
}

Tensor few_rows_product_there(const Tensor& x_in, const Tensor& weight) {
  const Tensor x = x_in.contiguous(), y = at::empty({x.size(0), weight.size(0)}, x.options());
  const std::string name = std::string(x.size(0) == 1 ? "few_rows_1_" : "few_rows_2_") + kernel_type(x.scalar_type());
  launch(name, x, (weight.size(0) + 7) / 8, 0, x.const_data_ptr(), weight.const_data_ptr(), y.mutable_data_ptr(), static_cast<int>(x.size(0)),
         static_cast<int>(weight.size(0)), static_cast<int>(x.size(1)));
  return y;
}

Tensor linear(const Tensor& x, const Tensor& weight, const std::optional<Tensor>& bias) {
  TORCH_CHECK(x.dim() == 2 && weight.dim() == 2 && x.size(1) == weight.size(1) && (!bias || bias->sizes() == weight.sizes().slice(0, 1)),
              "linear: x [T, in], weight [out, in], bias [out], found ", x.sizes(), ", ", weight.sizes());
  const bool mixed = x.scalar_type() == at::kBFloat16 && weight.scalar_type() == at::kFloat;
  TORCH_CHECK((mixed || x.scalar_type() == weight.scalar_type()) && x.device() == weight.device() &&
                  (!bias || bias->device() == x.device()),
              "linear: x, weight and bias differ in dtype or device");
  const bool own = x.device().is_cpu() ? mixed || (x.scalar_type() == at::kFloat && has_one_dnn())
                                       : mixed || (x.device().is_cuda() && weight.requires_grad());
  if (own && x.numel() > 0) return Linear::apply(x, weight, bias);
  if (few_rows_there(x, weight, bias)) return few_rows_product_there(x, weight);
  const Tensor y = at::linear(x, weight.to(x.scalar_type()), bias ? std::make_optional(bias->to(x.scalar_type())) : bias);
  return x.device().is_cpu() ? y.to(weight.scalar_type()) : y;
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
  if (!one_dnn(a)) return product(out, a, b, accumulate);
  if (a.scalar_type() == at::kFloat && a.size(0) <= kFewRows && !accumulate && a.stride(1) == 1 && b.stride(0) == 1) {
    return few_rows_product<float>({a.const_data_ptr<float>(), b.const_data_ptr<float>(), out.data_ptr<float>(), a.size(0), b.size(1),
                             a.size(1), a.stride(0), b.stride(1), out.size(1)});
  }
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

TORCH_LIBRARY_FRAGMENT(clha, m) { m.def("linear(Tensor x, Tensor weight, Tensor? bias=None) -> Tensor"); }
TORCH_LIBRARY_IMPL(clha, CompositeImplicitAutograd, m) { m.impl("linear", clha::linear); }
