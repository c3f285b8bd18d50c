#include "runtime/accumulate.h"

#include <atomic>

#include <ATen/ops/empty_like.h>

namespace clha {
namespace {
// A CPU's graph is walked by the thread that asks, a GPU's by one of its own; one backward pass runs at a time.
std::atomic<int> accumulating = 0;
}  // namespace

Accumulating::Accumulating() { accumulating++; }
Accumulating::~Accumulating() { accumulating--; }

std::optional<Sum> sum_of(const at::Tensor& weight) {
  if (!accumulating || !weight.is_leaf() || !weight.requires_grad() || !(weight.device().is_cpu() || weight.device().is_cuda())) return std::nullopt;
  at::Tensor& grad = weight.mutable_grad();
  if (grad.defined()) return grad.is_contiguous() ? std::optional<Sum>({grad, false}) : std::nullopt;
  grad = at::empty_like(weight, at::MemoryFormat::Contiguous);
  return Sum{grad, true};
}

}  // namespace clha
