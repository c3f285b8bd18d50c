// y [m, n] = x [m, k] W^T for a few rows of x, as in decoding: W [n, k] is read once, at the speed of memory, for all rows.
//
// Each number of y is summed in an order of its own, which neither the other rows nor the number of threads change.
#include <algorithm>
#include <type_traits>

#include <ATen/Parallel.h>

#include "few_rows.h"

namespace clha {
namespace {

// Accumulators stay in registers only where loops over them are unrolled, which -O2 leaves out.
#define CLHA_UNROLL _Pragma("GCC unroll 16")

constexpr int kLanes = 16;
constexpr int64_t kAhead = 4096;  // numbers of W that are on their way from memory
typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float)), aligned(sizeof(float))));
typedef int Order __attribute__((vector_size(kLanes * sizeof(int))));

inline Lanes load(const float* p) { return *reinterpret_cast<const Lanes*>(p); }

// Which lanes of two vectors side by side are added: each pair of groups of kStride lanes, first of a, then of b.
template <int kStride>
struct Fold {
  alignas(64) int even[kLanes] = {}, odd[kLanes] = {};
  constexpr Fold() {
    for (int i = 0; i < kLanes; i++) {
      const int base = i / (2 * kStride) * 2 * kStride, place = i % kStride, side = i / kStride % 2 ? kLanes : 0;
      even[i] = side + base + place;
      odd[i] = side + base + kStride + place;
    }
  }
};
template <int kStride>
constexpr Fold<kStride> kFold;

inline Lanes pick(Lanes a, Lanes b, const int* from) {
#ifdef __clang__
  Lanes out;
  CLHA_UNROLL
  for (int i = 0; i < kLanes; i++) out[i] = from[i] < kLanes ? a[from[i]] : b[from[i] - kLanes];
  return out;
#else
  return __builtin_shuffle(a, b, *reinterpret_cast<const Order*>(from));
#endif
}

template <int kStride>
inline Lanes fold(Lanes a, Lanes b) {
  return pick(a, b, kFold<kStride>.even) + pick(a, b, kFold<kStride>.odd);
}

// The sums of 16 accumulators; `sums[i]` is that of accumulator i.
inline void fold_all(Lanes (&acc)[kLanes], float* sums) {
  CLHA_UNROLL
  for (int i = 0; i < 8; i++) acc[i] = fold<8>(acc[i], acc[i + 8]);
  CLHA_UNROLL
  for (int i = 0; i < 4; i++) acc[i] = fold<4>(acc[i], acc[i + 4]);
  CLHA_UNROLL
  for (int i = 0; i < 2; i++) acc[i] = fold<2>(acc[i], acc[i + 2]);
  *reinterpret_cast<Lanes*>(sums) = fold<1>(acc[0], acc[1]);
}

// Products of kRows rows of x with 16 / kRows rows of W.
template <int kRows>
void tile(const float* x, int64_t ldx, const float* w, int64_t ldw, int64_t k, float* y, int64_t ldy, int64_t columns) {
  constexpr int kColumns = kLanes / kRows;
  Lanes acc[kLanes] = {};
  const int64_t whole = k / kLanes * kLanes;
  // Rows of W that are not there are read as the last one, and thrown away.
  const float* row[kColumns];
  for (int c = 0; c < kColumns; c++) row[c] = w + std::min<int64_t>(c, columns - 1) * ldw;
  for (int64_t at = 0; at < whole; at += kLanes) {
    Lanes part[kRows];
    CLHA_UNROLL
    for (int r = 0; r < kRows; r++) part[r] = load(x + r * ldx + at);
    CLHA_UNROLL
    for (int c = 0; c < kColumns; c++) {
      __builtin_prefetch(row[c] + at + kAhead);
      const Lanes weights = load(row[c] + at);
      CLHA_UNROLL
      for (int r = 0; r < kRows; r++) acc[r * kColumns + c] += part[r] * weights;
    }
  }
  float sums[kLanes];
  fold_all(acc, sums);
  for (int r = 0; r < kRows; r++) {
    for (int64_t c = 0; c < std::min<int64_t>(kColumns, columns); c++) {
      float sum = sums[r * kColumns + c];
      for (int64_t at = whole; at < k; at++) sum += x[r * ldx + at] * row[c][at];
      y[r * ldy + c] = sum;
    }
  }
}

template <int kRows>
void tiles(const float* x, int64_t ldx, const float* w, int64_t ldw, int64_t k, float* y, int64_t ldy, int64_t columns) {
  constexpr int64_t kColumns = kLanes / kRows;
  for (int64_t c = 0; c < columns; c += kColumns) tile<kRows>(x, ldx, w + c * ldw, ldw, k, y + c, ldy, columns - c);
}

constexpr int64_t kColumnsAtOnce = 16;  // rows of W that stay near while all rows of x pass

}  // namespace

void few_rows_product(const FewRows& p) {
  const int64_t blocks = (p.n + kColumnsAtOnce - 1) / kColumnsAtOnce;
  const int64_t grain = std::max<int64_t>(1, (int64_t{1} << 15) / std::max<int64_t>(1, p.m * p.k * kColumnsAtOnce));
  at::parallel_for(0, blocks, grain, [&](int64_t begin, int64_t end) {
    // Rows of y lie a power of two apart often enough: they are written in one go.
    float near[kFewRows * kColumnsAtOnce];
    for (int64_t block = begin; block < end; block++) {
      const int64_t c = block * kColumnsAtOnce, columns = std::min(kColumnsAtOnce, p.n - c);
      const float* w = p.w + c * p.ldw;
      int64_t r = 0;
      const auto rows = [&](auto count) {
        constexpr int kRows = decltype(count)::value;
        for (; r + kRows <= p.m; r += kRows)
          tiles<kRows>(p.x + r * p.ldx, p.ldx, w, p.ldw, p.k, near + r * kColumnsAtOnce, kColumnsAtOnce, columns);
      };
      rows(std::integral_constant<int, 4>());
      rows(std::integral_constant<int, 2>());
      rows(std::integral_constant<int, 1>());
      for (r = 0; r < p.m; r++) std::copy_n(near + r * kColumnsAtOnce, columns, p.y + r * p.ldy + c);
    }
  });
}

}  // namespace clha
