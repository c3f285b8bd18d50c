// libtorch's fused AdamW behind a check: its kernel trusts that all tensors of a parameter have one size and layout.
// Devices that it has no kernel for get the same update from plain operators.
#include <vector>

#include <ATen/TensorOperators.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/pow.h>
#include <torch/library.h>

namespace clha {
namespace {

using at::Tensor;
using at::TensorList;

void check_list(TensorList list, TensorList parameters, const char* name) {
  TORCH_CHECK(list.size() == parameters.size(), "fused_adamw: ", list.size(), " ", name, " for ", parameters.size(), " parameters");
  for (size_t i = 0; i < list.size(); i++) {
    const Tensor &t = list[i], &p = parameters[i];
    TORCH_CHECK(t.sizes() == p.sizes() && t.scalar_type() == p.scalar_type() && t.device() == p.device() && t.layout() == at::kStrided, "fused_adamw: ", name, " ", i,
                " is ", t.scalar_type(), " ", t.sizes(), ", its parameter ", p.scalar_type(), " ", p.sizes());
  }
}

void check_contiguous(TensorList list, const char* name) {
  for (size_t i = 0; i < list.size(); i++) TORCH_CHECK(list[i].is_contiguous(), "fused_adamw: ", name, " ", i, " is not contiguous");
}

void check_scalar(const Tensor& t, const char* name) {
  TORCH_CHECK(t.numel() == 1 && t.scalar_type() == at::kFloat && t.layout() == at::kStrided, "fused_adamw: ", name, " must be one f32");
}

// One update of each parameter, step counts included already; nothing waits for a device.
void composed_adamw(TensorList parameters, TensorList grads, TensorList means, TensorList squares, TensorList steps, double lr, double beta1,
              double beta2, double weight_decay, double eps) {
  for (size_t i = 0; i < parameters.size(); i++) {
    const Tensor &p = parameters[i], &g = grads[i], &m = means[i], &v = squares[i];
    const Tensor first = 1 - at::pow(beta1, steps[i]), second = (1 - at::pow(beta2, steps[i])).sqrt();
    p.mul_(1 - lr * weight_decay);
    m.lerp_(g, 1 - beta1);
    v.mul_(beta2).addcmul_(g, g, 1 - beta2);
    p.sub_(m / ((v.sqrt() / second + eps) * first) * lr);
  }
}

void fused_adamw_composed(TensorList parameters, TensorList grads, TensorList means, TensorList squares, TensorList steps, double lr,
                          double beta1, double beta2, double weight_decay, double eps) {
  check_list(grads, parameters, "gradients");
  check_list(means, parameters, "exp_avgs");
  check_list(squares, parameters, "exp_avg_sqs");
  TORCH_CHECK(steps.size() == parameters.size(), "fused_adamw: ", steps.size(), " steps for ", parameters.size(), " parameters");
  composed_adamw(parameters, grads, means, squares, steps, lr, beta1, beta2, weight_decay, eps);
}

void fused_adamw(TensorList parameters, TensorList grads, TensorList means, TensorList squares, TensorList max_squares,
                 TensorList steps, double lr, double beta1, double beta2, double weight_decay, double eps, bool amsgrad,
                 bool maximize, const std::optional<Tensor>& grad_scale, const std::optional<Tensor>& found_inf) {
  for (const Tensor& p : parameters) TORCH_CHECK(p.is_floating_point(), "fused_adamw: a parameter is ", p.scalar_type());
  check_list(grads, parameters, "gradients");
  check_list(means, parameters, "exp_avgs");
  check_list(squares, parameters, "exp_avg_sqs");
  if (amsgrad) check_list(max_squares, parameters, "max_exp_avg_sqs");
  else TORCH_CHECK(max_squares.empty(), "fused_adamw: max_exp_avg_sqs without amsgrad");
  check_contiguous(parameters, "parameter");
  check_contiguous(means, "exp_avg");
  check_contiguous(squares, "exp_avg_sq");
  check_contiguous(max_squares, "max_exp_avg_sq");
  TORCH_CHECK(steps.size() == parameters.size(), "fused_adamw: ", steps.size(), " steps for ", parameters.size(), " parameters");
  for (const Tensor& s : steps) check_scalar(s, "a step count");
  if (grad_scale) check_scalar(*grad_scale, "grad_scale");
  if (found_inf) check_scalar(*found_inf, "found_inf");
  if (parameters.empty()) return;
  const auto device = parameters[0].device();
  for (size_t i = 0; i < parameters.size(); i++)
    TORCH_CHECK(parameters[i].device() == device && steps[i].device() == device, "fused_adamw: parameters and step counts are on different devices");
  if (!device.is_cpu() && !device.is_cuda() && !device.is_mps()) {
    TORCH_CHECK(!amsgrad && !maximize && !grad_scale && !found_inf, "fused_adamw: ", device, " has plain AdamW only");
    return composed_adamw(parameters, grads, means, squares, steps, lr, beta1, beta2, weight_decay, eps);
  }
  std::vector<Tensor> own;
  own.reserve(grads.size());
  for (const Tensor& g : grads) own.push_back(g.contiguous());
  at::_fused_adamw_(parameters, own, means, squares, max_squares, steps, lr, beta1, beta2, weight_decay, eps, amsgrad, maximize,
                    grad_scale, found_inf);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(clha, m) {
  m.def(
      "fused_adamw_(Tensor(a!)[] self, Tensor[] grads, Tensor(b!)[] exp_avgs, Tensor(c!)[] exp_avg_sqs, "
      "Tensor(d!)[] max_exp_avg_sqs, Tensor[] state_steps, *, float lr, float beta1, float beta2, float weight_decay, "
      "float eps, bool amsgrad, bool maximize, Tensor? grad_scale=None, Tensor? found_inf=None) -> ()");
  m.def(
      "fused_adamw_composed_(Tensor(a!)[] self, Tensor[] grads, Tensor(b!)[] exp_avgs, Tensor(c!)[] exp_avg_sqs, "
      "Tensor[] state_steps, *, float lr, float beta1, float beta2, float weight_decay, float eps) -> ()");
}
TORCH_LIBRARY_IMPL(clha, CompositeImplicitAutograd, m) { 
  m.impl("fused_adamw_", fused_adamw);
  m.impl("fused_adamw_composed_", fused_adamw_composed);
}

}  // namespace clha
