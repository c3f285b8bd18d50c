// Linear layers whose weight is stored in 8 bits: x [T, in], weight [out, in] int8, scale [out] f32, bias [out] -> [T, out].
// A weight's row stands for scale * weight. It is frozen: gradients go to x and to the bias alone.
//
// Few rows of x, as in decoding, are bound by reading the weight: a kernel reads each of its bytes once. Many rows are bound
// by arithmetic: blocks of the weight are widened to f32 and handed to the f32 products.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <tuple>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "matmul.h"

namespace clha {
namespace {

using at::Tensor;

// Lanes of the compiler's own vectors: a register's worth where the machine has one, else it takes several.
#if defined(__AVX512F__)
constexpr int64_t kLanes = 16;
#else
constexpr int64_t kLanes = 8;
#endif
typedef float Floats __attribute__((vector_size(kLanes * sizeof(float))));
typedef int32_t Ints __attribute__((vector_size(kLanes * sizeof(int32_t))));
typedef int8_t Bytes __attribute__((vector_size(kLanes)));

template <typename V, typename T>
inline V load(const T* from) {
  V v;
  std::memcpy(&v, from, sizeof(V));
  return v;
}

// GCC widens bytes one by one where it is not told the instruction.
inline Floats widened(const int8_t* from) {
#if defined(__AVX512F__)
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
#elif defined(__AVX2__)
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))));
#else
  return __builtin_convertvector(__builtin_convertvector(load<Bytes>(from), Ints), Floats);
#endif
}

inline float sum_of_lanes(Floats v) {
  for (int64_t half = kLanes / 2; half > 0; half /= 2)
    for (int64_t i = 0; i < half; i++) v[i] += v[i + half];
  return v[0];
}

constexpr int64_t kRows = 4;    // output rows that are summed side by side
constexpr int64_t kTokens = 4;  // rows of x that share a reading of the weight's registers
constexpr int64_t kAhead = 4096;  // bytes
constexpr int64_t kFew = 16;    // up to here the kernel is the faster way

// sums[t * kRows + r] = x[t] . weight[r] of `Rows` rows and `Tokens` tokens that follow each other. The order of a sum's terms
// depends on `in` alone, so that a result depends neither on the threads nor on what stands beside it.
template <int64_t Rows, int64_t Tokens>
void dots(const float* x, int64_t in, const int8_t* weight, float* sums) {
  Floats sum[Tokens][Rows];  // in registers: the loops over them have to be unrolled
#pragma GCC unroll 4
  for (int64_t t = 0; t < Tokens; t++)
#pragma GCC unroll 4
    for (int64_t r = 0; r < Rows; r++) sum[t][r] = Floats{};
  // Rows follow each other in memory: what comes after these is asked for in the order in which it lies.
  const int8_t* next = weight + std::max(kRows * in, kAhead);
  int64_t i = 0;
  for (; i + kLanes <= in; i += kLanes) {
    __builtin_prefetch(next + Rows * i);
    Floats w[Rows];
#pragma GCC unroll 4
    for (int64_t r = 0; r < Rows; r++) w[r] = widened(weight + r * in + i);
#pragma GCC unroll 4
    for (int64_t t = 0; t < Tokens; t++) {
      const Floats v = load<Floats>(x + t * in + i);
#pragma GCC unroll 4
      for (int64_t r = 0; r < Rows; r++) sum[t][r] += v * w[r];
    }
  }
#pragma GCC unroll 4
  for (int64_t t = 0; t < Tokens; t++)
#pragma GCC unroll 4
    for (int64_t r = 0; r < Rows; r++) {
      float total = sum_of_lanes(sum[t][r]);
      for (int64_t k = i; k < in; k++) total += x[t * in + k] * static_cast<float>(weight[r * in + k]);
      sums[t * kRows + r] = total;
    }
}

template <int64_t Rows>
void dots_of(int64_t tokens, const float* x, int64_t in, const int8_t* weight, float* sums) {
  if (tokens == 1) dots<Rows, 1>(x, in, weight, sums);
  else if (tokens == 2) dots<Rows, 2>(x, in, weight, sums);
  else if (tokens == 3) dots<Rows, 3>(x, in, weight, sums);
  else dots<Rows, 4>(x, in, weight, sums);
}

