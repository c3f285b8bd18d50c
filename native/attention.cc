// Attention over a packed layout: every segment looks at its context and, causally, at itself. No mask tensors.
//
// q [T, H, d]; k, v [S, Hkv, d] (S = T in training, the cache in generation). segments [n, 7] i64, one row a segment:
//   q0, q1  its rows in q      c0, c1  its context's rows in k, v      k0, k1  its own rows in k, v
//   task    rows of one task are neighbours and may share a context: gradients of a context add up without races
// Query i of a segment sees the whole context and own keys up to (k1 - k0) - (q1 - q0) + i (bottom-right causal).
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

#include "blas.h"

namespace clha {
namespace {

using at::Tensor;
using at::vec::Vectorized;

constexpr int kBlock = 128;  // query rows at a time: scores stay [128, keys]

struct Segment {
  int64_t q0, q1, c0, c1, k0, k1, task;
};

struct Layout {
  std::vector<Segment> segments;
  std::vector<size_t> tasks;  // first segment of each task, and the end
  explicit Layout(const Tensor& table, int64_t q_rows, int64_t k_rows) {
    TORCH_CHECK(table.dim() == 2 && table.size(1) == 7 && table.scalar_type() == at::kLong && table.device().is_cpu(),
                "packed_attention: segments must be an i64 CPU tensor [n, 7]");
    const Tensor rows = table.contiguous();
    const auto* p = reinterpret_cast<const Segment*>(rows.const_data_ptr<int64_t>());
    segments.assign(p, p + rows.size(0));
    for (size_t i = 0; i < segments.size(); i++) {
      const Segment& s = segments[i];
      TORCH_CHECK(0 <= s.q0 && s.q0 <= s.q1 && s.q1 <= q_rows && 0 <= s.c0 && s.c0 <= s.c1 && s.c1 <= k_rows && 0 <= s.k0 &&
                      s.k0 <= s.k1 && s.k1 <= k_rows && s.q1 - s.q0 <= s.k1 - s.k0,
                  "packed_attention: segment ", i, " reaches outside of the stream");
      if (i == 0 || s.task != segments[i - 1].task) tasks.push_back(i);
    }
    tasks.push_back(segments.size());
  }
};

// A block of queries of one head of one segment: which keys it sees.
struct Block {
  int64_t q, rows;         // first query row, number of rows
  int64_t context, own;    // keys seen by the last row
  int64_t first_own;       // own keys seen by the first row
};

template <typename F>
void each_block(const Segment& s, F&& f) {
  const int64_t lead = (s.k1 - s.k0) - (s.q1 - s.q0);
  for (int64_t at = 0; at < s.q1 - s.q0; at += kBlock) {
    const int64_t rows = std::min<int64_t>(kBlock, s.q1 - s.q0 - at);
    f(Block{s.q0 + at, rows, s.c1 - s.c0, lead + at + rows, lead + at + 1});
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

template <typename T>
struct View {
  const T* data;
  int64_t stride;  // between rows
  View(const Tensor& t, int64_t head) : data(t.const_data_ptr<T>() + head * t.size(2)), stride(t.size(1) * t.size(2)) {}
  const T* row(int64_t i) const { return data + i * stride; }
};
template <typename T>
struct MutableView {
  T* data;
  int64_t stride;
  MutableView(const Tensor& t, int64_t head) : data(t.data_ptr<T>() + head * t.size(2)), stride(t.size(1) * t.size(2)) {}
  T* row(int64_t i) const { return data + i * stride; }
};

// scores[rows, context + own] = scale * Q K^T
template <typename T>
void block_scores(const Segment& s, const Block& b, const View<T>& q, const View<T>& k, int d, T scale, T* scores) {
  const int keys = static_cast<int>(b.context + b.own);
  const int rows = static_cast<int>(b.rows), ldq = static_cast<int>(q.stride), ldk = static_cast<int>(k.stride);
  gemm_nt<T>(rows, static_cast<int>(b.context), d, scale, q.row(b.q), ldq, k.row(s.c0), ldk, T(0), scores, keys);
  gemm_nt<T>(rows, static_cast<int>(b.own), d, scale, q.row(b.q), ldq, k.row(s.k0), ldk, T(0), scores + b.context, keys);
}

template <typename T>
void forward_cpu(const Tensor& q, const Tensor& k, const Tensor& v, const Layout& layout, T scale, Tensor& out, Tensor& lse) {
  const int64_t heads = q.size(1), kv_heads = k.size(1), d = q.size(2);
  const int64_t tasks = static_cast<int64_t>(layout.tasks.size()) - 1;
  T* lse_data = lse.data_ptr<T>();
  each_task(tasks * heads, [&](int64_t job) {
    const int64_t head = job % heads, task = job / heads;
    const View<T> Q(q, head), K(k, head / (heads / kv_heads)), V(v, head / (heads / kv_heads));
    const MutableView<T> O(out, head);
    std::vector<T> scores;
    for (size_t i = layout.tasks[task]; i < layout.tasks[task + 1]; i++) {
      const Segment& s = layout.segments[i];
      each_block(s, [&](const Block& b) {
        const int keys = static_cast<int>(b.context + b.own), rows = static_cast<int>(b.rows);
        if (scores.size() < static_cast<size_t>(rows) * keys) scores.resize(static_cast<size_t>(rows) * keys);
        block_scores(s, b, Q, K, static_cast<int>(d), scale, scores.data());
        for (int r = 0; r < rows; r++) {
          T* row = scores.data() + static_cast<int64_t>(r) * keys;
          const int64_t seen = b.context + b.first_own + r;
          const T top = row_max(row, seen);
          const T sum = exp_sum(row, seen, top);
          at::vec::map([sum](Vectorized<T> x) { return x / Vectorized<T>(sum); }, row, row, seen);
          std::fill(row + seen, row + keys, T(0));
          lse_data[(b.q + r) * heads + head] = top + std::log(sum);
        }
        T* o = O.row(b.q);
        const int ldo = static_cast<int>(O.stride), ldv = static_cast<int>(V.stride), width = static_cast<int>(d);
        gemm_nn<T>(rows, width, static_cast<int>(b.own), T(1), scores.data() + b.context, keys, V.row(s.k0), ldv, T(0), o, ldo);
        if (b.context)
          gemm_nn<T>(rows, width, static_cast<int>(b.context), T(1), scores.data(), keys, V.row(s.c0), ldv, T(1), o, ldo);
      });
    }
  });
}

template <typename T>
void backward_cpu(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& out, const Tensor& lse, const Tensor& dout,
                  const Layout& layout, T scale, Tensor& dq, Tensor& dk, Tensor& dv) {
  const int64_t heads = q.size(1), kv_heads = k.size(1), group = heads / kv_heads;
  const int d = static_cast<int>(q.size(2));
  const int64_t tasks = static_cast<int64_t>(layout.tasks.size()) - 1;
  const T* lse_data = lse.const_data_ptr<T>();
  // one job = one key-value head of one task, its query heads in turn: nobody else adds to these rows of dk, dv
  each_task(tasks * kv_heads, [&](int64_t job) {
    const int64_t kv = job % kv_heads, task = job / kv_heads;
    const View<T> K(k, kv), V(v, kv);
    const MutableView<T> DK(dk, kv), DV(dv, kv);
    const int ldk = static_cast<int>(K.stride);
    std::vector<T> p, ds;
    for (int64_t head = kv * group; head < (kv + 1) * group; head++) {
      const View<T> Q(q, head), O(out, head), DO(dout, head);
      const MutableView<T> DQ(dq, head);
      const int ldq = static_cast<int>(Q.stride);
      for (size_t i = layout.tasks[task]; i < layout.tasks[task + 1]; i++) {
        const Segment& s = layout.segments[i];
        each_block(s, [&](const Block& b) {
          const int keys = static_cast<int>(b.context + b.own), rows = static_cast<int>(b.rows);
          const int context = static_cast<int>(b.context), own = static_cast<int>(b.own);
          const size_t size = static_cast<size_t>(rows) * keys;
          if (p.size() < size) p.resize(size), ds.resize(size);
          block_scores(s, b, Q, K, d, scale, p.data());
          const T *go = DO.row(b.q), *qr = Q.row(b.q);
          gemm_nt<T>(rows, context, d, T(1), go, ldq, V.row(s.c0), ldk, T(0), ds.data(), keys);
          gemm_nt<T>(rows, own, d, T(1), go, ldq, V.row(s.k0), ldk, T(0), ds.data() + context, keys);
          for (int r = 0; r < rows; r++) {
            T *pr = p.data() + static_cast<int64_t>(r) * keys, *dr = ds.data() + static_cast<int64_t>(r) * keys;
            const int64_t seen = b.context + b.first_own + r;
            const T shift = lse_data[(b.q + r) * heads + head];
            const T delta = at::vec::map2_reduce_all<T>([](Vectorized<T> x, Vectorized<T> y) { return x * y; },
                                                        [](Vectorized<T> x, Vectorized<T> y) { return x + y; }, O.row(b.q + r),
                                                        DO.row(b.q + r), d);
            at::vec::map([shift](Vectorized<T> x) { return (x - Vectorized<T>(shift)).exp(); }, pr, pr, seen);
            at::vec::map2([delta, scale](Vectorized<T> x, Vectorized<T> g) {
              return x * (g - Vectorized<T>(delta)) * Vectorized<T>(scale);
            }, dr, pr, dr, seen);
            std::fill(pr + seen, pr + keys, T(0));
            std::fill(dr + seen, dr + keys, T(0));
          }
          gemm_tn<T>(own, d, rows, T(1), p.data() + context, keys, go, ldq, T(1), DV.row(s.k0), ldk);
          gemm_tn<T>(own, d, rows, T(1), ds.data() + context, keys, qr, ldq, T(1), DK.row(s.k0), ldk);
          gemm_nn<T>(rows, d, own, T(1), ds.data() + context, keys, K.row(s.k0), ldk, T(0), DQ.row(b.q), ldq);
          if (context) {
            gemm_tn<T>(context, d, rows, T(1), p.data(), keys, go, ldq, T(1), DV.row(s.c0), ldk);
            gemm_tn<T>(context, d, rows, T(1), ds.data(), keys, qr, ldq, T(1), DK.row(s.c0), ldk);
            gemm_nn<T>(rows, d, context, T(1), ds.data(), keys, K.row(s.c0), ldk, T(1), DQ.row(b.q), ldq);
          }
        });
      }
    }
  });
}

void check(const Tensor& q, const Tensor& k, const Tensor& v) {
  TORCH_CHECK(q.dim() == 3 && k.dim() == 3 && v.sizes() == k.sizes() && q.size(2) == k.size(2),
              "packed_attention: q [T, H, d], k and v [S, Hkv, d], found ", q.sizes(), ", ", k.sizes(), ", ", v.sizes());
  TORCH_CHECK(q.size(2) > 0, "packed_attention: heads have no dimensions");
  TORCH_CHECK(k.size(1) > 0 && q.size(1) % k.size(1) == 0, "packed_attention: query heads must be a multiple of key-value heads");
  TORCH_CHECK(q.scalar_type() == k.scalar_type() && k.scalar_type() == v.scalar_type(), "packed_attention: q, k, v differ in dtype");
  TORCH_CHECK(q.device() == k.device() && k.device() == v.device(), "packed_attention: q, k, v are on different devices");
}

// Segments must tile q in order: then every row of the result is written exactly once.
void check_tiling(const Layout& layout, int64_t rows) {
  int64_t at = 0;
  for (const Segment& s : layout.segments) {
    TORCH_CHECK(s.q0 == at, "packed_attention: segments must cover the query rows in order");
    at = s.q1;
  }
  TORCH_CHECK(at == rows, "packed_attention: segments cover ", at, " of ", rows, " query rows");
}

// The same mathematics from ATen operators, with autograd of its own: other dtypes, other devices, and the test of the kernel.
Tensor composed(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& table, double scale) {
  check(q, k, v);
  const Layout layout(table.cpu(), q.size(0), k.size(0));
  check_tiling(layout, q.size(0));
  const int64_t group = q.size(1) / k.size(1);
  std::vector<Tensor> parts;
  for (const Segment& s : layout.segments) {
    const auto rows = [&](const Tensor& t) {  // [keys, Hkv, d] -> [H, keys, d]
      return at::cat({t.slice(0, s.c0, s.c1), t.slice(0, s.k0, s.k1)}).repeat_interleave(group, 1).transpose(0, 1);
    };
    const int64_t nq = s.q1 - s.q0, nk = (s.c1 - s.c0) + (s.k1 - s.k0);
    Tensor scores = at::matmul(q.slice(0, s.q0, s.q1).transpose(0, 1), rows(k).transpose(1, 2)) * scale;
    const Tensor hidden = at::ones({nq, nk}, q.options().dtype(at::kBool)).triu(nk - nq + 1);
    scores = scores.masked_fill(hidden, -std::numeric_limits<double>::infinity());
    const Tensor p = at::softmax(scores, -1, q.scalar_type() == at::kDouble ? at::kDouble : at::kFloat).to(q.scalar_type());
    parts.push_back(at::matmul(p, rows(v)).transpose(0, 1));
  }
  return parts.empty() ? at::zeros_like(q) : at::cat(parts);
}

struct PackedAttention : public torch::autograd::Function<PackedAttention> {
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& q_in, const Tensor& k_in, const Tensor& v_in,
                        const Tensor& table, double scale) {
    const Tensor q = q_in.contiguous(), k = k_in.contiguous(), v = v_in.contiguous();
    const Layout layout(table, q.size(0), k.size(0));
    check_tiling(layout, q.size(0));
    Tensor out = at::empty_like(q), lse = at::empty({q.size(0), q.size(1)}, q.options());
    if (q.scalar_type() == at::kDouble) forward_cpu<double>(q, k, v, layout, scale, out, lse);
    else forward_cpu<float>(q, k, v, layout, static_cast<float>(scale), out, lse);
    ctx->save_for_backward({q, k, v, out, lse, table});
    ctx->saved_data["scale"] = scale;
    return out;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &q = saved[0], &k = saved[1], &v = saved[2], &out = saved[3], &lse = saved[4];
    const Tensor dout = grads[0].contiguous();
    const Layout layout(saved[5], q.size(0), k.size(0));
    const double scale = ctx->saved_data["scale"].toDouble();
    Tensor dq = at::empty_like(q), dk = at::zeros_like(k), dv = at::zeros_like(v);
    if (q.scalar_type() == at::kDouble) backward_cpu<double>(q, k, v, out, lse, dout, layout, scale, dq, dk, dv);
    else backward_cpu<float>(q, k, v, out, lse, dout, layout, static_cast<float>(scale), dq, dk, dv);
    return {dq, dk, dv, Tensor(), Tensor()};
  }
};

Tensor packed_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& segments, double scale) {
  check(q, k, v);
  const bool native = has_blas() && q.device().is_cpu() && (q.scalar_type() == at::kFloat || q.scalar_type() == at::kDouble);
  return native ? PackedAttention::apply(q, k, v, segments, scale) : composed(q, k, v, segments, scale);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(clha, m) {
  m.def("packed_attention(Tensor q, Tensor k, Tensor v, Tensor segments, float scale) -> Tensor");
  m.def("packed_attention_composed(Tensor q, Tensor k, Tensor v, Tensor segments, float scale) -> Tensor");
}
TORCH_LIBRARY_IMPL(clha, CompositeImplicitAutograd, m) {
  m.impl("packed_attention", packed_attention);
  m.impl("packed_attention_composed", composed);
}

}  // namespace clha
