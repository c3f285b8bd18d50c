// Rotary position embedding on packed heads, forward and backward in one pass over memory each.
//
// x [T, H, d], cos and sin [T, r/2] (r <= d rotated, the rest passes): pairs are (i, i + r/2), as Hugging Face lays them out.
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "cpu/loops.h"
#include "cuda/rows.h"

namespace clha {
namespace {

using at::Tensor;

template <typename T>
void rotate(const Tensor& x, const Tensor& cos, const Tensor& sin, T sign, const Tensor& out) {
  const Rotation<T> rotation{x.const_data_ptr<T>(), cos.const_data_ptr<T>(), sin.const_data_ptr<T>(), out.data_ptr<T>(),
                             x.size(1), x.size(2), cos.size(1), x.stride(0), x.stride(1), sign};
  at::parallel_for(0, x.size(0), 64, [&](int64_t begin, int64_t end) { real_loops<T>().rotate(rotation, begin, end); });
}

Tensor rotate_any(const Tensor& x_in, const Tensor& cos, const Tensor& sin, int sign) {
  const Tensor x = x_in.stride(2) == 1 ? x_in : x_in.contiguous();  // a part of a fused projection needs no copy
  Tensor out = at::empty(x.sizes(), x.options());
  if (x.scalar_type() == at::kDouble) rotate<double>(x, cos, sin, sign, out);
  else rotate<float>(x, cos, sin, static_cast<float>(sign), out);
  return out;
}

Tensor turned(const Tensor& x, const Tensor& cos, const Tensor& sin, int sign) {
  return x.is_cpu() ? rotate_any(x, cos, sin, sign) : cuda_rotated(x, cos, sin, sign);
}

struct Rotary : public torch::autograd::Function<Rotary> {
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& x, const Tensor& cos, const Tensor& sin) {
    ctx->save_for_backward({cos, sin});
    return turned(x, cos, sin, 1);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    return {turned(grads[0], saved[0], saved[1], -1), Tensor(), Tensor()};
  }
};

Tensor composed_rotary(const Tensor& x, const Tensor& cos, const Tensor& sin) {
  const int64_t half = cos.size(1);
  const Tensor a = x.slice(2, 0, half), b = x.slice(2, half, 2 * half), rest = x.slice(2, 2 * half);
  const Tensor c = cos.unsqueeze(1).to(x.scalar_type()), s = sin.unsqueeze(1).to(x.scalar_type());
  return at::cat({a * c - b * s, b * c + a * s, rest}, 2);
}

Tensor rotary(const Tensor& x, const Tensor& cos, const Tensor& sin) {
  TORCH_CHECK(x.dim() == 3 && cos.dim() == 2 && cos.sizes() == sin.sizes() && cos.size(0) == x.size(0) && 2 * cos.size(1) <= x.size(2),
              "rotary: x [T, H, d], cos and sin [T, r/2], found ", x.sizes(), ", ", cos.sizes());
  TORCH_CHECK(x.device() == cos.device() && cos.device() == sin.device() && cos.scalar_type() == sin.scalar_type(),
              "rotary: cos and sin differ in dtype, or are not on the device of x");
  const bool native = x.device().is_cpu() && x.scalar_type() == cos.scalar_type() &&
                      (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble);
  if (native) return Rotary::apply(x, cos.contiguous(), sin.contiguous());
  return cuda_rotary_takes(x, cos, sin) ? Rotary::apply(x, cos, sin) : composed_rotary(x, cos, sin);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(clha, m) {
  m.def("rotary(Tensor x, Tensor cos, Tensor sin) -> Tensor");
  m.def("rotary_composed(Tensor x, Tensor cos, Tensor sin) -> Tensor");
}
TORCH_LIBRARY_IMPL(clha, CompositeImplicitAutograd, m) {
  m.impl("rotary", rotary);
  m.impl("rotary_composed", composed_rotary);
}

}  // namespace clha
