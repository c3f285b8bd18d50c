// Linear layers: x [T, in], weight [out, in], bias [out] -> [T, out], and the matrix products of all own operators.
//
// f32 on a CPU goes to oneDNN where libtorch has it: its generated code uses the whole vector width on every x86 maker,
// where the BLAS of the wheel takes a half-width path on some.
#include "matmul.h"

#include <ATen/ops/addmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

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

constexpr int64_t kTokens = 64;

struct Linear : public torch::autograd::Function<Linear> {
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& x, const Tensor& weight, const std::optional<Tensor>& bias) {
    ctx->save_for_backward({x, weight});
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
    if (ctx->needs_input_grad(0)) matmul_over_rows(dx = at::empty(x.sizes(), x.options()), dy, weight);
    if (ctx->needs_input_grad(1)) matmul_over_sum(dw = at::empty(weight.sizes(), weight.options()), dy.t(), x);
    if (ctx->saved_data["bias"].toBool() && ctx->needs_input_grad(2)) db = dy.sum(0);
    return {dx, dw, db};
  }
};

Tensor linear(const Tensor& x, const Tensor& weight, const std::optional<Tensor>& bias) {
  TORCH_CHECK(x.dim() == 2 && weight.dim() == 2 && x.size(1) == weight.size(1) && (!bias || bias->sizes() == weight.sizes().slice(0, 1)),
              "linear: x [T, in], weight [out, in], bias [out], found ", x.sizes(), ", ", weight.sizes());
  TORCH_CHECK(x.scalar_type() == weight.scalar_type() && x.device() == weight.device(), "linear: x and weight differ in dtype or device");
  return one_dnn(x) && x.numel() > 0 ? Linear::apply(x, weight, bias) : at::linear(x, weight, bias);
}

}  // namespace

// oneDNN generates code and keeps buffers for every size it meets. Token counts differ from step to step, so a product is
// taken in a part of a multiple of 64 tokens and a rest: few sizes, flat memory.
void matmul_over_rows(const Tensor& out, const Tensor& a, const Tensor& b, bool accumulate) {
  const int64_t rows = a.size(0), main = rows - rows % kTokens;
  if (!one_dnn(out) || main == 0 || main == rows) return product(out, a, b, accumulate);
  product(out.slice(0, 0, main), a.slice(0, 0, main), b, accumulate);
  product(out.slice(0, main), a.slice(0, main), b, accumulate);
}

void matmul_over_sum(const Tensor& out, const Tensor& a, const Tensor& b, bool accumulate) {
  const int64_t terms = a.size(1), main = terms - terms % kTokens;
  if (!one_dnn(out) || main == 0 || main == terms) return product(out, a, b, accumulate);
  product(out, a.slice(1, 0, main), b.slice(0, 0, main), accumulate);
  product(out, a.slice(1, main), b.slice(0, main), true);
}

}  // namespace clha

TORCH_LIBRARY_FRAGMENT(clha, m) { m.def("linear(Tensor x, Tensor weight, Tensor? bias=None) -> Tensor"); }
TORCH_LIBRARY_IMPL(clha, CompositeImplicitAutograd, m) { m.impl("linear", clha::linear); }
