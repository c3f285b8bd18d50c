// Products of a few rows with a matrix that is read once.
#pragma once
#include <cstdint>

namespace clha {

constexpr int64_t kFewRows = 16;

// y [m, n] = x [m, k] w^T, w [n, k]; `ld`: numbers from one row to the next.
struct FewRows {
  const float *x, *w;
  float* y;
  int64_t m, n, k, ldx, ldw, ldy;
};
void few_rows_product(const FewRows& product);

}  // namespace clha
