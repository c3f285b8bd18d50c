// Attention over a packed layout: every segment looks at its context and, causally, at itself. No mask tensors.
//
// q [T, H, d]; k, v [S, Hkv, d] (S = T in training, the cache in generation). segments [n, 7] i64, one row a segment:
//   q0, q1  its rows in q      c0, c1  its context's rows in k, v      k0, k1  its own rows in k, v
//   task    rows of one task are neighbours and may share a context: gradients of a context add up without races
// Query i of a segment stands at p = (c1 - c0) + (k1 - k0) - (q1 - q0) + i of context and own keys joined, and sees the keys
// up to p (bottom-right causal); with a window only the last `window` of them, itself included (Mistral). `softcap` bounds
// scores before the mask: softcap * tanh(scale * q k / softcap) (Gemma 2). 0 means none, for both.
#include <atomic>
#include <cmath>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/cpu/vec/functional.h>
#include <ATen/cpu/vec/vec.h>
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
#include "cuda/gathered_attention.h"

namespace clha {
namespace {

using at::Tensor;
using at::vec::Vectorized;

constexpr int kBlock = 128;  // query rows at a time: scores stay [128, keys]

template <typename T>
struct Scores {
  T scale, softcap;
  int64_t window;
  Scores(double scale, double softcap, int64_t window) : scale(scale), softcap(softcap), window(window) {}
  T alpha() const { return softcap > 0 ? scale / softcap : scale; }
};

// A block of queries of one head of one segment: which keys any of them sees. Columns are its context keys, then its own.
struct Block {
  int64_t q, rows;              // first query row, number of rows
  int64_t c, context, k, own;   // first key row and number of keys
  int64_t first_begin, first_end;  // columns that the first row sees; each further row's are one further
  int64_t begin(int64_t r) const { return std::max<int64_t>(0, first_begin + r); }
  int64_t end(int64_t r) const { return first_end + r; }
};

template <typename F>
void each_block(const Segment& s, int64_t window, F&& f) {
  const int64_t context = s.c1 - s.c0, queries = s.q1 - s.q0, lead = context + (s.k1 - s.k0) - queries;
  for (int64_t at = 0; at < queries; at += kBlock) {
    const int64_t rows = std::min<int64_t>(kBlock, queries - at), first = lead + at;
    const int64_t oldest = window > 0 ? first + 1 - window : 0, skip = std::max<int64_t>(0, oldest);
    const int64_t skip_context = std::min(skip, context), skip_own = skip - skip_context;
    f(Block{s.q0 + at, rows, s.c0 + skip_context, context - skip_context, s.k0 + skip_own, first + rows - context - skip_own,
            window > 0 ? oldest - skip : -kBlock, first + 1 - skip});
  }
}

// Tasks differ in size, so threads take the next one when they are free; each task writes only its own rows.
template <typename F>
void each_task(int64_t count, F&& f) {
  std::atomic<int64_t> next{0};
  at::parallel_for(0, at::get_num_threads(), 1, [&](int64_t, int64_t) {
    for (int64_t i = next++; i < count; i = next++) f(i);
  });
}

template <typename T>
T row_max(const T* x, int64_t n) {
  return at::vec::reduce_all<T>([](Vectorized<T>& a, Vectorized<T>& b) { return at::vec::maximum(a, b); }, x, n);
}

// x = exp(x - shift); returns the sum
template <typename T>
T exp_sum(T* x, int64_t n, T shift) {
  at::vec::map([shift](Vectorized<T> v) { return (v - Vectorized<T>(shift)).exp(); }, x, x, n);
  return at::vec::reduce_all<T>([](Vectorized<T>& a, Vectorized<T>& b) { return a + b; }, x, n);
}

// A single row says nothing of its stride, and BLAS asks for one.
int64_t row_stride(const Tensor& t) { return t.size(0) > 1 ? t.stride(0) : t.size(1) * t.size(2); }

// One head of [rows, heads, d]: also of a part of a fused projection, whose rows lie further apart.
template <typename T>
struct View {
  const T* data;
  int64_t stride;  // between rows
  View(const Tensor& t, int64_t head) : data(t.const_data_ptr<T>() + head * t.stride(1)), stride(row_stride(t)) {}
  const T* row(int64_t i) const { return data + i * stride; }
};
template <typename T>
struct MutableView {
  T* data;
  int64_t stride;
  MutableView(const Tensor& t, int64_t head) : data(t.data_ptr<T>() + head * t.stride(1)), stride(row_stride(t)) {}
  T* row(int64_t i) const { return data + i * stride; }
};

// out[rows, context + own] = alpha * X Y^T
template <typename T>
void block_products(const Block& b, const View<T>& x, const View<T>& y, int d, T alpha, T* out) {
  const int keys = static_cast<int>(b.context + b.own);
  const int rows = static_cast<int>(b.rows), ldx = static_cast<int>(x.stride), ldy = static_cast<int>(y.stride);
  gemm_nt<T>(rows, static_cast<int>(b.context), d, alpha, x.row(b.q), ldx, y.row(b.c), ldy, T(0), out, keys);
  gemm_nt<T>(rows, static_cast<int>(b.own), d, alpha, x.row(b.q), ldx, y.row(b.k), ldy, T(0), out + b.context, keys);
}

template <typename T>
void fill_unseen(const Block& b, int64_t r, T* row) {
  std::fill(row, row + b.begin(r), T(0));
  std::fill(row + b.end(r), row + b.context + b.own, T(0));
}

template <typename T>
void forward_cpu(const Tensor& q, const Tensor& k, const Tensor& v, const Layout& layout, const Scores<T>& how, Tensor& out,
                 Tensor& lse) {
  const int64_t heads = q.size(1), kv_heads = k.size(1), d = q.size(2);
  const int64_t tasks = static_cast<int64_t>(layout.tasks.size()) - 1;
  T* lse_data = lse.data_ptr<T>();
  each_task(tasks * heads, [&](int64_t job) {
    const int64_t head = job % heads, task = job / heads;
    const View<T> Q(q, head), K(k, head / (heads / kv_heads)), V(v, head / (heads / kv_heads));
    const MutableView<T> O(out, head);
    std::vector<T> scores;
    for (size_t i = layout.tasks[task]; i < layout.tasks[task + 1]; i++) {
      each_block(layout.segments[i], how.window, [&](const Block& b) {
        const int keys = static_cast<int>(b.context + b.own), rows = static_cast<int>(b.rows);
        if (scores.size() < static_cast<size_t>(rows) * keys) scores.resize(static_cast<size_t>(rows) * keys);
        block_products(b, Q, K, static_cast<int>(d), how.alpha(), scores.data());
        for (int r = 0; r < rows; r++) {
          T *row = scores.data() + static_cast<int64_t>(r) * keys, *seen = row + b.begin(r);
          const int64_t n = b.end(r) - b.begin(r);
          if (how.softcap > 0)
            at::vec::map([&](Vectorized<T> x) { return x.tanh() * Vectorized<T>(how.softcap); }, seen, seen, n);
          const T top = row_max(seen, n);
          const T sum = exp_sum(seen, n, top);
          at::vec::map([sum](Vectorized<T> x) { return x / Vectorized<T>(sum); }, seen, seen, n);
          fill_unseen(b, r, row);
          lse_data[(b.q + r) * heads + head] = top + std::log(sum);
        }
        T* o = O.row(b.q);
        const int ldo = static_cast<int>(O.stride), ldv = static_cast<int>(V.stride), width = static_cast<int>(d);
        const int context = static_cast<int>(b.context), own = static_cast<int>(b.own);
        gemm_nn<T>(rows, width, own, T(1), scores.data() + context, keys, V.row(b.k), ldv, T(0), o, ldo);
        if (context) gemm_nn<T>(rows, width, context, T(1), scores.data(), keys, V.row(b.c), ldv, T(1), o, ldo);
      });
    }
  });
}

// One row of scores -> probabilities p, and of d(probabilities) -> d(q k), over n seen keys.
template <typename T>
void row_backward(const Scores<T>& how, T lse, T delta, int64_t n, T* p, T* ds) {
  using V = Vectorized<T>;
  const V shift(lse), mean(delta), scale(how.scale), cap(how.softcap), one(T(1));
  if (how.softcap > 0) {  // scores are cap * t: d(scores) / d(q k) = scale * (1 - t^2)
    at::vec::map([](V x) { return x.tanh(); }, p, p, n);
    at::vec::map2([&](V t, V g) { return (g - mean) * scale * (one - t * t); }, ds, p, ds, n);
    at::vec::map([&](V t) { return (t * cap - shift).exp(); }, p, p, n);
    at::vec::map2([](V x, V g) { return x * g; }, ds, p, ds, n);
  } else {
    at::vec::map([&](V x) { return (x - shift).exp(); }, p, p, n);
    at::vec::map2([&](V x, V g) { return x * (g - mean) * scale; }, ds, p, ds, n);
  }
}

template <typename T>
void backward_cpu(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& out, const Tensor& lse, const Tensor& dout,
                  const Layout& layout, const Scores<T>& how, Tensor& dq, Tensor& dk, Tensor& dv) {
  const int64_t heads = q.size(1), kv_heads = k.size(1), group = heads / kv_heads;
  const int d = static_cast<int>(q.size(2));
  const int64_t tasks = static_cast<int64_t>(layout.tasks.size()) - 1;
  const T* lse_data = lse.const_data_ptr<T>();
  // one job = one key-value head of one task, its query heads in turn: nobody else adds to these rows of dk, dv
  each_task(tasks * kv_heads, [&](int64_t job) {
    const int64_t kv = job % kv_heads, task = job / kv_heads;
    const View<T> K(k, kv), V(v, kv);
    const MutableView<T> DK(dk, kv), DV(dv, kv);
    const int ldk = static_cast<int>(K.stride), ldd = static_cast<int>(DK.stride);
    std::vector<T> p, ds;
    for (int64_t head = kv * group; head < (kv + 1) * group; head++) {
      const View<T> Q(q, head), O(out, head), DO(dout, head);
      const MutableView<T> DQ(dq, head);
      const int ldq = static_cast<int>(Q.stride), ldo = static_cast<int>(DO.stride), lddq = static_cast<int>(DQ.stride);
      for (size_t i = layout.tasks[task]; i < layout.tasks[task + 1]; i++) {
        each_block(layout.segments[i], how.window, [&](const Block& b) {
          const int keys = static_cast<int>(b.context + b.own), rows = static_cast<int>(b.rows);
          const int context = static_cast<int>(b.context), own = static_cast<int>(b.own);
          const size_t size = static_cast<size_t>(rows) * keys;
          if (p.size() < size) p.resize(size), ds.resize(size);
          block_products(b, Q, K, d, how.alpha(), p.data());
          block_products(b, DO, V, d, T(1), ds.data());
          const T *go = DO.row(b.q), *qr = Q.row(b.q);
          for (int r = 0; r < rows; r++) {
            T *pr = p.data() + static_cast<int64_t>(r) * keys, *dr = ds.data() + static_cast<int64_t>(r) * keys;
            const T delta = at::vec::map2_reduce_all<T>([](Vectorized<T> x, Vectorized<T> y) { return x * y; },
                                                        [](Vectorized<T> x, Vectorized<T> y) { return x + y; }, O.row(b.q + r),
                                                        DO.row(b.q + r), d);
            const int64_t begin = b.begin(r);
            row_backward(how, lse_data[(b.q + r) * heads + head], delta, b.end(r) - begin, pr + begin, dr + begin);
            fill_unseen(b, r, pr);
            fill_unseen(b, r, dr);
          }
          gemm_tn<T>(own, d, rows, T(1), p.data() + context, keys, go, ldo, T(1), DV.row(b.k), ldd);
          gemm_tn<T>(own, d, rows, T(1), ds.data() + context, keys, qr, ldq, T(1), DK.row(b.k), ldd);
          gemm_nn<T>(rows, d, own, T(1), ds.data() + context, keys, K.row(b.k), ldk, T(0), DQ.row(b.q), lddq);
          if (context) {
            gemm_tn<T>(context, d, rows, T(1), p.data(), keys, go, ldo, T(1), DV.row(b.c), ldd);
            gemm_tn<T>(context, d, rows, T(1), ds.data(), keys, qr, ldq, T(1), DK.row(b.c), ldd);
            gemm_nn<T>(rows, d, context, T(1), ds.data(), keys, K.row(b.c), ldk, T(1), DQ.row(b.q), lddq);
          }
        });
      }
    }
  });
}

// The same mathematics from ATen operators, with autograd of its own: other dtypes, other devices, and the test of the kernel.
Tensor composed(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& table, double scale, int64_t window,
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
    if (q.scalar_type() == at::kDouble) forward_cpu<double>(q, k, v, layout, {scale, softcap, window}, out, lse);
    else forward_cpu<float>(q, k, v, layout, {scale, softcap, window}, out, lse);
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
    if (q.scalar_type() == at::kDouble)
      backward_cpu<double>(q, k, v, out, lse, dout, layout, {scale, softcap, window}, dq, dk, dv);
    else
      backward_cpu<float>(q, k, v, out, lse, dout, layout, {scale, softcap, window}, dq, dk, dv);
    return {dq, dk, dv, Tensor(), Tensor(), Tensor(), Tensor()};
  }
};

Tensor packed_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& segments, double scale, int64_t window,
                        double softcap) {
  check_attention(q, k, v, window, softcap);
  if (q.device().is_cuda() && softcap == 0) return gathered_attention(q, k, v, segments, scale, window);
  const bool native = has_blas() && q.device().is_cpu() && (q.scalar_type() == at::kFloat || q.scalar_type() == at::kDouble);
  return native ? PackedAttention::apply(q, k, v, segments, scale, window, softcap)
                : composed(q, k, v, segments, scale, window, softcap);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(clha, m) {
  const std::string arguments = "(Tensor q, Tensor k, Tensor v, Tensor segments, float scale, int window=0, float softcap=0.0)";
  m.def(("packed_attention" + arguments + " -> Tensor").c_str());
  m.def(("packed_attention_composed" + arguments + " -> Tensor").c_str());
}
TORCH_LIBRARY_IMPL(clha, CompositeImplicitAutograd, m) {
  m.impl("packed_attention", packed_attention);
  m.impl("packed_attention_composed", composed);
}

}  // namespace clha
