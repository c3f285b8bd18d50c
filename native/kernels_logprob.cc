// Log-probabilities of target tokens from hidden rows and the LM head, without ever building [rows, vocabulary] at once.
//
// hidden [R, D], weight [V, D], targets [R] i64 -> logp [R] (f32, or f64 for f64 input), hit [R] bool (target is the argmax).
// Rows go through the head in chunks. Under autograd the chunks' probabilities are kept when all of them fit `keep_bytes`
// (three matrix products in all), else they are computed again in the backward pass (four).
#include <cmath>

#include <ATen/Parallel.h>
#include <ATen/cpu/vec/functional.h>
#include <ATen/cpu/vec/vec.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "matmul.h"

namespace clha {
namespace {

using at::Tensor;
using at::vec::Vectorized;

constexpr int64_t kChunkElements = 16 << 20;  // logits of a chunk: 64 MiB in f32

int64_t chunk_rows(int64_t rows, int64_t vocabulary) {
  const int64_t fit = std::max<int64_t>(16, kChunkElements / std::max<int64_t>(1, vocabulary));
  return std::min(rows, fit < 64 ? fit : fit / 64 * 64);
}

// logits [r, V] -> exp(logits - logsumexp) in place; logp and hit of the targets
template <typename T>
void normalise(T* logits, int64_t rows, int64_t vocabulary, const int64_t* targets, T* logp, bool* hit, bool in_place) {
  at::parallel_for(0, rows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      T* row = logits + r * vocabulary;
      const T target = row[targets[r]];
      const T top = at::vec::reduce_all<T>([](Vectorized<T>& a, Vectorized<T>& b) { return at::vec::maximum(a, b); }, row, vocabulary);
      T sum;
      if (in_place) {
        at::vec::map([top](Vectorized<T> x) { return (x - Vectorized<T>(top)).exp(); }, row, row, vocabulary);
        sum = at::vec::reduce_all<T>([](Vectorized<T>& a, Vectorized<T>& b) { return a + b; }, row, vocabulary);
        const T scale = T(1) / sum;
        at::vec::map([scale](Vectorized<T> x) { return x * Vectorized<T>(scale); }, row, row, vocabulary);
      } else {
        sum = at::vec::map_reduce_all<T>([top](Vectorized<T> x) { return (x - Vectorized<T>(top)).exp(); },
                                         [](Vectorized<T> a, Vectorized<T> b) { return a + b; }, row, vocabulary);
      }
      logp[r] = (target - top) - std::log(sum);
      hit[r] = target == top;
    }
  });
}

// probabilities [r, V] -> gradient of the logits, in place: g * (onehot - p)
template <typename T>
void to_gradient(T* p, int64_t rows, int64_t vocabulary, const int64_t* targets, const T* grad) {
  at::parallel_for(0, rows, 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      T* row = p + r * vocabulary;
      const T g = grad[r];
      at::vec::map([g](Vectorized<T> x) { return x * Vectorized<T>(-g); }, row, row, vocabulary);
      row[targets[r]] += g;
    }
  });
}

void normalise_any(Tensor& logits, const Tensor& targets, Tensor logp, Tensor hit, bool in_place) {
  const int64_t rows = logits.size(0), vocabulary = logits.size(1);
  if (logits.scalar_type() == at::kDouble)
    normalise(logits.data_ptr<double>(), rows, vocabulary, targets.const_data_ptr<int64_t>(), logp.data_ptr<double>(), hit.data_ptr<bool>(), in_place);
  else
    normalise(logits.data_ptr<float>(), rows, vocabulary, targets.const_data_ptr<int64_t>(), logp.data_ptr<float>(), hit.data_ptr<bool>(), in_place);
}

void to_gradient_any(Tensor& p, const Tensor& targets, const Tensor& grad) {
  const int64_t rows = p.size(0), vocabulary = p.size(1);
  if (p.scalar_type() == at::kDouble)
    to_gradient(p.data_ptr<double>(), rows, vocabulary, targets.const_data_ptr<int64_t>(), grad.const_data_ptr<double>());
  else
    to_gradient(p.data_ptr<float>(), rows, vocabulary, targets.const_data_ptr<int64_t>(), grad.const_data_ptr<float>());
}

