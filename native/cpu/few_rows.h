// Products of a few rows with a matrix that is read once.
#pragma once
#include <cstdint>

#include <c10/util/BFloat16.h>

namespace clha {

// Up to here reading the matrix takes longer than computing with it.
constexpr int64_t kFewRows = 16;
constexpr int64_t kColumnsAPart = 48;  // rows of W that a thread takes at once: a multiple of the blocks of every level

// Two numbers in NF4. Blocks of a row, of which the last may be shorter, have a scale each. Byte j of a block holds its number
// j in the low half, in the high half the one that lies half a block (rounded up) further.
struct Nf4 {
  uint8_t codes;
};
constexpr int64_t kNf4Block = 64;
constexpr int64_t nf4_blocks(int64_t n) { return (n + kNf4Block - 1) / kNf4Block; }

// Dettmers et al., arXiv 2305.14314, appendix E
alignas(64) constexpr float kNf4[16] = {
    -1.0f, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f, -0.28444138169288635f, -0.18477343022823334f, -0.09105003625154495f, 0.0f,
    0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f, 0.44070982933044434f, 0.5626170039176941f, 0.7229568362236023f, 1.0f};

// What the scales of a matrix are: one for each row, or for each block.
template <typename W>
struct ScaleOf {
  using Type = float;
};
template <>
struct ScaleOf<Nf4> {
  using Type = c10::BFloat16;
};

// y [m, n] = x [m, k] w^T + bias, w [n, k] of f32, bf16, int8 or NF4; `ld`: numbers (bytes of NF4) from one row to the next.
template <typename W>
struct FewRows {
  const float* x;
  const W* w;
  float* y;
  int64_t m, n, k, ldx, ldw, ldy;
  const typename ScaleOf<W>::Type* scale = nullptr;  // [n], none for f32 and bf16; NF4: [n, blocks]
  const float* bias = nullptr;                       // [n], or none
};
template <typename W>
void few_rows_product(const FewRows<W>& product);

}  // namespace clha
