// Inverted dropout whose mask is never stored: which elements fall is a function of their place and the seed.
//
// x -> x / (1 - share) where an element stays, else 0. The mask of a seed is the same whatever the number of threads, in the
// forward, in the backward pass and when a block is computed again.
#include <algorithm>
#include <cstdint>
#include <type_traits>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/ones.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "cpu/loops.h"
#include "cuda/rows.h"

namespace clha {
namespace {

using at::Tensor;

constexpr int64_t kPart = 1 << 14;

template <typename T>
void apply(const Tensor& out, const Tensor& x, double share, int64_t seed) {
  at::parallel_for(0, x.numel(), kPart, [&, from = x.const_data_ptr<T>(), to = out.data_ptr<T>()](int64_t begin, int64_t end) {
    const auto& loops = row_loops<T>();
    if constexpr (std::is_same_v<T, Wide<T>>) {
      loops.drop(to + begin, from + begin, share, seed, begin, end);
    } else {
      std::vector<Wide<T>> wide(kPart);
      for (int64_t at = begin; at < end; at += kPart) {
        const int64_t stop = std::min(end, at + kPart);
        loops.drop(wide.data(), from + at, share, seed, at, stop);
        loops.drop_back(to + at, wide.data(), 0, 0, at, stop);
      }
    }
  });
}

template <typename T>
Tensor dropped_here(const Tensor& x, double share, int64_t seed) {
  const Tensor source = x.contiguous(), out = at::empty_like(source);
  apply<T>(out, source, share, seed);
  return out;
}

Tensor dropped(const Tensor& x, double share, int64_t seed) {
  if (cuda_dropout_takes(x)) return cuda_dropped(x, share, seed);
  if (x.device().is_cpu()) {
    if (x.scalar_type() == at::kDouble) return dropped_here<double>(x, share, seed);
    if (x.scalar_type() == at::kFloat) return dropped_here<float>(x, share, seed);
    if (x.scalar_type() == at::kBFloat16) return dropped_here<at::BFloat16>(x, share, seed);
  }
  return x * dropped_here<float>(at::ones(x.sizes(), at::kFloat), share, seed).to(x.options());
}

struct Dropout : public torch::autograd::Function<Dropout> {
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& x, double share, int64_t seed) {
    ctx->saved_data["share"] = share;
    ctx->saved_data["seed"] = seed;
    return dropped(x, share, seed);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::variable_list grads) {
    if (!grads[0].defined()) return torch::autograd::variable_list(3);
    return {dropped(grads[0], ctx->saved_data["share"].toDouble(), ctx->saved_data["seed"].toInt()), Tensor(), Tensor()};
  }
};

Tensor dropout(const Tensor& x, double share, int64_t seed) {
  TORCH_CHECK(share >= 0 && share < 1, "dropout: share must be in [0, 1), found ", share);
  return Dropout::apply(x, share, seed);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(clha, m) { m.def("dropout(Tensor x, float share, int seed) -> Tensor"); }
TORCH_LIBRARY_IMPL(clha, CompositeImplicitAutograd, m) { m.impl("dropout", dropout); }

}  // namespace clha
