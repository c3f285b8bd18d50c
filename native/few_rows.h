// Products of a few rows with a matrix that is read once.
#pragma once
#include <cstdint>

namespace clha {

// Up to here reading the matrix takes longer than computing with it.
constexpr int64_t kFewRows = 16;

// y [m, n] = scale * (x [m, k] w^T) + bias, w [n, k] of f32 or int8; `ld`: numbers from one row to the next.
template <typename W>
struct FewRows {
  const float* x;
  const W* w;
  float* y;
  int64_t m, n, k, ldx, ldw, ldy;
  const float *scale = nullptr, *bias = nullptr;  // [n], or none
};
template <typename W>
void few_rows_product(const FewRows<W>& product);

// to [n] = scale * from
void widen_row(const int8_t* from, float scale, float* to, int64_t n);

}  // namespace clha
