// How libtorch's kernels may order their sums.
#pragma once
#include <ATen/Context.h>

namespace clha {

// Sums in a fixed order where libtorch has such a kernel, a warning where it has none: what the addon begins with.
inline void prefer_fixed_order() { at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/true); }

// While one lives: only kernels of a fixed order, also where libtorch leaves that to choose.
struct FixedOrder {
  FixedOrder() { at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/false); }
  ~FixedOrder() { prefer_fixed_order(); }
};

// While one lives: any order, for what has none.
struct AnyOrder {
  AnyOrder() { at::globalContext().setDeterministicAlgorithms(false, /*warn_only=*/false); }
  ~AnyOrder() { prefer_fixed_order(); }
};

}  // namespace clha
