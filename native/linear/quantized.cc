// Linear layers whose weight is held in 8 or 4 bits: x [T, in], bias [out] -> [T, out]. The weight is frozen: gradients go to x
// and to the bias alone.
//   8 bits: weight [out, in] int8, scale [out] f32; a row stands for scale * row.
//   4 bits: weight [out, (in + 1) / 2] bytes of two codes of NF4, scale [out, blocks of 64] bf16; few_rows.h has the layout.
//
// Few rows of x, as in decoding, are bound by reading the weight, each of its bytes once (few_rows.h). Many rows are bound
// by arithmetic: blocks of the weight are widened to f32 and handed to the f32 products. Other devices widen all of it, for
// the forward and again for the backward pass, so that it is not kept in between.
#include <algorithm>
#include <map>
#include <mutex>
#include <tuple>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mul.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "cuda/kernels.h"
#include "cpu/few_rows.h"
#include "cpu/loops.h"
#include "linear/products.h"

namespace clha {
namespace {

using at::Tensor;

constexpr int64_t kScratch = int64_t{1} << 20;  // numbers of a widened block, 4 MiB

bool is_nf4(const Tensor& weight) { return weight.scalar_type() == at::kByte; }

template <typename W>
const W* rows_of(const Tensor& weight, int64_t row) {
  return static_cast<const W*>(weight.const_data_ptr()) + row * weight.size(1);
}
template <typename W>
const typename ScaleOf<W>::Type* scales_of(const Tensor& scale, int64_t row) {
  return scale.const_data_ptr<typename ScaleOf<W>::Type>() + row * scale.stride(0);
}

// Rows [begin, begin + block.size(0)) in f32
template <typename W>
void widen(const Tensor& block, const Tensor& weight, const Tensor& scale, int64_t begin) {
  const int64_t in = block.size(1), rows = block.size(0);
  float* to = block.data_ptr<float>();
  at::parallel_for(0, rows, std::max<int64_t>(1, (int64_t{1} << 15) / std::max<int64_t>(1, in)), [&](int64_t first, int64_t last) {
    for (int64_t r = first; r < last; r++) weight_loops<W>().widen(rows_of<W>(weight, begin + r), scales_of<W>(scale, begin + r), to + r * in, in);
  });
}

// f(block, begin, end) for blocks of widened rows of the weight, in order
template <typename F>
void over_blocks(const Tensor& weight, const Tensor& scale, int64_t in, F&& f) {
  const int64_t out = weight.size(0);
  const int64_t most = std::min(out, std::max<int64_t>(64, kScratch / in / 64 * 64));
  const Tensor scratch = at::empty({most, in}, weight.options().dtype(at::kFloat));
  for (int64_t begin = 0; begin < out; begin += most) {
    const int64_t end = std::min(out, begin + most);
    const Tensor block = scratch.slice(0, 0, end - begin);
    if (is_nf4(weight)) widen<Nf4>(block, weight, scale, begin);
    else widen<int8_t>(block, weight, scale, begin);
    f(block, begin, end);
  }
}

void many_rows(const Tensor& y, const Tensor& x, const Tensor& weight, const Tensor& scale, const std::optional<Tensor>& bias) {
  over_blocks(weight, scale, x.size(1), [&](const Tensor& block, int64_t begin, int64_t end) {
    const bool whole = end - begin == weight.size(0);
    const Tensor part = whole ? y : at::empty({x.size(0), end - begin}, x.options());
    if (bias) part.copy_(bias->slice(0, begin, end).expand_as(part));
    matmul_over_rows(part, x, block.t(), bias.has_value());
    if (!whole) y.slice(1, begin, end).copy_(part);
  });
}

template <typename W>
void few_rows(const Tensor& y, const Tensor& x, const Tensor& weight, const Tensor& scale, const std::optional<Tensor>& bias) {
  const Tensor b = bias ? bias->contiguous() : Tensor();
  few_rows_product<W>({x.const_data_ptr<float>(), rows_of<W>(weight, 0), y.data_ptr<float>(), x.size(0), weight.size(0), x.size(1),
                       x.size(1), weight.size(1), y.size(1), scales_of<W>(scale, 0), b.defined() ? b.const_data_ptr<float>() : nullptr});
}

// What the codes of each byte stand for, [256, 2]. Kept for each device, so that none waits for it twice.
Tensor nf4_pairs(at::Device device, at::ScalarType type) {
  static std::mutex mutex;
  static auto* tables = new std::map<std::pair<std::string, at::ScalarType>, Tensor>();
  const std::lock_guard<std::mutex> lock(mutex);
  Tensor& table = (*tables)[{device.str(), type}];
  if (!table.defined()) {
    const Tensor pairs = at::empty({256, 2}, at::kFloat);
    float* to = pairs.data_ptr<float>();
    for (int byte = 0; byte < 256; byte++) {
      to[2 * byte] = kNf4[byte & 15];
      to[2 * byte + 1] = kNf4[byte >> 4];
    }
    table = pairs.to(device, type);
  }
  return table;
}

// Numbers of blocks of `length`: codes [out, blocks, half of it], scale [out, blocks] -> [out, blocks * 2 * half]
Tensor nf4_numbers(const Tensor& codes, const Tensor& scale, at::ScalarType type) {
  const Tensor pairs = nf4_pairs(codes.device(), type).index_select(0, codes.reshape({-1}).to(at::kInt));
  const int64_t out = codes.size(0), blocks = codes.size(1), half = codes.size(2);
  Tensor numbers = at::empty({out, blocks, 2, half}, pairs.options());
  at::mul_out(numbers, pairs.view({out, blocks, half, 2}).transpose(2, 3), scale.to(type).view({out, blocks, 1, 1}));
  return numbers.view({out, blocks * 2 * half});
}

// On a GPU, by kernels of ours.
Tensor widened_there(const Tensor& weight, const Tensor& scale, int64_t in, at::ScalarType type) {
  const bool nf4 = is_nf4(weight);
  const Tensor out = at::empty({weight.size(0), in}, weight.options().dtype(type));
  const std::string name = std::string(nf4 ? "widen_nf4_" : "widen_int8_") + kernel_type(type);
  const int64_t blocks = (weight.numel() / 4 + 255) / 256;
  if (!nf4) launch(name, weight, blocks, 0, weight.const_data_ptr(), scale.const_data_ptr(), out.mutable_data_ptr(), out.size(0), static_cast<int>(in));
  else launch(name, weight, blocks, 0, weight.const_data_ptr(), scale.const_data_ptr(), nf4_pairs(weight.device(), at::kFloat).const_data_ptr(),
              out.mutable_data_ptr(), out.size(0), static_cast<int>(in));
  return out;
}

// The weight as [out, in] of `type`, by plain operators.
Tensor dequantized(const Tensor& weight, const Tensor& scale, int64_t in, at::ScalarType type) {
  const int64_t out = weight.size(0), blocks = in / kNf4Block, whole = blocks * kNf4Block;
  if (kernel_type(type) && has_cuda_kernels(weight) && in % (is_nf4(weight) ? kNf4Block : 4) == 0)
    return widened_there(weight, scale, in, type);
  if (!is_nf4(weight)) {
    const auto wide = type == at::kDouble ? at::kDouble : at::kFloat;
    return (weight.to(wide) * scale.to(wide).unsqueeze(1)).to(type);
  }
  const Tensor numbers = nf4_numbers(weight.narrow(1, 0, whole / 2).reshape({out, blocks, kNf4Block / 2}), scale.narrow(1, 0, blocks).contiguous(), type);
  if (in == whole) return numbers;
  const Tensor rest = nf4_numbers(weight.narrow(1, whole / 2, (in - whole + 1) / 2).unsqueeze(1), scale.narrow(1, blocks, 1).contiguous(), type);
  return at::cat({numbers, rest.narrow(1, 0, in - whole)}, 1);
}

struct LinearQuantized : public torch::autograd::Function<LinearQuantized> {
  static bool own_kernels(const Tensor& x) { return x.device().is_cpu() && x.scalar_type() == at::kFloat; }

  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& x_in, const Tensor& weight, const Tensor& scale,
                        const std::optional<Tensor>& bias) {
    ctx->save_for_backward({weight, scale});
    ctx->saved_data["in"] = x_in.size(1);
    ctx->saved_data["bias"] = bias.has_value();
    if (!own_kernels(x_in)) return at::linear(x_in, dequantized(weight, scale, x_in.size(1), x_in.scalar_type()), bias);
    const Tensor x = x_in.contiguous(), y = at::empty({x.size(0), weight.size(0)}, x.options());
    if (x.size(0) > kFewRows) many_rows(y, x, weight, scale, bias);
    else if (is_nf4(weight)) few_rows<Nf4>(y, x, weight, scale, bias);
    else few_rows<int8_t>(y, x, weight, scale, bias);
    return y;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &weight = saved[0], &scale = saved[1], dy = grads[0].contiguous();
    const int64_t in = ctx->saved_data["in"].toInt();
    Tensor dx, db;
    if (ctx->needs_input_grad(0) && own_kernels(dy)) {
      dx = at::empty({dy.size(0), in}, dy.options());
      over_blocks(weight, scale, in, [&](const Tensor& block, int64_t begin, int64_t end) {
        matmul_over_rows(dx, dy.slice(1, begin, end), block, begin > 0);
      });
    } else if (ctx->needs_input_grad(0)) {
      dx = dy.mm(dequantized(weight, scale, in, dy.scalar_type()));
    }
    if (ctx->saved_data["bias"].toBool() && ctx->needs_input_grad(3)) db = dy.sum(0);
    return {dx, Tensor(), Tensor(), db};
  }
};

void check(const Tensor& x, const Tensor& weight, const Tensor& scale, const std::optional<Tensor>& bias) {
  TORCH_CHECK(x.dim() == 2 && weight.dim() == 2, "linear_quantized: x [T, in], weight [out, in], found ", x.sizes(), ", ", weight.sizes());
  const int64_t out = weight.size(0), in = x.size(1);
  const bool nf4 = is_nf4(weight);
  const auto scales = nf4 ? std::vector<int64_t>{out, nf4_blocks(in)} : std::vector<int64_t>{out};
  TORCH_CHECK(weight.size(1) == (nf4 ? (in + 1) / 2 : in) && scale.sizes() == at::IntArrayRef(scales) && (!bias || bias->sizes() == weight.sizes().slice(0, 1)),
              "linear_quantized: x [T, in], weight [out, in] and scale [out], or weight [out, in / 2] and scale [out, in / 64], bias [out], found ", x.sizes(),
              ", ", weight.sizes(), ", ", scale.sizes());
  TORCH_CHECK((nf4 ? scale.scalar_type() == at::kBFloat16 : weight.scalar_type() == at::kChar && scale.scalar_type() == at::kFloat) &&
                  at::isFloatingType(x.scalar_type()) && (!bias || bias->scalar_type() == x.scalar_type()),
              "linear_quantized: weight int8 and scale f32, or weight u8 and scale bf16, bias as x, found ", weight.scalar_type(), ", ", scale.scalar_type());
}

Tensor linear_quantized_composed(const Tensor& x, const Tensor& weight, const Tensor& scale, const std::optional<Tensor>& bias) {
  check(x, weight, scale, bias);
  return at::linear(x, dequantized(weight, scale, x.size(1), x.scalar_type()), bias);
}

Tensor linear_quantized(const Tensor& x, const Tensor& weight, const Tensor& scale, const std::optional<Tensor>& bias) {
  check(x, weight, scale, bias);
  if (x.numel() == 0 || weight.numel() == 0) return linear_quantized_composed(x, weight, scale, bias);
  const Tensor w = weight.contiguous(), s = scale.contiguous();
  if (!x.device().is_cpu() || x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble) return LinearQuantized::apply(x, w, s, bias);
  const auto wide_bias = bias ? std::optional<Tensor>(bias->to(at::kFloat)) : std::nullopt;
  return LinearQuantized::apply(x.to(at::kFloat), w, s, wide_bias).to(x.scalar_type());
}

void check_matrix(const Tensor& weight, const char* name) {
  TORCH_CHECK(weight.dim() == 2 && weight.scalar_type() == at::kFloat && weight.device().is_cpu(), name,
              ": weight [out, in] f32 on the CPU, found ", weight.scalar_type(), " ", weight.sizes());
}

// f(row, r) for the rows of a matrix, in parallel
template <typename F>
void over_rows(const Tensor& weight, F&& f) {
  const Tensor whole = weight.contiguous();
  const float* from = whole.const_data_ptr<float>();
  const int64_t out = whole.size(0), in = whole.size(1);
  at::parallel_for(0, out, std::max<int64_t>(1, (int64_t{1} << 14) / std::max<int64_t>(1, in)), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r++) f(from + r * in, r);
  });
}

