// Log-probabilities of targets in chunks, from plain operators: no step waits for the device, nothing of [rows, vocabulary] is kept.
// The backward pass computes the logits again, chunk by chunk: four matrix products in all, three with a frozen head.
#include "chunked_logprob.h"

#include <algorithm>

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

namespace clha {
namespace {

using at::Tensor;

at::ScalarType wide_type(const Tensor& t) { return t.scalar_type() == at::kDouble ? at::kDouble : at::kFloat; }

// [r, D] -> [r, V], capped, in the wide type
Tensor logits_of(const Tensor& hidden, const Tensor& weight, const std::optional<Tensor>& bias, double softcap) {
  const Tensor logits = at::linear(hidden, weight, bias).to(wide_type(hidden));
  return softcap > 0 ? (logits / softcap).tanh_().mul_(softcap) : logits;
}

// Adds up parts of a gradient: in the wide type where there are several, since half-precision sums lose what is small.
class Sum {
 public:
  Sum(const Tensor& like, bool alone) : like_(like), wide_(alone ? like.scalar_type() : wide_type(like)) {}
  void add(const Tensor& part) { total_.defined() ? total_.add_(part) : total_ = part.to(wide_); }
  Tensor get() const { return total_.defined() ? total_.to(like_.scalar_type()) : at::zeros(like_.sizes(), like_.options()); }

 private:
  const Tensor& like_;
  at::ScalarType wide_;
  Tensor total_;
};

struct ChunkedLogProb : public torch::autograd::Function<ChunkedLogProb> {
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext* ctx, const Tensor& hidden, const Tensor& weight,
                                                const Tensor& targets, const std::optional<Tensor>& bias, int64_t chunk_elements,
                                                double softcap) {
    const int64_t rows = hidden.size(0), chunk = std::max<int64_t>(1, chunk_elements / std::max<int64_t>(1, weight.size(0)));
    const Tensor logp = at::empty({rows}, hidden.options().dtype(wide_type(hidden))), lse = at::empty_like(logp);
    const Tensor hit = at::empty({rows}, hidden.options().dtype(at::kBool));
    for (int64_t at = 0; at < rows; at += chunk) {
      const int64_t end = std::min(rows, at + chunk);
      const Tensor logits = logits_of(hidden.slice(0, at, end), weight, bias, softcap);
      const Tensor picked = logits.gather(1, targets.slice(0, at, end).unsqueeze(1)).squeeze(1), top = logits.amax(1);
      const Tensor sum = (logits - top.unsqueeze(1)).exp_().sum(1).log_().add_(top);
      lse.slice(0, at, end).copy_(sum);
      logp.slice(0, at, end).copy_(picked - sum);
      hit.slice(0, at, end).copy_(picked.eq(top));
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
    const Tensor &hidden = saved[0], &weight = saved[1], &targets = saved[2], &lse = saved[4];
    const auto bias = saved[3].defined() ? std::make_optional(saved[3]) : std::nullopt;
    const int64_t rows = hidden.size(0), chunk = ctx->saved_data["chunk"].toInt();
    const double softcap = ctx->saved_data["softcap"].toDouble();
    const bool alone = chunk >= rows;
    Sum dweight(weight, alone), dbias(bias ? *bias : weight, alone);
    Tensor dhidden;
    if (ctx->needs_input_grad(0)) dhidden = at::empty(hidden.sizes(), hidden.options());
    for (int64_t at = 0; at < rows; at += chunk) {
      const int64_t end = std::min(rows, at + chunk);
      const Tensor h = hidden.slice(0, at, end), g = grads[0].slice(0, at, end), logits = logits_of(h, weight, bias, softcap);
      Tensor d = (logits - lse.slice(0, at, end).unsqueeze(1)).exp_().mul_(g.neg().unsqueeze(1));
      d.index_put_({at::arange(end - at, targets.options()), targets.slice(0, at, end)}, g, /*accumulate=*/true);
      if (softcap > 0) d.mul_(1 - (logits / softcap).square_());
      if (bias && ctx->needs_input_grad(3)) dbias.add(d.sum(0));
      d = d.to(weight.scalar_type());
      if (dhidden.defined()) dhidden.slice(0, at, end).copy_(d.mm(weight));
      if (ctx->needs_input_grad(1)) dweight.add(d.t().mm(h));
    }
    return {dhidden, ctx->needs_input_grad(1) ? dweight.get() : Tensor(), Tensor(),
            bias && ctx->needs_input_grad(3) ? dbias.get() : Tensor(), Tensor(), Tensor()};
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
