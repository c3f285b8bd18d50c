// Gradients of weights added up where they belong: a backward pass that ends in `grad` of the leaves needs no tensor for each
// part, no zeros of a whole embedding for a few rows, and no pass that adds them up.
#pragma once
#include <optional>

#include <ATen/core/Tensor.h>

namespace clha {

// Operators may add while one lives. Not for gradients that are asked for by name.
struct Accumulating {
  Accumulating();
  ~Accumulating();
};

struct Sum {
  at::Tensor grad;
  bool fresh;  // uninitialised: to be written, not added to
};

// Where a weight's gradient is to be added; nothing where it has to be returned. Who takes it returns no gradient.
std::optional<Sum> sum_of(const at::Tensor& weight);

}  // namespace clha
