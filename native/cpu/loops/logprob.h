// Log-probabilities of targets from rows of logits: cpu/logprob.cc.
#pragma once
#include <cmath>

#include <ATen/cpu/vec/functional.h>
#include <ATen/cpu/vec/vec.h>

#include "cpu/loops.h"

namespace clha {
namespace {

// a row of raw logits -> softcap * tanh(x / softcap), in place
template <typename T>
void cap_row(T* row, int64_t vocabulary, T softcap) {
  const at::vec::Vectorized<T> cap(softcap), inverse(T(1) / softcap);
  at::vec::map([&](at::vec::Vectorized<T> x) { return (x * inverse).tanh() * cap; }, row, row, vocabulary);
}

// x = exp(x - top); returns the sum
template <typename T>
T exponentials_sum(T* x, int64_t n, T top) {
  using V = at::vec::Vectorized<T>;
  const V shift(top);
  V sum(T(0));
  int64_t i = 0;
  for (; i + V::size() <= n; i += V::size()) {
    const V e = (V::loadu(x + i) - shift).exp();
    e.store(x + i);
    sum = sum + e;
  }
  T total = at::vec::vec_reduce_all<T>([](V a, V b) { return a + b; }, sum);
  for (; i < n; i++) total += x[i] = std::exp(x[i] - top);
  return total;
}

template <typename T>
void cap_logits(const Targets<T>& t, int64_t begin, int64_t end) {
  for (int64_t r = begin; r < end; r++) cap_row(t.logits + r * t.vocabulary, t.vocabulary, t.softcap);
}

// logits -> log-probability and hit of the targets, log of the sum of exponentials. Logits are capped in place.
template <typename T>
void read_targets(const Targets<T>& t, int64_t begin, int64_t end) {
  using V = at::vec::Vectorized<T>;
  for (int64_t r = begin; r < end; r++) {
    T* row = t.logits + r * t.vocabulary;
    if (t.softcap > 0) cap_row(row, t.vocabulary, t.softcap);
    const T picked = row[t.target[r]];
    const T top = at::vec::reduce_all<T>([](V& a, V& b) { return at::vec::maximum(a, b); }, row, t.vocabulary);
    const T sum = t.exponentials ? exponentials_sum(row, t.vocabulary, top)
                                 : at::vec::map_reduce_all<T>([top](V x) { return (x - V(top)).exp(); }, [](V a, V b) { return a + b; },
                                                              row, t.vocabulary);
    t.logp[r] = (picked - top) - std::log(sum);
    t.lse[r] = t.exponentials ? T(1) / sum : top + std::log(sum);
    t.hit[r] = picked == top;
  }
}

// capped logits z -> gradient of the raw ones, in place: g * (onehot - p) * (1 - (z / softcap)^2)
template <typename T>
void to_gradient(const Targets<T>& t, int64_t begin, int64_t end) {
  using V = at::vec::Vectorized<T>;
  const T inverse = t.softcap > 0 ? T(1) / t.softcap : T(0);
  for (int64_t r = begin; r < end; r++) {
    T* row = t.logits + r * t.vocabulary;
    const V shift(t.lse[r]), minus(-t.grad[r]), one(T(1)), by(inverse);
    const T picked = row[t.target[r]] * inverse;
    if (t.exponentials) {
      const V scale = minus * shift;
      at::vec::map([&](V e) { return e * scale; }, row, row, t.vocabulary);
    } else if (t.softcap > 0) {
      at::vec::map([&](V z) { return (z - shift).exp() * minus * (one - z * by * z * by); }, row, row, t.vocabulary);
    } else {
      at::vec::map([&](V z) { return (z - shift).exp() * minus; }, row, row, t.vocabulary);
    }
    row[t.target[r]] += t.grad[r] * (T(1) - picked * picked);
  }
}

}  // namespace
}  // namespace clha
