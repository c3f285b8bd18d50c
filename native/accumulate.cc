#include "accumulate.h"

#include <ATen/ops/empty_like.h>

namespace clha {
namespace {
// CPU graphs are walked by the thread that asks; other devices' operators do not add in place.
thread_local bool accumulating = false;
}  // namespace

Accumulating::Accumulating() : before_(accumulating) { accumulating = true; }
Accumulating::~Accumulating() { accumulating = before_; }

std::optional<Sum> sum_of(const at::Tensor& weight) {
  if (!accumulating || !weight.is_leaf() || !weight.requires_grad() || !weight.device().is_cpu()) return std::nullopt;
  at::Tensor& grad = weight.mutable_grad();
  if (grad.defined()) return grad.is_contiguous() ? std::optional<Sum>({grad, false}) : std::nullopt;
  grad = at::empty_like(weight, at::MemoryFormat::Contiguous);
  return Sum{grad, true};
}

}  // namespace clha
