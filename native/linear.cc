// Linear layers: x [T, in], weight [out, in], bias [out] -> [T, out], and the matrix products of all own operators.
//
// f32 on a CPU goes to oneDNN where libtorch has it: its generated code uses the whole vector width on every x86 maker,
// where the BLAS of the wheel takes a half-width path on some.
#include "matmul.h"

#include <ATen/ops/addmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "accumulate.h"
#include "few_rows.h"

namespace at::native {
// Weak: a libtorch without oneDNN lacks it.
__attribute__((weak)) void mkldnn_matmul(const Tensor& mat1, const Tensor& mat2, const Tensor& result, float beta, float alpha);
}  // namespace at::native

namespace clha {
namespace {

using at::Tensor;

bool one_dnn(const Tensor& t) {
  return &at::native::mkldnn_matmul != nullptr && t.device().is_cpu() && t.scalar_type() == at::kFloat;
}

void product(const Tensor& out, const Tensor& a, const Tensor& b, bool accumulate) {
  if (one_dnn(out) && a.numel() > 0 && b.numel() > 0) {
    at::native::mkldnn_matmul(a, b, out, accumulate ? 1.0f : 0.0f, 1.0f);
  } else if (accumulate) {
    at::addmm_out(const_cast<Tensor&>(out), out, a, b);
  } else {
    at::mm_out(const_cast<Tensor&>(out), a, b);
  }
}

struct Linear : public torch::autograd::Function<Linear> {
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& x, const Tensor& weight, const std::optional<Tensor>& bias) {
    ctx->save_for_backward({weight.requires_grad() ? x : Tensor(), weight});  // a frozen weight needs no input
    ctx->saved_data["bias"] = bias.has_value();
    Tensor y = at::empty({x.size(0), weight.size(0)}, x.options());
    if (bias) y.copy_(bias->expand_as(y));
    matmul_over_rows(y, x, weight.t(), bias.has_value());
    return y;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1];
    const Tensor dy = grads[0].contiguous();
    Tensor dx, dw, db;
    if (ctx->needs_input_grad(0)) matmul_over_rows(dx = at::empty({dy.size(0), weight.size(1)}, dy.options()), dy, weight);
    if (ctx->needs_input_grad(1)) {
      const auto sum = sum_of(weight);
      if (!sum) dw = at::empty(weight.sizes(), weight.options());
      matmul_over_sum(sum ? sum->grad : dw, dy.t(), x, sum && !sum->fresh);
    }
    if (ctx->saved_data["bias"].toBool() && ctx->needs_input_grad(2)) db = dy.sum(0);
    return {dx, dw, db};
  }
};

Tensor linear(const Tensor& x, const Tensor& weight, const std::optional<Tensor>& bias) {
  TORCH_CHECK(x.dim() == 2 && weight.dim() == 2 && x.size(1) == weight.size(1) && (!bias || bias->sizes() == weight.sizes().slice(0, 1)),
              "linear: x [T, in], weight [out, in], bias [out], found ", x.sizes(), ", ", weight.sizes());
  TORCH_CHECK(x.scalar_type() == weight.scalar_type() && x.device() == weight.device() && (!bias || bias->device() == x.device()),
              "linear: x, weight and bias differ in dtype or device");
  return one_dnn(x) && x.numel() > 0 ? Linear::apply(x, weight, bias) : at::linear(x, weight, bias);
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
  if (!one_dnn(out)) return product(out, a, b, accumulate);
  if (a.size(0) <= kFewRows && !accumulate && a.stride(1) == 1 && b.stride(0) == 1) {
    return few_rows_product({a.const_data_ptr<float>(), b.const_data_ptr<float>(), out.data_ptr<float>(), a.size(0), b.size(1),
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
  if (!one_dnn(out) || a.size(1) == 0) return product(out, a, b, accumulate);
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
