// Linear layers whose weight is stored in 8 bits: x [T, in], weight [out, in] int8, scale [out] f32, bias [out] -> [T, out].
// A weight's row stands for scale * weight. It is frozen: gradients go to x and to the bias alone.
//
// Few rows of x, as in decoding, are bound by reading the weight, each of its bytes once (few_rows.h). Many rows are bound
// by arithmetic: blocks of the weight are widened to f32 and handed to the f32 products.
#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "few_rows.h"
#include "matmul.h"

namespace clha {
namespace {

using at::Tensor;

constexpr int64_t kScratch = int64_t{1} << 20;  // numbers of a widened block, 4 MiB

// scale * weight of rows [begin, begin + block.size(0)), in f32
void widen(const Tensor& block, const Tensor& weight, const Tensor& scale, int64_t begin) {
  const int64_t in = weight.size(1), rows = block.size(0);
  const int8_t* w = weight.const_data_ptr<int8_t>() + begin * in;
  const float* scales = scale.const_data_ptr<float>() + begin;
  float* to = block.data_ptr<float>();
  at::parallel_for(0, rows, std::max<int64_t>(1, (int64_t{1} << 15) / std::max<int64_t>(1, in)), [&](int64_t first, int64_t last) {
    for (int64_t r = first; r < last; r++) widen_row(w + r * in, scales[r], to + r * in, in);
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
    if (x.size(0) > kFewRows) {
      many_rows(y, x, weight, scale, bias);
    } else {
      const Tensor b = bias ? bias->contiguous() : Tensor();
      few_rows_product<int8_t>({x.const_data_ptr<float>(), weight.const_data_ptr<int8_t>(), y.data_ptr<float>(), x.size(0),
                                weight.size(0), x.size(1), x.size(1), x.size(1), y.size(1), scale.const_data_ptr<float>(),
                                b.defined() ? b.const_data_ptr<float>() : nullptr});
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
