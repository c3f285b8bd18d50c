// Log-probabilities of target tokens from hidden rows and the LM head, without ever building [rows, vocabulary] at once.
//
// hidden [R, D], weight [V, D], targets [R] i64 -> logp [R] (f32, or f64 for f64 input), hit [R] bool (target is the argmax).
// logits = hidden weight^T + bias [V], then softcap * tanh(logits / softcap) where softcap is not 0 (Gemma 2).
// Rows go through the head in chunks. Under autograd the exponentials of a chunk (with a soft cap: its logits) are kept as far as
// `keep_bytes` go (three matrix products in all), the others are computed again in the backward pass (four). What needs no
// gradient costs none: with a frozen head there are two.
#include <algorithm>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "runtime/accumulate.h"
#include "cuda/chunked_logprob.h"
#include "cpu/loops.h"
#include "linear/products.h"

namespace clha {
namespace {

using at::Tensor;

constexpr int64_t kChunkElements = 16 << 20;  // logits of a chunk: 64 MiB in f32

int64_t chunk_rows(int64_t rows, int64_t vocabulary) {
  const int64_t fit = std::max<int64_t>(16, kChunkElements / std::max<int64_t>(1, vocabulary));
  return std::min(rows, fit < 64 ? fit : fit / 64 * 64);
}

using RowsLoop = void (*RealLoops<float>::*)(const Targets<float>&, int64_t, int64_t);
using RowsLoop64 = void (*RealLoops<double>::*)(const Targets<double>&, int64_t, int64_t);

// One chunk of logits [r, V] and what belongs to its rows; what a loop does not need is left out.
struct Chunk {
  Tensor logits, targets, logp, lse, hit, grad;
  double softcap;
  bool exponentials;
};

template <typename T>
T* data_of(const Tensor& t) {
  return t.defined() ? t.data_ptr<T>() : nullptr;
}

template <typename T>
void over_rows(const Chunk& c, void (*loop)(const Targets<T>&, int64_t, int64_t)) {
  const Targets<T> targets{data_of<T>(c.logits), c.targets.const_data_ptr<int64_t>(), c.logits.size(1), static_cast<T>(c.softcap), c.exponentials,
                           data_of<T>(c.logp), data_of<T>(c.lse), data_of<bool>(c.hit), data_of<T>(c.grad)};
  at::parallel_for(0, c.logits.size(0), 1, [&](int64_t begin, int64_t end) { loop(targets, begin, end); });
}

void over_rows(const Chunk& c, RowsLoop f32, RowsLoop64 f64) {
  if (c.logits.scalar_type() == at::kDouble) over_rows<double>(c, loops().f64.*f64);
  else over_rows<float>(c, loops().f32.*f32);
}

void compute_logits(const Tensor& logits, const Tensor& hidden, const Tensor& weight, const Tensor& bias) {
  if (bias.defined()) logits.copy_(bias.expand_as(logits));
  matmul_over_rows(logits, hidden, weight.t(), bias.defined());
}

struct LinearLogProb : public torch::autograd::Function<LinearLogProb> {
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext* ctx, const Tensor& hidden_in,
                                                const Tensor& weight, const Tensor& targets, const std::optional<Tensor>& head_bias,
                                                int64_t keep_bytes, double softcap) {
    const Tensor hidden = hidden_in.contiguous(), bias = head_bias.value_or(Tensor());
    const int64_t rows = hidden.size(0), vocabulary = weight.size(0), chunk = chunk_rows(rows, vocabulary);
    const bool grad = hidden_in.requires_grad() || weight.requires_grad() || (bias.defined() && bias.requires_grad());
    const int64_t row_bytes = vocabulary * static_cast<int64_t>(hidden.element_size());
    const int64_t fit = grad && keep_bytes > 0 ? keep_bytes / row_bytes : 0, keep = fit >= rows ? rows : fit / chunk * chunk;
    const Tensor logp = at::empty({rows}, hidden.options()), lse = at::empty({rows}, hidden.options());
    const Tensor hit = at::empty({rows}, hidden.options().dtype(at::kBool));
    const Tensor kept = at::empty({keep, vocabulary}, hidden.options());
    const Tensor scratch = keep < rows ? at::empty({chunk, vocabulary}, hidden.options()) : Tensor();
    for (int64_t at = 0; at < rows; at += chunk) {
      const int64_t end = std::min(rows, at + chunk);
      const bool keeps = end <= keep, exponentials = keeps && softcap == 0;
      const Tensor logits = keeps ? kept.slice(0, at, end) : scratch.slice(0, 0, end - at), t = targets.slice(0, at, end);
      compute_logits(logits, hidden.slice(0, at, end), weight, bias);
      const auto part = [&](const Tensor& whole) { return whole.slice(0, at, end); };
      over_rows({logits, t, part(logp), part(lse), part(hit), Tensor(), softcap, exponentials}, &RealLoops<float>::read_targets,
                &RealLoops<double>::read_targets);
    }
    if (grad) ctx->save_for_backward({hidden, weight, targets, bias, lse, kept});
    ctx->saved_data["softcap"] = softcap;
    ctx->mark_non_differentiable({hit});
    return {logp, hit};
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::variable_list grads) {
    if (!grads[0].defined()) return torch::autograd::variable_list(6);
    const auto saved = ctx->get_saved_variables();
    const Tensor &hidden = saved[0], &weight = saved[1], &targets = saved[2], &bias = saved[3], &lse = saved[4], &kept = saved[5];
    const double softcap = ctx->saved_data["softcap"].toDouble();
    const Tensor grad = grads[0].contiguous();
    const int64_t rows = hidden.size(0), vocabulary = weight.size(0), chunk = chunk_rows(rows, vocabulary);
    Tensor dhidden, dweight, dbias;
    if (ctx->needs_input_grad(0)) dhidden = at::empty_like(hidden);
    const auto sum = ctx->needs_input_grad(1) && rows ? sum_of(weight) : std::nullopt;
    if (sum) dweight = sum->grad;
    else if (ctx->needs_input_grad(1)) dweight = rows ? at::empty_like(weight) : at::zeros_like(weight);
    if (bias.defined() && ctx->needs_input_grad(3)) dbias = at::zeros_like(bias);
    const Tensor scratch = kept.size(0) < rows ? at::empty({chunk, vocabulary}, hidden.options()) : Tensor();
    for (int64_t at = 0; at < rows; at += chunk) {
      const int64_t end = std::min(rows, at + chunk);
      const Tensor h = hidden.slice(0, at, end), t = targets.slice(0, at, end);
      // what was kept becomes gradients in place: a graph is walked once, the door keeps none
      const bool was_kept = end <= kept.size(0), exponentials = was_kept && softcap == 0;
      const Tensor logits = was_kept ? kept.slice(0, at, end) : scratch.slice(0, 0, end - at);
      const Chunk rows{logits, t, Tensor(), lse.slice(0, at, end), Tensor(), grad.slice(0, at, end), softcap, exponentials};
      if (!was_kept) compute_logits(logits, h, weight, bias);
      if (!was_kept && softcap > 0) over_rows(rows, &RealLoops<float>::cap_logits, &RealLoops<double>::cap_logits);
      over_rows(rows, &RealLoops<float>::to_gradient, &RealLoops<double>::to_gradient);
      if (dhidden.defined()) matmul_over_rows(dhidden.slice(0, at, end), logits, weight);
      if (dweight.defined()) matmul_over_sum(dweight, logits.t(), h, at > 0 || (sum && !sum->fresh));
      if (dbias.defined()) dbias.add_(logits.sum(0));
    }
    return {dhidden, sum ? Tensor() : dweight, Tensor(), dbias, Tensor(), Tensor()};
  }
};

std::tuple<Tensor, Tensor> composed_log_prob(const Tensor& hidden, const Tensor& weight, const Tensor& targets,
                                    const std::optional<Tensor>& bias, double softcap) {
  const auto wide = hidden.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  Tensor logits = at::linear(hidden, weight, bias).to(wide);
  if (softcap > 0) logits = (logits / softcap).tanh() * softcap;
  const Tensor picked = targets.unsqueeze(1);
  const Tensor logp = at::log_softmax(logits, -1).gather(1, picked).squeeze(1);
  return {logp, logits.gather(1, picked).squeeze(1).eq(std::get<0>(logits.max(1)))};
}

std::tuple<Tensor, Tensor> linear_log_prob(const Tensor& hidden, const Tensor& weight, const Tensor& targets, int64_t keep_bytes,
                                           const std::optional<Tensor>& bias, double softcap) {
  TORCH_CHECK(hidden.dim() == 2 && weight.dim() == 2 && hidden.size(1) == weight.size(1) && targets.dim() == 1 &&
                  targets.size(0) == hidden.size(0) && targets.scalar_type() == at::kLong,
              "linear_log_prob: hidden [R, D], weight [V, D], targets [R] i64, found ", hidden.sizes(), ", ", weight.sizes(), ", ", targets.sizes());
  TORCH_CHECK(hidden.device() == weight.device() && hidden.device() == targets.device(),
              "linear_log_prob: hidden, weight and targets are on different devices");
  TORCH_CHECK(!bias || (bias->sizes() == weight.sizes().slice(0, 1) && bias->scalar_type() == weight.scalar_type() &&
                        bias->device() == weight.device()),
              "linear_log_prob: bias must be [V], of the dtype and on the device of weight");
  TORCH_CHECK(softcap == 0 || (softcap >= 1e-6 && softcap <= 1e30),
              "linear_log_prob: softcap must be a positive number (0: none), found ", softcap);
  // Reading a value waits for a device; there its own kernels check the range.
  if (!hidden.device().is_cpu()) return chunked_log_prob(hidden, weight, targets, kDeviceChunkElements, bias, softcap);
  if (targets.numel()) {
    TORCH_CHECK(targets.min().item<int64_t>() >= 0 && targets.max().item<int64_t>() < weight.size(0),
                "linear_log_prob: a target is outside of the vocabulary of ", weight.size(0));
  }
  const bool native = hidden.device().is_cpu() && hidden.scalar_type() == weight.scalar_type() &&
                      (hidden.scalar_type() == at::kFloat || hidden.scalar_type() == at::kDouble);
  if (!native) return composed_log_prob(hidden, weight, targets, bias, softcap);
  // without a backward pass to come there is nothing to keep
  auto out = LinearLogProb::apply(hidden, weight, targets.contiguous(), bias, at::GradMode::is_enabled() ? keep_bytes : -1, softcap);
  return {out[0], out[1]};
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(clha, m) {
  m.def(
      "linear_log_prob(Tensor hidden, Tensor weight, Tensor targets, int keep_bytes=0, Tensor? bias=None, float softcap=0.0)"
      " -> (Tensor logp, Tensor hit)");
  m.def(
      "linear_log_prob_composed(Tensor hidden, Tensor weight, Tensor targets, Tensor? bias=None, float softcap=0.0)"
      " -> (Tensor logp, Tensor hit)");
}
TORCH_LIBRARY_IMPL(clha, CompositeImplicitAutograd, m) {
  m.impl("linear_log_prob", linear_log_prob);
  m.impl("linear_log_prob_composed", composed_log_prob);
}

}  // namespace clha
