// Linear layers: x [T, in], weight [out, in], bias [out] -> [T, out].
//
// Mixed precision: x in bf16, the weight in f32. The weight is rounded for the product, which comes out rounded once (as
// under autocast) and is widened; the weight's gradient is added up in f32. Frozen, the weight needs no input kept. On a GPU the
// product stays in bf16, which what follows reads in half the time.
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "runtime/accumulate.h"
#include "cuda/kernels.h"
#include "linear/products.h"

namespace clha {
namespace {

using at::Tensor;

constexpr int64_t kFewRowsThere = 2;

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
  const bool own = x.device().is_cpu() ? x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16
                                       : mixed || (x.device().is_cuda() && weight.requires_grad());
  if (own && x.numel() > 0) return Linear::apply(x, weight, bias);
  if (few_rows_there(x, weight, bias)) return few_rows_product_there(x, weight);
  const Tensor y = at::linear(x, weight.to(x.scalar_type()), bias ? std::make_optional(bias->to(x.scalar_type())) : bias);
  return x.device().is_cpu() ? y.to(weight.scalar_type()) : y;
}

}  // namespace

}  // namespace clha

TORCH_LIBRARY_FRAGMENT(clha, m) { m.def("linear(Tensor x, Tensor weight, Tensor? bias=None) -> Tensor"); }
TORCH_LIBRARY_IMPL(clha, CompositeImplicitAutograd, m) { m.impl("linear", clha::linear); }
