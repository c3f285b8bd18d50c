// Log-probabilities of targets in chunks on other devices than the CPU: no step waits for the device, nothing of [rows,
// vocabulary] is kept. The backward pass computes the logits again, chunk by chunk: four matrix products in all, three with a frozen head.
#include "cuda/chunked_logprob.h"

#include <algorithm>
#include <utility>

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "runtime/accumulate.h"
#include "cuda/kernels.h"
#include "linear/products.h"

namespace clha {
namespace {

using at::Tensor;

at::ScalarType wide_type(const Tensor& t) { return t.scalar_type() == at::kDouble ? at::kDouble : at::kFloat; }

// The weight's gradient, chunk by chunk: in place where it is kept, else in the wide type where there are several chunks, since
// half-precision sums lose what is small.
class WeightSum {
 public:
  WeightSum(const Tensor& like, bool alone) : like_(like), kept_(sum_of(like)), wide_(alone ? like.scalar_type() : wide_type(like)) {}
  void add(const Tensor& left, const Tensor& right) {
    if (kept_) {
      matmul_over_sum(kept_->grad, left, right, !std::exchange(kept_->fresh, false));
    } else {
      const bool first = !total_.defined();
      if (first) total_ = at::empty(like_.sizes(), like_.options().dtype(wide_));
      matmul_over_sum(total_, left, right, !first);
    }
  }
  Tensor get() const {
    if (kept_) return Tensor();
    return total_.defined() ? total_.to(like_.scalar_type()) : at::zeros(like_.sizes(), like_.options());
  }

 private:
  const Tensor& like_;
  std::optional<Sum> kept_;
  at::ScalarType wide_;
  Tensor total_;
};

// Logits of one chunk after another, and what is made of them: by a kernel of ours where there is one.
class Head {
 public:
  // A weight wider than `hidden` is rounded to its type, as linear does.
  Head(const Tensor& hidden, const Tensor& weight, const std::optional<Tensor>& bias, double softcap)
      : weight_(weight.to(hidden.scalar_type())), softcap_(softcap), type_(has_cuda_kernels(hidden) ? kernel_type(hidden.scalar_type()) : nullptr) {
    if (bias) bias_ = bias->to(hidden.scalar_type());
  }
  const Tensor& weight() const { return weight_; }

  // hidden [r, D], targets [r] -> logp and lse [r], hit [r] bool
  void forward(const Tensor& hidden, const Tensor& targets, const Tensor& logp, const Tensor& lse, const Tensor& hit) const {
    const Tensor raw = at::linear(hidden, weight_, bias_);
    if (type_) {
      launch(std::string("log_prob_") + type_, raw, raw.size(0), 0, raw.const_data_ptr(), targets.const_data_ptr(), logp.mutable_data_ptr(),
             lse.mutable_data_ptr(), hit.mutable_data_ptr(), static_cast<int>(raw.size(1)), static_cast<float>(softcap_));
      return;
    }
    const Tensor logits = capped(raw), picked = logits.gather(1, targets.unsqueeze(1)).squeeze(1), top = logits.amax(1);
    lse.copy_((logits - top.unsqueeze(1)).exp_().sum(1).log_().add_(top));
    logp.copy_(picked - lse);
    hit.copy_(picked.eq(top));
  }

  // Gradients of the logits, [r, V] in the type of `hidden`; grad [r]
  Tensor backward(const Tensor& hidden, const Tensor& targets, const Tensor& lse, const Tensor& grad) const {
    const Tensor raw = at::linear(hidden, weight_, bias_);
    if (type_) {
      launch(std::string("log_prob_backward_") + type_, raw, raw.size(0), 0, raw.mutable_data_ptr(), targets.const_data_ptr(),
             lse.const_data_ptr(), grad.const_data_ptr(), static_cast<int>(raw.size(1)), static_cast<float>(softcap_));
      return raw;
    }
    const Tensor logits = capped(raw);
    Tensor d = (logits - lse.unsqueeze(1)).exp_().mul_(grad.neg().unsqueeze(1));
    d.index_put_({at::arange(raw.size(0), targets.options()), targets}, grad, /*accumulate=*/true);
    if (softcap_ > 0) d.mul_(1 - (logits / softcap_).square_());
    return d.to(hidden.scalar_type());
  }