void few_rows(const Tensor& y, const Tensor& x, const Tensor& weight, const Tensor& scale, const float* bias) {
  const int64_t tokens = x.size(0), in = x.size(1), out = weight.size(0);
  const float *from = x.const_data_ptr<float>(), *scales = scale.const_data_ptr<float>();
  const int8_t* w = weight.const_data_ptr<int8_t>();
  float* to = y.data_ptr<float>();
  const int64_t grain = std::max<int64_t>(1, (int64_t{1} << 15) / (kRows * std::max<int64_t>(1, in * tokens)));
  at::parallel_for(0, (out + kRows - 1) / kRows, grain, [&](int64_t begin, int64_t end) {
    float sums[kTokens * kRows];
    for (int64_t block = begin; block < end; block++) {
      const int64_t first = block * kRows, rows = std::min(kRows, out - first);
      for (int64_t t = 0; t < tokens; t += kTokens) {
        const int64_t count = std::min(kTokens, tokens - t);
        if (rows == kRows) dots_of<kRows>(count, from + t * in, in, w + first * in, sums);
        else
          for (int64_t r = 0; r < rows; r++) dots_of<1>(count, from + t * in, in, w + (first + r) * in, sums + r);
        for (int64_t k = 0; k < count; k++)
          for (int64_t r = 0; r < rows; r++) {
            const int64_t o = first + r;
            to[(t + k) * out + o] = sums[k * kRows + r] * scales[o] + (bias ? bias[o] : 0.0f);
          }
      }
    }
  });
}

constexpr int64_t kScratch = int64_t{1} << 20;  // numbers of a widened block, 4 MiB

// scale * weight of rows [begin, begin + block.size(0)), in f32
void widen(const Tensor& block, const Tensor& weight, const Tensor& scale, int64_t begin) {
  const int64_t in = weight.size(1), rows = block.size(0);
  const int8_t* w = weight.const_data_ptr<int8_t>() + begin * in;
  const float* scales = scale.const_data_ptr<float>() + begin;
  float* to = block.data_ptr<float>();
  at::parallel_for(0, rows, std::max<int64_t>(1, (int64_t{1} << 15) / std::max<int64_t>(1, in)), [&](int64_t first, int64_t last) {
    for (int64_t r = first; r < last; r++) {
      const int8_t* source = w + r * in;
      float* target = to + r * in;
      int64_t i = 0;
      for (; i + kLanes <= in; i += kLanes) {
        const Floats v = widened(source + i) * scales[r];
        std::memcpy(target + i, &v, sizeof(v));
      }
      for (; i < in; i++) target[i] = static_cast<float>(source[i]) * scales[r];
    }
  });
}

// f(block, begin, end) for blocks of widened rows of the weight, in order
template <typename F>
void over_blocks(const Tensor& weight, const Tensor& scale, F&& f) {
  const int64_t out = weight.size(0), in = weight.size(1);
  const int64_t most = std::min(out, std::max<int64_t>(64, kScratch / in / 64 * 64));
  const Tensor scratch = at::empty({most, in}, scale.options());
  for (int64_t begin = 0; begin < out; begin += most) {
    const int64_t end = std::min(out, begin + most);
    const Tensor block = scratch.slice(0, 0, end - begin);
    widen(block, weight, scale, begin);
    f(block, begin, end);
  }
}

void many_rows(const Tensor& y, const Tensor& x, const Tensor& weight, const Tensor& scale, const std::optional<Tensor>& bias) {
  over_blocks(weight, scale, [&](const Tensor& block, int64_t begin, int64_t end) {
    const bool whole = end - begin == weight.size(0);
    const Tensor part = whole ? y : at::empty({x.size(0), end - begin}, x.options());
    if (bias) part.copy_(bias->slice(0, begin, end).expand_as(part));
    matmul_over_rows(part, x, block.t(), bias.has_value());
    if (!whole) y.slice(1, begin, end).copy_(part);
  });
}

struct LinearInt8 : public torch::autograd::Function<LinearInt8> {
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& x_in, const Tensor& weight, const Tensor& scale,
                        const std::optional<Tensor>& bias) {
    ctx->save_for_backward({weight, scale});
    ctx->saved_data["bias"] = bias.has_value();
    const Tensor x = x_in.contiguous(), y = at::empty({x.size(0), weight.size(0)}, x.options());
    if (x.size(0) > kFew) {
      many_rows(y, x, weight, scale, bias);
    } else {
      const Tensor b = bias ? bias->contiguous() : Tensor();
      few_rows(y, x, weight, scale, b.defined() ? b.const_data_ptr<float>() : nullptr);
    }
    return y;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &weight = saved[0], &scale = saved[1], dy = grads[0].contiguous();
    Tensor dx, db;
    if (ctx->needs_input_grad(0)) {
      dx = at::empty({dy.size(0), weight.size(1)}, dy.options());
      over_blocks(weight, scale, [&](const Tensor& block, int64_t begin, int64_t end) {
        matmul_over_rows(dx, dy.slice(1, begin, end), block, begin > 0);
      });
    }
    if (ctx->saved_data["bias"].toBool() && ctx->needs_input_grad(3)) db = dy.sum(0);
    return {dx, Tensor(), Tensor(), db};
  }
};

