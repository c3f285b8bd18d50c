// Attention over a packed layout: every segment looks at its context and, causally, at itself. No mask tensors.
//
// q [T, H, d]; k, v [S, Hkv, d] (S = T in training, the cache in generation). segments [n, 7] i64, one row a segment:
//   q0, q1  its rows in q      c0, c1  its context's rows in k, v      k0, k1  its own rows in k, v
//   task    rows of one task are neighbours and may share a context: gradients of a context add up without races
// Query i of a segment stands at p = (c1 - c0) + (k1 - k0) - (q1 - q0) + i of context and own keys joined, and sees the keys
// up to p (bottom-right causal); with a window only the last `window` of them, itself included (Mistral). `softcap` bounds
// scores before the mask: softcap * tanh(scale * q k / softcap) (Gemma 2). 0 means none, for both.
#include <atomic>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "cpu/attention_layout.h"
#include "cpu/blas.h"
#include "cpu/loops.h"
#include "cuda/gathered_attention.h"

namespace clha {
namespace {

using at::Tensor;

// Tasks differ in size, so threads take the next one when they are free; each task writes only its own rows.
template <typename F>
void each_task(int64_t count, F&& f) {
  std::atomic<int64_t> next{0};
  at::parallel_for(0, at::get_num_threads(), 1, [&](int64_t, int64_t) {
    for (int64_t i = next++; i < count; i = next++) f(i);
  });
}

// A single row says nothing of its stride, and BLAS asks for one.
int64_t row_stride(const Tensor& t) { return t.size(0) > 1 ? t.stride(0) : t.size(1) * t.size(2); }

// One head of it after another; also of a part of a fused projection, whose rows lie further apart.
template <typename T>
Heads<const T> heads_of(const Tensor& t) {
  return {t.const_data_ptr<T>(), row_stride(t), t.stride(1)};
}
template <typename T>
Heads<T> mutable_heads(const Tensor& t) {
  return {t.data_ptr<T>(), row_stride(t), t.stride(1)};
}

struct How {
  double scale, softcap;
  int64_t window;
};

template <typename T>
Attention<T> attention_of(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& out, const Tensor& lse, const How& how) {
  Attention<T> a{};
  a.q = heads_of<T>(q), a.k = heads_of<T>(k), a.v = heads_of<T>(v), a.out = mutable_heads<T>(out), a.lse = lse.data_ptr<T>();
  a.heads = q.size(1), a.kv_heads = k.size(1), a.d = static_cast<int>(q.size(2));
  a.scale = static_cast<T>(how.scale), a.softcap = static_cast<T>(how.softcap), a.window = how.window;
  return a;
}

template <typename T>
void forward_cpu(const Attention<T>& a, const Layout& layout) {
  each_task(layout.count() * a.heads, [&](int64_t job) {
    const auto [first, last] = layout.task(job / a.heads);
    real_loops<T>().attention(a, first, last, job % a.heads);
  });
}

// One job = one key-value head of one task, its query heads in turn: nobody else adds to these rows of dk, dv.
template <typename T>
void backward_cpu(Attention<T> a, const Layout& layout, const Tensor& dout, const Tensor& dq, const Tensor& dk, const Tensor& dv) {
  a.dout = heads_of<T>(dout), a.dq = mutable_heads<T>(dq), a.dk = mutable_heads<T>(dk), a.dv = mutable_heads<T>(dv);
  each_task(layout.count() * a.kv_heads, [&](int64_t job) {
    const auto [first, last] = layout.task(job / a.kv_heads);
    real_loops<T>().attention_backward(a, first, last, job % a.kv_heads);
  });
}

// The same mathematics from ATen operators, with autograd of its own: other dtypes, other devices, and the test of the kernel.
Tensor composed_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& table, double scale, int64_t window,
                double softcap) {
  check_attention(q, k, v, window, softcap);
  const Layout layout(table, q.size(0), k.size(0));
  check_tiling(layout, q.size(0));
  const int64_t group = q.size(1) / k.size(1);
  std::vector<Tensor> parts;
  for (const Segment& s : layout.segments) {
    const int64_t nq = s.q1 - s.q0, joined = (s.c1 - s.c0) + (s.k1 - s.k0);
    const int64_t skip = window > 0 ? std::max<int64_t>(0, joined - nq + 1 - window) : 0, nk = joined - skip;
    const auto rows = [&](const Tensor& t) {  // [keys, Hkv, d] -> [H, keys, d]
      return at::cat({t.slice(0, s.c0, s.c1), t.slice(0, s.k0, s.k1)}).slice(0, skip).repeat_interleave(group, 1).transpose(0, 1);
    };
    Tensor scores = at::matmul(q.slice(0, s.q0, s.q1).transpose(0, 1), rows(k).transpose(1, 2)) * scale;
    if (softcap > 0) scores = (scores / softcap).tanh() * softcap;
    const Tensor ones = at::ones({nq, nk}, q.options().dtype(at::kBool));
    Tensor hidden = ones.triu(nk - nq + 1);
    if (window > 0) hidden = hidden.bitwise_or(ones.tril(nk - nq - window));
    scores = scores.masked_fill(hidden, -std::numeric_limits<double>::infinity());
    const Tensor p = at::softmax(scores, -1, q.scalar_type() == at::kDouble ? at::kDouble : at::kFloat).to(q.scalar_type());
    parts.push_back(at::matmul(p, rows(v)).transpose(0, 1));
  }
  return parts.empty() ? at::zeros_like(q) : at::cat(parts);
}

// BLAS takes any distance between rows, but no gaps or repeats within one.
Tensor dense_heads(const Tensor& t) {
  const bool usable = t.stride(2) == 1 && t.stride(1) > 0 && t.stride(0) >= t.size(2);
  return usable ? t : t.contiguous();
}

struct PackedAttention : public torch::autograd::Function<PackedAttention> {
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& q_in, const Tensor& k_in, const Tensor& v_in,
                        const Tensor& table, double scale, int64_t window, double softcap) {
    const Tensor q = dense_heads(q_in), k = dense_heads(k_in), v = dense_heads(v_in);
    const Layout layout(table, q.size(0), k.size(0));
    check_tiling(layout, q.size(0));
    Tensor out = at::empty(q.sizes(), q.options()), lse = at::empty({q.size(0), q.size(1)}, q.options());
    const How how{scale, softcap, window};
    if (q.scalar_type() == at::kDouble) forward_cpu<double>(attention_of<double>(q, k, v, out, lse, how), layout);
    else forward_cpu<float>(attention_of<float>(q, k, v, out, lse, how), layout);
    ctx->save_for_backward({q, k, v, out, lse, table});
    ctx->saved_data["scale"] = scale;
    ctx->saved_data["softcap"] = softcap;
    ctx->saved_data["window"] = window;
    return out;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &q = saved[0], &k = saved[1], &v = saved[2], &out = saved[3], &lse = saved[4];
    const Tensor dout = dense_heads(grads[0]);
    const Layout layout(saved[5], q.size(0), k.size(0));
    const double scale = ctx->saved_data["scale"].toDouble(), softcap = ctx->saved_data["softcap"].toDouble();
    const int64_t window = ctx->saved_data["window"].toInt();
    Tensor dq = at::empty(q.sizes(), q.options()), dk = at::zeros(k.sizes(), k.options()), dv = at::zeros(v.sizes(), v.options());
    const How how{scale, softcap, window};
    if (q.scalar_type() == at::kDouble) backward_cpu<double>(attention_of<double>(q, k, v, out, lse, how), layout, dout, dq, dk, dv);
    else backward_cpu<float>(attention_of<float>(q, k, v, out, lse, how), layout, dout, dq, dk, dv);
    return {dq, dk, dv, Tensor(), Tensor(), Tensor(), Tensor()};
  }
};

Tensor packed_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& segments, double scale, int64_t window,
                        double softcap) {
  check_attention(q, k, v, window, softcap);
  if (q.device().is_cuda() && softcap == 0) return gathered_attention(q, k, v, segments, scale, window);
  const bool native = has_blas() && q.device().is_cpu() && (q.scalar_type() == at::kFloat || q.scalar_type() == at::kDouble);
  return native ? PackedAttention::apply(q, k, v, segments, scale, window, softcap)
                : composed_attention(q, k, v, segments, scale, window, softcap);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(clha, m) {
  const std::string arguments = "(Tensor q, Tensor k, Tensor v, Tensor segments, float scale, int window=0, float softcap=0.0)";
  m.def(("packed_attention" + arguments + " -> Tensor").c_str());
  m.def(("packed_attention_composed" + arguments + " -> Tensor").c_str());
}
TORCH_LIBRARY_IMPL(clha, CompositeImplicitAutograd, m) {
  m.impl("packed_attention", packed_attention);
  m.impl("packed_attention_composed", composed_attention);
}

}  // namespace clha