// weight [out, in] f32 -> int8 and scale [out]: the largest of a row becomes ±127, the others are rounded. The scale of a row
// with a number that is not finite is NaN.
std::tuple<Tensor, Tensor> quantize_int8(const Tensor& weight) {
  check_matrix(weight, "quantize_int8");
  const Tensor q = at::empty(weight.sizes(), weight.options().dtype(at::kChar)), scale = at::empty(weight.sizes().slice(0, 1), weight.options());
  over_rows(weight, [&, in = weight.size(1), to = q.data_ptr<int8_t>(), scales = scale.data_ptr<float>()](const float* row, int64_t r) {
    loops().weight_int8.quantize(row, in, to + r * in, scales + r);
  });
  return {q, scale};
}

// weight [out, in] f32 -> NF4 [out, (in + 1) / 2] and scale [out, blocks] bf16, each the largest of its block. The scale of a
// block with a number that is not finite is NaN.
std::tuple<Tensor, Tensor> quantize_nf4(const Tensor& weight) {
  check_matrix(weight, "quantize_nf4");
  const int64_t out = weight.size(0), in = weight.size(1), bytes = (in + 1) / 2, blocks = nf4_blocks(in);
  const Tensor q = at::empty({out, bytes}, weight.options().dtype(at::kByte)), scale = at::empty({out, blocks}, weight.options().dtype(at::kBFloat16));
  auto* to = static_cast<Nf4*>(q.mutable_data_ptr());
  over_rows(weight, [&, scales = scale.data_ptr<c10::BFloat16>()](const float* row, int64_t r) {
    loops().weight_nf4.quantize(row, in, to + r * bytes, scales + r * blocks);
  });
  return {q, scale};
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(clha, m) {
  m.def("linear_quantized(Tensor x, Tensor weight, Tensor scale, Tensor? bias=None) -> Tensor");
  m.def("linear_quantized_composed(Tensor x, Tensor weight, Tensor scale, Tensor? bias=None) -> Tensor");
  m.def("quantize_int8(Tensor weight) -> (Tensor, Tensor)");
  m.def("quantize_nf4(Tensor weight) -> (Tensor, Tensor)");
}
TORCH_LIBRARY_IMPL(clha, CompositeImplicitAutograd, m) {
  m.impl("linear_quantized", linear_quantized);
  m.impl("linear_quantized_composed", linear_quantized_composed);
  m.impl("quantize_int8", quantize_int8);
  m.impl("quantize_nf4", quantize_nf4);
}

}  // namespace clha
