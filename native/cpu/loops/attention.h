// Attention of one head over the segments of a task: cpu/attention.cc.
#pragma once
#include <algorithm>
#include <cmath>
#include <vector>

#include <ATen/cpu/vec/functional.h>
#include <ATen/cpu/vec/vec.h>

#include "cpu/blas.h"
#include "cpu/loops.h"

namespace clha {
namespace {

using at::vec::Vectorized;

constexpr int kBlock = 128;  // query rows at a time: scores stay [128, keys]

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

// One head of [rows, heads, d]
template <typename T>
struct View {
  T* data;
  int64_t stride;  // between rows
  View(const Heads<T>& heads, int64_t head) : data(heads.data + head * heads.head), stride(heads.row) {}
  T* row(int64_t i) const { return data + i * stride; }
};

// What a product of q and k is multiplied by before the soft cap.
template <typename T>
T alpha_of(const Attention<T>& a) {
  return a.softcap > 0 ? a.scale / a.softcap : a.scale;
}

// out[rows, context + own] = alpha * X Y^T
template <typename T>
void block_products(const Block& b, const View<const T>& x, const View<const T>& y, int d, T alpha, T* out) {
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
void attention(const Attention<T>& a, const Segment* first, const Segment* last, int64_t head) {
  const int64_t kv = head / (a.heads / a.kv_heads);
  const View<const T> Q(a.q, head), K(a.k, kv), V(a.v, kv);
  const View<T> O(a.out, head);
  std::vector<T> scores;
  for (const Segment* segment = first; segment != last; segment++) {
    each_block(*segment, a.window, [&](const Block& b) {
      const int keys = static_cast<int>(b.context + b.own), rows = static_cast<int>(b.rows);
      if (scores.size() < static_cast<size_t>(rows) * keys) scores.resize(static_cast<size_t>(rows) * keys);
      block_products(b, Q, K, a.d, alpha_of(a), scores.data());
      for (int r = 0; r < rows; r++) {
        T *row = scores.data() + static_cast<int64_t>(r) * keys, *seen = row + b.begin(r);
        const int64_t n = b.end(r) - b.begin(r);
        if (a.softcap > 0) at::vec::map([&](Vectorized<T> x) { return x.tanh() * Vectorized<T>(a.softcap); }, seen, seen, n);
        const T top = row_max(seen, n);
        const T sum = exp_sum(seen, n, top);
        at::vec::map([sum](Vectorized<T> x) { return x / Vectorized<T>(sum); }, seen, seen, n);
        fill_unseen(b, r, row);
        a.lse[(b.q + r) * a.heads + head] = top + std::log(sum);
      }
      T* o = O.row(b.q);
      const int ldo = static_cast<int>(O.stride), ldv = static_cast<int>(V.stride);
      const int context = static_cast<int>(b.context), own = static_cast<int>(b.own);
      gemm_nn<T>(rows, a.d, own, T(1), scores.data() + context, keys, V.row(b.k), ldv, T(0), o, ldo);
      if (context) gemm_nn<T>(rows, a.d, context, T(1), scores.data(), keys, V.row(b.c), ldv, T(1), o, ldo);
    });
  }
}

// One row of scores -> probabilities p, and of d(probabilities) -> d(q k), over n seen keys.
template <typename T>
void row_backward(const Attention<T>& a, T lse, T delta, int64_t n, T* p, T* ds) {
  using V = Vectorized<T>;
  const V shift(lse), mean(delta), scale(a.scale), cap(a.softcap), one(T(1));
  if (a.softcap > 0) {  // scores are cap * t: d(scores) / d(q k) = scale * (1 - t^2)
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
void attention_backward(const Attention<T>& a, const Segment* first, const Segment* last, int64_t kv) {
  const int64_t group = a.heads / a.kv_heads;
  const int d = a.d;
  const View<const T> K(a.k, kv), V(a.v, kv);
  const View<T> DK(a.dk, kv), DV(a.dv, kv);
  const int ldk = static_cast<int>(K.stride), ldd = static_cast<int>(DK.stride);
  std::vector<T> p, ds;
  for (int64_t head = kv * group; head < (kv + 1) * group; head++) {
    const View<const T> Q(a.q, head), DO(a.dout, head);
    const View<T> O(a.out, head), DQ(a.dq, head);
    const int ldq = static_cast<int>(Q.stride), ldo = static_cast<int>(DO.stride), lddq = static_cast<int>(DQ.stride);
    for (const Segment* segment = first; segment != last; segment++) {
      each_block(*segment, a.window, [&](const Block& b) {
        const int keys = static_cast<int>(b.context + b.own), rows = static_cast<int>(b.rows);
        const int context = static_cast<int>(b.context), own = static_cast<int>(b.own);
        const size_t size = static_cast<size_t>(rows) * keys;
        if (p.size() < size) p.resize(size), ds.resize(size);
        block_products(b, Q, K, d, alpha_of(a), p.data());
        block_products(b, DO, V, d, T(1), ds.data());
        const T *go = DO.row(b.q), *qr = Q.row(b.q);
        for (int r = 0; r < rows; r++) {
          T *pr = p.data() + static_cast<int64_t>(r) * keys, *dr = ds.data() + static_cast<int64_t>(r) * keys;
          const T delta = at::vec::map2_reduce_all<T>([](Vectorized<T> x, Vectorized<T> y) { return x * y; },
                                                      [](Vectorized<T> x, Vectorized<T> y) { return x + y; }, O.row(b.q + r),
                                                      DO.row(b.q + r), d);
          const int64_t begin = b.begin(r);
          row_backward(a, a.lse[(b.q + r) * a.heads + head], delta, b.end(r) - begin, pr + begin, dr + begin);
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
}

}  // namespace
}  // namespace clha