void check(const Tensor& x, const Tensor& weight, const Tensor& scale, const std::optional<Tensor>& bias) {
  const auto rows = weight.sizes().slice(0, 1);
  TORCH_CHECK(x.dim() == 2 && weight.dim() == 2 && x.size(1) == weight.size(1) && scale.sizes() == rows && (!bias || bias->sizes() == rows),
              "linear_int8: x [T, in], weight [out, in], scale [out], bias [out], found ", x.sizes(), ", ", weight.sizes(), ", ", scale.sizes());
  TORCH_CHECK(weight.scalar_type() == at::kChar && scale.scalar_type() == at::kFloat && at::isFloatingType(x.scalar_type()) &&
                  (!bias || bias->scalar_type() == x.scalar_type()),
              "linear_int8: weight int8, scale f32, bias as x, found ", weight.scalar_type(), ", ", scale.scalar_type());
}

Tensor linear_int8_composed(const Tensor& x, const Tensor& weight, const Tensor& scale, const std::optional<Tensor>& bias) {
  check(x, weight, scale, bias);
  const auto type = x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  return at::linear(x, (weight.to(type) * scale.to(type).unsqueeze(1)).to(x.scalar_type()), bias);
}

Tensor linear_int8(const Tensor& x, const Tensor& weight, const Tensor& scale, const std::optional<Tensor>& bias) {
  check(x, weight, scale, bias);
  if (!x.device().is_cpu() || x.scalar_type() == at::kDouble || x.numel() == 0 || weight.numel() == 0)
    return linear_int8_composed(x, weight, scale, bias);
  const Tensor w = weight.contiguous(), s = scale.contiguous();
  if (x.scalar_type() == at::kFloat) return LinearInt8::apply(x, w, s, bias);
  const auto wide_bias = bias ? std::optional<Tensor>(bias->to(at::kFloat)) : std::nullopt;
  return LinearInt8::apply(x.to(at::kFloat), w, s, wide_bias).to(x.scalar_type());
}

// weight [out, in] f32 -> int8 and scale [out]: the largest of a row becomes ±127, the others are rounded. The scale of a row
// with a number that is not finite is NaN.
std::tuple<Tensor, Tensor> quantize_int8(const Tensor& weight_in) {
  TORCH_CHECK(weight_in.dim() == 2 && weight_in.scalar_type() == at::kFloat && weight_in.device().is_cpu(),
              "quantize_int8: weight [out, in] f32 on the CPU, found ", weight_in.scalar_type(), " ", weight_in.sizes());
  const Tensor weight = weight_in.contiguous();
  const int64_t out = weight.size(0), in = weight.size(1);
  const Tensor q = at::empty({out, in}, weight.options().dtype(at::kChar)), scale = at::empty({out}, weight.options());
  const float* from = weight.const_data_ptr<float>();
  int8_t* to = q.data_ptr<int8_t>();
  float* scales = scale.data_ptr<float>();
  at::parallel_for(0, out, std::max<int64_t>(1, (int64_t{1} << 14) / std::max<int64_t>(1, in)), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) {
      const float* row = from + r * in;
      float largest = 0;
      bool finite = true;
      for (int64_t i = 0; i < in; i++) {
        const float size = std::fabs(row[i]);
        finite = finite && size <= std::numeric_limits<float>::max();
        largest = std::max(largest, size);
      }
      const float step = finite ? largest / 127.0f : std::numeric_limits<float>::quiet_NaN();
      scales[r] = step;
      for (int64_t i = 0; i < in; i++) {
        const float level = step > 0 ? std::nearbyint(row[i] / step) : 0.0f;
        to[r * in + i] = static_cast<int8_t>(std::clamp(level, -127.0f, 127.0f));
      }
    }
  });
  return {q, scale};
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(clha, m) {
  m.def("linear_int8(Tensor x, Tensor weight, Tensor scale, Tensor? bias=None) -> Tensor");
  m.def("linear_int8_composed(Tensor x, Tensor weight, Tensor scale, Tensor? bias=None) -> Tensor");
  m.def("quantize_int8(Tensor weight) -> (Tensor, Tensor)");
}
TORCH_LIBRARY_IMPL(clha, CompositeImplicitAutograd, m) {
  m.impl("linear_int8", linear_int8);
  m.impl("linear_int8_composed", linear_int8_composed);
  m.impl("quantize_int8", quantize_int8);
}

}  // namespace clha