struct LinearLogProb : public torch::autograd::Function<LinearLogProb> {
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext* ctx, const Tensor& hidden_in,
                                                const Tensor& weight, const Tensor& targets, int64_t keep_bytes) {
    const Tensor hidden = hidden_in.contiguous();
    const int64_t rows = hidden.size(0), vocabulary = weight.size(0), chunk = chunk_rows(rows, vocabulary);
    const bool grad = hidden_in.requires_grad() || weight.requires_grad();
    const bool keep = grad && rows * vocabulary * hidden.element_size() <= keep_bytes;
    Tensor logp = at::empty({rows}, hidden.options()), hit = at::empty({rows}, hidden.options().dtype(at::kBool));
    Tensor all = at::empty({keep ? rows : std::min(chunk, rows), vocabulary}, hidden.options());
    const Tensor head = weight.t();
    for (int64_t at = 0; at < rows; at += chunk) {
      const int64_t end = std::min(rows, at + chunk);
      Tensor logits = keep ? all.slice(0, at, end) : all.slice(0, 0, end - at);
      matmul_over_rows(logits, hidden.slice(0, at, end), head);
      normalise_any(logits, targets.slice(0, at, end), logp.slice(0, at, end), hit.slice(0, at, end), keep);
    }
    if (grad) ctx->save_for_backward({hidden, weight, targets, keep ? all : Tensor()});
    ctx->mark_non_differentiable({hit});
    return {logp, hit};
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &hidden = saved[0], &weight = saved[1], &targets = saved[2];
    Tensor kept = saved[3];
    if (!grads[0].defined()) return {Tensor(), Tensor(), Tensor(), Tensor()};
    const Tensor grad = grads[0].contiguous();
    const int64_t rows = hidden.size(0), vocabulary = weight.size(0), chunk = chunk_rows(rows, vocabulary);
    const bool want_hidden = ctx->needs_input_grad(0), want_weight = ctx->needs_input_grad(1);
    Tensor dhidden = want_hidden ? at::empty_like(hidden) : Tensor();
    Tensor dweight = want_weight ? (rows ? at::empty_like(weight) : at::zeros_like(weight)) : Tensor();
    Tensor scratch = kept.defined() ? Tensor() : at::empty({std::min(chunk, rows), vocabulary}, hidden.options());
    Tensor logp = kept.defined() ? Tensor() : at::empty({rows}, hidden.options());
    Tensor hit = kept.defined() ? Tensor() : at::empty({rows}, hidden.options().dtype(at::kBool));
    for (int64_t at = 0; at < rows; at += chunk) {
      const int64_t end = std::min(rows, at + chunk);
      const Tensor h = hidden.slice(0, at, end), t = targets.slice(0, at, end);
      // kept probabilities become gradients in place: a graph is walked once, the door keeps none
      Tensor p = kept.defined() ? kept.slice(0, at, end) : scratch.slice(0, 0, end - at);
      if (!kept.defined()) {
        matmul_over_rows(p, h, weight.t());
        normalise_any(p, t, logp.slice(0, at, end), hit.slice(0, at, end), true);
      }
      to_gradient_any(p, t, grad.slice(0, at, end));
      if (want_hidden) {
        Tensor dh = dhidden.slice(0, at, end);
        matmul_over_rows(dh, p, weight);
      }
      if (want_weight) matmul_over_sum(dweight, p.t(), h, at > 0);
    }
    return {dhidden, dweight, Tensor(), Tensor()};
  }
};

std::tuple<Tensor, Tensor> composed(const Tensor& hidden, const Tensor& weight, const Tensor& targets) {
  const auto wide = hidden.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const Tensor logits = at::matmul(hidden, weight.t()).to(wide);
  const Tensor picked = targets.unsqueeze(1);
  const Tensor logp = at::log_softmax(logits, -1).gather(1, picked).squeeze(1);
  return {logp, logits.gather(1, picked).squeeze(1).eq(std::get<0>(logits.max(1)))};
}

std::tuple<Tensor, Tensor> linear_log_prob(const Tensor& hidden, const Tensor& weight, const Tensor& targets, int64_t keep_bytes) {
  TORCH_CHECK(hidden.dim() == 2 && weight.dim() == 2 && hidden.size(1) == weight.size(1) && targets.dim() == 1 &&
                  targets.size(0) == hidden.size(0) && targets.scalar_type() == at::kLong,
              "linear_log_prob: hidden [R, D], weight [V, D], targets [R] i64, found ", hidden.sizes(), ", ", weight.sizes(), ", ", targets.sizes());
  TORCH_CHECK(hidden.device() == weight.device() && hidden.device() == targets.device(),
              "linear_log_prob: hidden, weight and targets are on different devices");
  if (targets.numel()) {
    TORCH_CHECK(targets.min().item<int64_t>() >= 0 && targets.max().item<int64_t>() < weight.size(0),
                "linear_log_prob: a target is outside of the vocabulary of ", weight.size(0));
  }
  const bool native = hidden.device().is_cpu() && hidden.scalar_type() == weight.scalar_type() &&
                      (hidden.scalar_type() == at::kFloat || hidden.scalar_type() == at::kDouble);
  if (!native) return composed(hidden, weight, targets);
  // without a backward pass to come there is nothing to keep
  auto out = LinearLogProb::apply(hidden, weight, targets.contiguous(), at::GradMode::is_enabled() ? keep_bytes : -1);
  return {out[0], out[1]};
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(clha, m) {
  m.def("linear_log_prob(Tensor hidden, Tensor weight, Tensor targets, int keep_bytes=0) -> (Tensor logp, Tensor hit)");
  m.def("linear_log_prob_composed(Tensor hidden, Tensor weight, Tensor targets) -> (Tensor logp, Tensor hit)");
}
TORCH_LIBRARY_IMPL(clha, CompositeImplicitAutograd, m) {
  m.impl("linear_log_prob", linear_log_prob);
  m.impl("linear_log_prob_composed", composed);
}

}  // namespace clha