 private:
  Tensor capped(const Tensor& raw) const {
    const Tensor logits = raw.to(wide_type(raw));
    return softcap_ > 0 ? (logits / softcap_).tanh_().mul_(softcap_) : logits;
  }
  Tensor weight_;
  std::optional<Tensor> bias_;
  double softcap_;
  const char* type_;
};

struct ChunkedLogProb : public torch::autograd::Function<ChunkedLogProb> {
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext* ctx, const Tensor& hidden_in, const Tensor& weight,
                                                const Tensor& targets, const std::optional<Tensor>& bias, int64_t chunk_elements,
                                                double softcap) {
    const Tensor hidden = hidden_in.contiguous();
    const int64_t rows = hidden.size(0), chunk = std::max<int64_t>(1, chunk_elements / std::max<int64_t>(1, weight.size(0)));
    const Tensor logp = at::empty({rows}, hidden.options().dtype(wide_type(hidden))), lse = at::empty_like(logp);
    const Tensor hit = at::empty({rows}, hidden.options().dtype(at::kBool));
    const Head head(hidden, weight, bias, softcap);
    for (int64_t at = 0; at < rows; at += chunk) {
      const auto part = [&](const Tensor& t) { return t.slice(0, at, std::min(rows, at + chunk)); };
      head.forward(part(hidden), part(targets), part(logp), part(lse), part(hit));
    }
    ctx->save_for_backward({hidden, weight, targets, bias.value_or(Tensor()), lse});
    ctx->saved_data["chunk"] = chunk;
    ctx->saved_data["softcap"] = softcap;
    ctx->mark_non_differentiable({hit});
    return {logp, hit};
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::variable_list grads) {
    if (!grads[0].defined()) return torch::autograd::variable_list(6);
    const auto saved = ctx->get_saved_variables();
    const Tensor &hidden = saved[0], &weight = saved[1], &targets = saved[2], &lse = saved[4], grad = grads[0].contiguous();
    const auto bias = saved[3].defined() ? std::make_optional(saved[3]) : std::nullopt;
    const int64_t rows = hidden.size(0), chunk = ctx->saved_data["chunk"].toInt();
    const Head head(hidden, weight, bias, ctx->saved_data["softcap"].toDouble());
    Tensor dhidden, dbias;
    if (ctx->needs_input_grad(0)) dhidden = at::empty(hidden.sizes(), hidden.options());
    if (bias && ctx->needs_input_grad(3)) dbias = at::zeros(bias->sizes(), bias->options().dtype(wide_type(*bias)));
    std::optional<WeightSum> dweight;
    if (ctx->needs_input_grad(1)) dweight.emplace(weight, chunk >= rows);
    for (int64_t at = 0; at < rows; at += chunk) {
      const auto part = [&](const Tensor& t) { return t.slice(0, at, std::min(rows, at + chunk)); };
      const Tensor h = part(hidden), d = head.backward(h, part(targets), part(lse), part(grad));
      if (dbias.defined()) dbias.add_(d.sum(0));
      if (dhidden.defined()) matmul_over_rows(part(dhidden), d, head.weight());
      if (dweight) dweight->add(d.t(), h);
    }
    return {dhidden, dweight ? dweight->get() : Tensor(), Tensor(), dbias.defined() ? dbias.to(bias->scalar_type()) : dbias, Tensor(), Tensor()};
  }
};

std::tuple<Tensor, Tensor> chunked(const Tensor& hidden, const Tensor& weight, const Tensor& targets, int64_t chunk_elements,
                                   const std::optional<Tensor>& bias, double softcap) {
  return chunked_log_prob(hidden, weight, targets, chunk_elements, bias, softcap);
}

}  // namespace

std::tuple<Tensor, Tensor> chunked_log_prob(const Tensor& hidden, const Tensor& weight, const Tensor& targets, int64_t chunk_elements,
                                            const std::optional<Tensor>& bias, double softcap) {
  const auto out = ChunkedLogProb::apply(hidden, weight, targets, bias, chunk_elements, softcap);
  return {out[0], out[1]};
}

}  // namespace clha

TORCH_LIBRARY_FRAGMENT(clha, m) {
  m.def(
      "linear_log_prob_chunked(Tensor hidden, Tensor weight, Tensor targets, int chunk_elements=33554432, Tensor? bias=None, "
      "float softcap=0.0) -> (Tensor logp, Tensor hit)");
}
TORCH_LIBRARY_IMPL(clha, CompositeImplicitAutograd, m) { m.impl("linear_log_prob_chunked", clha::chunked); }
