// RMSNorm and gated activations of rows: cpu/rows.cc.
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <type_traits>
#include <vector>

#include <ATen/cpu/vec/functional.h>
#include <ATen/cpu/vec/vec.h>

#include "cpu/loops.h"

namespace clha {
namespace {

// f(inputs, outputs, n) over a row in the wide type: at once, or for bf16 in pieces that pass through f32
template <typename T, size_t I, size_t O, typename F>
void over_row(int64_t n, const std::array<const T*, I>& in, const std::array<T*, O>& out, F&& f) {
  if constexpr (std::is_same_v<T, Wide<T>>) {
    f(in, out, n);
  } else {
    constexpr int64_t kPiece = 512;
    float from[I][kPiece], to[O][kPiece];
    std::array<const float*, I> wide_in;
    std::array<float*, O> wide_out;
    for (size_t i = 0; i < I; i++) wide_in[i] = from[i];
    for (size_t o = 0; o < O; o++) wide_out[o] = to[o];
    for (int64_t at = 0; at < n; at += kPiece) {
      const int64_t count = std::min(kPiece, n - at);
      for (size_t i = 0; i < I; i++) at::vec::convert(in[i] + at, from[i], count);
      f(wide_in, wide_out, count);
      for (size_t o = 0; o < O; o++) at::vec::convert(to[o], out[o] + at, count);
    }
  }
}

// A row in the wide type: itself, or a bf16 row converted into `buffer`.
template <typename T>
const Wide<T>* widened(const T* row, int64_t n, std::vector<Wide<T>>& buffer) {
  if constexpr (std::is_same_v<T, Wide<T>>) {
    return row;
  } else {
    buffer.resize(n);
    at::vec::convert(row, buffer.data(), n);
    return buffer.data();
  }
}

template <typename T>
void norm(const Norm<T>& p, int64_t begin, int64_t end) {
  using W = Wide<T>;
  using V = at::vec::Vectorized<W>;
  std::vector<W> in, out(std::is_same_v<T, W> ? 0 : p.width);
  for (int64_t r = begin; r < end; r++) {
    const W* row_in = widened<T>(p.x.at(r), p.width, in);
    const W squares = at::vec::map_reduce_all<W>([](V v) { return v * v; }, [](V a, V b) { return a + b; }, row_in, p.width);
    const W s = W(1) / std::sqrt(squares / static_cast<W>(p.width) + static_cast<W>(p.eps));
    p.scale[r] = s;
    const auto apply = [s](V v, V w) { return v * V(s) * w; };
    if constexpr (std::is_same_v<T, W>) {
      at::vec::map2(apply, p.y.at(r), row_in, p.gain, p.width);
    } else {
      at::vec::map2(apply, out.data(), row_in, p.gain, p.width);
      at::vec::convert(out.data(), p.y.at(r), p.width);
    }
  }
}

// dx = s (dy g - x s^2 mean(dy g x)), dgain += dy x s; either may be left out (null)
template <typename W>
void norm_backward_row(const W* x, const W* g, const W* dy, W s, int64_t n, W* dx, W* dgain) {
  using V = at::vec::Vectorized<W>;
  const W dot = dx ? at::vec::map3_reduce_all<W>([](V a, V b, V c) { return a * b * c; }, [](V a, V b) { return a + b; }, x, g, dy, n)
                   : W(0);
  const V scale(s), pull(s * s * s * dot / static_cast<W>(n));
  for (int64_t i = 0; i < n; i += V::size()) {
    const int count = static_cast<int>(std::min<int64_t>(V::size(), n - i));
    const V xi = V::loadu(x + i, count), di = V::loadu(dy + i, count) * scale;
    if (dx) (di * V::loadu(g + i, count) - xi * pull).store(dx + i, count);
    if (dgain) (V::loadu(dgain + i, count) + di * xi).store(dgain + i, count);
  }
}

template <typename T>
void norm_backward(const Norm<T>& p, Wide<T>* sum, int64_t begin, int64_t end) {
  using W = Wide<T>;
  std::vector<W> x_buffer, dy_buffer, dx_buffer(p.dx.data && !std::is_same_v<T, W> ? p.width : 0);
  for (int64_t r = begin; r < end; r++) {
    const W *from_x = widened<T>(p.x.at(r), p.width, x_buffer), *from_dy = widened<T>(p.dy.at(r), p.width, dy_buffer);
    if constexpr (std::is_same_v<T, W>) {
      norm_backward_row<W>(from_x, p.gain, from_dy, p.scale[r], p.width, p.dx.data ? p.dx.at(r) : nullptr, sum);
    } else {
      norm_backward_row<W>(from_x, p.gain, from_dy, p.scale[r], p.width, p.dx.data ? dx_buffer.data() : nullptr, sum);
      if (p.dx.data) at::vec::convert(dx_buffer.data(), p.dx.at(r), p.width);
    }
  }
}

// Both activations are g * s(a(g)) with the logistic function s; a(g) is g for silu, 2 sqrt(2 / pi) (g + 0.044715 g^3) for gelu.
struct Silu {
  template <typename V>
  static V inner(V g) {
    return g;
  }
  template <typename V>
  static V slope(V) {
    return V(1);
  }
};

struct TanhGelu {
  static constexpr double kOne = 1.5957691216057308, kCube = 0.044715 * kOne;  // 2 sqrt(2 / pi)
  template <typename V>
  static V inner(V g) {
    return g * (V(kOne) + V(kCube) * g * g);
  }
  template <typename V>
  static V slope(V g) {
    return V(kOne) + V(3 * kCube) * g * g;
  }
};

template <typename A, typename V>
V gate_of(V g) {
  return V(1) / (V(1) + A::inner(g).neg().exp());
}

template <typename A, typename W>
void gated_forward_row(const W* gate, const W* up, W* out, int64_t n) {
  at::vec::map2([](auto g, auto u) { return g * gate_of<A>(g) * u; }, out, gate, up, n);
}

// dy -> dgate, dup
template <typename A, typename W>
void gated_backward_row(const W* gate, const W* up, const W* dy, W* dgate, W* dup, int64_t n) {
  using V = at::vec::Vectorized<W>;
  for (int64_t i = 0; i < n; i += V::size()) {
    const int count = static_cast<int>(std::min<int64_t>(V::size(), n - i));
    const V g = V::loadu(gate + i, count), u = V::loadu(up + i, count), d = V::loadu(dy + i, count);
    const V s = gate_of<A>(g), value = g * s;
    (d * value).store(dup + i, count);
    (d * u * s * (V(1) + (g - value) * A::slope(g))).store(dgate + i, count);
  }
}

// f(activation)
template <typename T, typename F>
void with_activation(const Gates<T>& g, F&& f) {
  if (g.activation == Activation::kSilu) f(Silu{});
  else f(TanhGelu{});
}

template <typename T>
void gated(const Gates<T>& g, int64_t begin, int64_t end) {
  with_activation(g, [&](auto activation) {
    using A = decltype(activation);
    for (int64_t r = begin; r < end; r++)
      over_row<T>(g.width, std::array{g.gate.at(r), g.up.at(r)}, std::array{g.out.at(r)},
                  [](const auto& in, const auto& to, int64_t n) { gated_forward_row<A>(in[0], in[1], to[0], n); });
  });
}

template <typename T>
void gated_backward(const Gates<T>& g, int64_t begin, int64_t end) {
  with_activation(g, [&](auto activation) {
    using A = decltype(activation);
    for (int64_t r = begin; r < end; r++)
      over_row<T>(g.width, std::array{g.gate.at(r), g.up.at(r), g.dy.at(r)}, std::array{g.dgate.at(r), g.dup.at(r)},
                  [](const auto& in, const auto& to, int64_t n) { gated_backward_row<A>(in[0], in[1], in[2], to[0], to[1], n); });
  });
}

}  // namespace
}  // namespace clha
