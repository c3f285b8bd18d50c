// The inner loops of the CPU's kernels: pointers and sizes in, no tensors, no threads. They are compiled once for each level of
// vector instructions (loops/table.cc), and loops() is the table for this processor. Who calls shares the work out among threads.
#pragma once
#include <cstdint>
#include <type_traits>

#include "cpu/few_rows.h"

namespace clha {

// Rows of a packed stream, cpu/attention.cc says which.
struct Segment {
  int64_t q0, q1, c0, c1, k0, k1, task;
};

// [rows, heads, d] with whole heads: how far rows and heads lie apart.
template <typename T>
struct Heads {
  T* data = nullptr;
  int64_t row = 0, head = 0;
};

template <typename T>
struct Attention {
  Heads<const T> q, k, v;
  Heads<T> out;
  T* lse;  // [T, heads]
  int64_t heads, kv_heads;
  int d;
  T scale, softcap;  // softcap 0: none
  int64_t window;    // 0: none
  Heads<const T> dout;
  Heads<T> dq, dk, dv;
};

// x [T, H, d], of which the last is whole; cos and sin [T, half]; out [T, H, d]
template <typename T>
struct Rotation {
  const T *x, *cos, *sin;
  T* out;
  int64_t heads, d, half, row, head;
  T sign;
};

// logits [r, V] of the targets [r]; logp, lse, grad [r], hit [r]
template <typename T>
struct Targets {
  T* logits;
  const int64_t* target;
  int64_t vocabulary;
  T softcap;          // 0: none
  bool exponentials;  // logits are, or become, exp(logit - largest), and lse the factor that makes these probabilities
  T *logp, *lse;
  bool* hit;
  const T* grad;
};

// What a row of T is computed in.
template <typename T>
using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;

// Rows of one length that may lie apart.
template <typename T>
struct Rows {
  T* data = nullptr;
  int64_t stride = 0;
  T* at(int64_t r) const { return data + r * stride; }
};

template <typename T>
struct Norm {
  Rows<const T> x, dy;
  Rows<T> y, dx;  // dx may be left out
  const Wide<T>* gain;
  Wide<T>* scale;  // [rows], written by the forward pass
  int64_t width;
  double eps;
};

enum class Activation { kSilu, kTanhGelu };

template <typename T>
struct Gates {
  Rows<const T> gate, up, dy;
  Rows<T> out, dgate, dup;
  int64_t width;
  Activation activation;
};

// Loops of float and double; [begin, end) are rows unless something else is said.
template <typename T>
struct RealLoops {
  void (*attention)(const Attention<T>&, const Segment* first, const Segment* last, int64_t head);
  // All query heads of a key-value head; adds to dk and dv.
  void (*attention_backward)(const Attention<T>&, const Segment* first, const Segment* last, int64_t kv_head);
  void (*rotate)(const Rotation<T>&, int64_t begin, int64_t end);
  // sum[ids[t]] += rows[t], t in order, for columns [begin, end)
  void (*add_rows)(T* sum, const T* rows, const int64_t* ids, int64_t count, int64_t width, int64_t begin, int64_t end);
  void (*cap_logits)(const Targets<T>&, int64_t begin, int64_t end);
  void (*read_targets)(const Targets<T>&, int64_t begin, int64_t end);
  void (*to_gradient)(const Targets<T>&, int64_t begin, int64_t end);
};

// Loops of float, double and bf16
template <typename T>
struct RowLoops {
  // Dropout of elements, widened and back; the first of them at `to` and `from`, which may be the same.
  void (*drop)(Wide<T>* to, const T* from, double share, int64_t seed, int64_t begin, int64_t end);
  void (*drop_back)(T* to, Wide<T>* from, double share, int64_t seed, int64_t begin, int64_t end);
  void (*norm)(const Norm<T>&, int64_t begin, int64_t end);
  // `sum` [width], or none: where the gain's gradient of these rows is added
  void (*norm_backward)(const Norm<T>&, Wide<T>* sum, int64_t begin, int64_t end);
  void (*gated)(const Gates<T>&, int64_t begin, int64_t end);
  void (*gated_backward)(const Gates<T>&, int64_t begin, int64_t end);
};

// Loops of float, bf16, int8 and NF4 weights
template <typename W>
struct WeightLoops {
  void (*few_rows)(const FewRows<W>&, int64_t begin, int64_t end);  // parts of kColumnsAPart rows of the weight
  void (*widen)(const W* from, const typename ScaleOf<W>::Type* scale, float* to, int64_t n);
  void (*quantize)(const float* from, int64_t n, W* to, typename ScaleOf<W>::Type* scale);
};

struct Loops {
  RealLoops<float> f32;
  RealLoops<double> f64;
  RowLoops<float> rows_f32;
  RowLoops<double> rows_f64;
  RowLoops<c10::BFloat16> rows_bf16;
  WeightLoops<float> weight_f32;  // `few_rows` alone, as of bf16
  WeightLoops<c10::BFloat16> weight_bf16;
  WeightLoops<int8_t> weight_int8;
  WeightLoops<Nf4> weight_nf4;
};

// The table for this processor.
const Loops& loops();

template <typename T>
const RealLoops<T>& real_loops() {
  if constexpr (std::is_same_v<T, double>) return loops().f64;
  else return loops().f32;
}
template <typename T>
const RowLoops<T>& row_loops() {
  if constexpr (std::is_same_v<T, double>) return loops().rows_f64;
  else if constexpr (std::is_same_v<T, float>) return loops().rows_f32;
  else return loops().rows_bf16;
}
template <typename W>
const WeightLoops<W>& weight_loops() {
  if constexpr (std::is_same_v<W, Nf4>) return loops().weight_nf4;
  else if constexpr (std::is_same_v<W, int8_t>) return loops().weight_int8;
  else if constexpr (std::is_same_v<W, c10::BFloat16>) return loops().weight_bf16;
  else return loops().weight_f32;
}

}  // namespace clha
