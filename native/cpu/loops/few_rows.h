// Products of a few rows, and rows of 8 and 4 bits widened: cpu/few_rows.h.
#pragma once
#include <algorithm>
#include <type_traits>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "cpu/loops.h"

namespace clha {
namespace {

// Accumulators stay in registers only where loops over them are unrolled, which -O2 leaves out.
#define CLHA_UNROLL _Pragma("GCC unroll 16")

// Lanes of a vector, and accumulators of a tile: half of the registers, and three quarters of AVX2's sixteen where nothing
// is unpacked.
#if defined(__AVX512F__)
constexpr int kLanes = 16;
constexpr int kPlainAccumulators = 16;
#elif defined(__AVX2__)
constexpr int kLanes = 8;
constexpr int kPlainAccumulators = 12;
#else
constexpr int kLanes = 8;
constexpr int kPlainAccumulators = 8;
#endif
template <typename W, int kRows>
constexpr int kColumnsOf = (kRows > 1 && (std::is_same_v<W, float> || std::is_same_v<W, c10::BFloat16>) ? kPlainAccumulators : kLanes) / kRows;
constexpr int64_t kColumnsAtOnce = kPlainAccumulators == 12 ? 24 : 16;  // rows of W that stay near while all rows of x pass
constexpr int64_t kAhead = 4096;  // numbers of W that are on their way from memory
typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float)), aligned(sizeof(float))));
typedef int Order __attribute__((vector_size(kLanes * sizeof(int))));

inline Lanes load(const float* p) { return *reinterpret_cast<const Lanes*>(p); }

// GCC widens bytes one by one where it is not told the instruction.
inline Lanes load(const int8_t* p) {
  Lanes out;
#if defined(__AVX512F__)
  out = reinterpret_cast<Lanes>(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))));
#elif defined(__AVX2__)
  out = reinterpret_cast<Lanes>(_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)))));
#else
  for (int i = 0; i < kLanes; i++) out[i] = p[i];
#endif
  return out;
}

// bf16 is the upper half of f32.
inline Lanes load(const c10::BFloat16* p) {
#if defined(__AVX512F__)
  return reinterpret_cast<Lanes>(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))), 16));
#elif defined(__AVX2__)
  return reinterpret_cast<Lanes>(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))), 16));
#else
  Order bits;
  for (int i = 0; i < kLanes; i++) bits[i] = static_cast<int>(static_cast<uint32_t>(p[i].x) << 16);
  return reinterpret_cast<Lanes>(bits);
#endif
}

// The numbers of NF4 times a scale. A lookup takes the low half of each code.
struct Nf4Table {
#if defined(__AVX512F__)
  __m512 values;
  explicit Nf4Table(float scale) : values(_mm512_mul_ps(_mm512_load_ps(kNf4), _mm512_set1_ps(scale))) {}
  void load(const Nf4* p, Lanes& low, Lanes& high) const {
    const __m512i codes = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    low = reinterpret_cast<Lanes>(_mm512_permutexvar_ps(codes, values));
    high = reinterpret_cast<Lanes>(_mm512_permutexvar_ps(_mm512_srli_epi32(codes, 4), values));
  }
#elif defined(__AVX2__)
  __m256 below, above;
  explicit Nf4Table(float scale)
      : below(_mm256_mul_ps(_mm256_load_ps(kNf4), _mm256_set1_ps(scale))), above(_mm256_mul_ps(_mm256_load_ps(kNf4 + 8), _mm256_set1_ps(scale))) {}
  Lanes at(__m256i codes) const {
    const __m256 sign = _mm256_castsi256_ps(_mm256_slli_epi32(codes, 28));
    return reinterpret_cast<Lanes>(_mm256_blendv_ps(_mm256_permutevar8x32_ps(below, codes), _mm256_permutevar8x32_ps(above, codes), sign));
  }
  void load(const Nf4* p, Lanes& low, Lanes& high) const {
    const __m256i codes = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
    low = at(codes);
    high = at(_mm256_srli_epi32(codes, 4));
  }
#else
  float values[16];
  explicit Nf4Table(float scale) {
    for (int i = 0; i < 16; i++) values[i] = kNf4[i] * scale;
  }
  void load(const Nf4* p, Lanes& low, Lanes& high) const {
    for (int i = 0; i < kLanes; i++) {
      low[i] = values[p[i].codes & 15];
      high[i] = values[p[i].codes >> 4];
    }
  }
#endif
};

// Number `at` of a row of n.
inline float number(const Nf4* row, const c10::BFloat16* scales, int64_t at, int64_t n) {
  const int64_t block = at / kNf4Block, first = block * kNf4Block, half = (std::min(kNf4Block, n - first) + 1) / 2, place = at - first;
  const int codes = row[first / 2 + (place < half ? place : place - half)].codes;
  return kNf4[place < half ? codes & 15 : codes >> 4] * static_cast<float>(scales[block]);
}
template <typename W>
inline float number(const W* row, const float*, int64_t at, int64_t) {
  return static_cast<float>(row[at]);
}

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

// The sums of kLanes accumulators; `sums[i]` is that of accumulator i.
template <int kStride = kLanes / 2>
inline void fold_all(Lanes* acc, float* sums) {
  CLHA_UNROLL
  for (int i = 0; i < kStride; i++) acc[i] = fold<kStride>(acc[i], acc[i + kStride]);
  if constexpr (kStride > 1) fold_all<kStride / 2>(acc, sums);
  else *reinterpret_cast<Lanes*>(sums) = acc[0];
}

// Adds up the vectors of kRows rows of x and of rows of W, as far as whole ones reach, and says how far that is.
template <int kRows, bool kFetches, typename W, int kColumns>
[[gnu::always_inline]] inline int64_t add_vectors(const FewRows<W>& p, const float* x, const W* const (&row)[kColumns],
                                                  const float* const (&)[kColumns], Lanes* acc) {
  const int64_t whole = p.k / kLanes * kLanes;
  for (int64_t at = 0; at < whole; at += kLanes) {
    Lanes part[kRows];
    CLHA_UNROLL
    for (int r = 0; r < kRows; r++) part[r] = load(x + r * p.ldx + at);
    CLHA_UNROLL
    for (int i = 0; i < kColumns; i++) {
      if (kFetches) __builtin_prefetch(row[i] + at + kAhead);
      const Lanes weights = load(row[i] + at);
      CLHA_UNROLL
      for (int r = 0; r < kRows; r++) acc[r * kColumns + i] += part[r] * weights;
    }
  }
  return whole;
}

template <int kRows, bool kFetches, int kColumns>
[[gnu::always_inline]] inline int64_t add_vectors(const FewRows<Nf4>& p, const float* x, const Nf4* const (&row)[kColumns],
                                                  const c10::BFloat16* const (&scale)[kColumns], Lanes* acc) {
  constexpr int64_t kHalf = kNf4Block / 2;
  const int64_t whole = p.k / kNf4Block * kNf4Block;
  for (int64_t at = 0; at < whole; at += kNf4Block) {
    CLHA_UNROLL
    for (int i = 0; i < kColumns; i++) {
      if (kFetches) __builtin_prefetch(row[i] + (at + kAhead) / 2);
      const Nf4Table table(static_cast<float>(scale[i][at / kNf4Block]));
      CLHA_UNROLL
      for (int64_t place = 0; place < kHalf; place += kLanes) {
        Lanes low, high;
        table.load(row[i] + at / 2 + place, low, high);
        CLHA_UNROLL
        for (int r = 0; r < kRows; r++) {
          const float* from = x + r * p.ldx + at + place;
          acc[r * kColumns + i] += load(from) * low;
          acc[r * kColumns + i] += load(from + kHalf) * high;
        }
      }
    }
  }
  return whole;
}

// Products of kRows rows of x with kColumnsOf rows of W, from row `c` of W on. `kFetches`: W is not near yet.
template <int kRows, bool kFetches, typename W>
void tile(const FewRows<W>& p, int64_t r0, int64_t c, float* y, int64_t ldy) {
  constexpr int kColumns = kColumnsOf<W, kRows>, kGroups = (kRows * kColumns + kLanes - 1) / kLanes;
  constexpr bool kBlocks = std::is_same_v<W, Nf4>;
  const int64_t columns = std::min<int64_t>(kColumns, p.n - c), scales = kBlocks ? nf4_blocks(p.k) : 1;
  const float* x = p.x + r0 * p.ldx;
  // Rows of W that are not there are read as the last one, and thrown away.
  const W* row[kColumns];
  const typename ScaleOf<W>::Type* scale[kColumns];
  for (int i = 0; i < kColumns; i++) {
    const int64_t from = c + std::min<int64_t>(i, columns - 1);
    row[i] = p.w + from * p.ldw;
    scale[i] = p.scale + (p.scale ? from * scales : 0);
  }
  Lanes acc[kGroups * kLanes] = {};
  const int64_t whole = add_vectors<kRows, kFetches>(p, x, row, scale, acc);
  float sums[kGroups * kLanes];
  CLHA_UNROLL
  for (int group = 0; group < kGroups; group++) fold_all(acc + group * kLanes, sums + group * kLanes);
  for (int r = 0; r < kRows; r++) {
    for (int64_t i = 0; i < columns; i++) {
      float sum = sums[r * kColumns + i];
      for (int64_t at = whole; at < p.k; at++) sum += x[r * p.ldx + at] * number(row[i], scale[i], at, p.k);
      if (!kBlocks && p.scale) sum *= static_cast<float>(*scale[i]);
      y[r * ldy + i] = sum + (p.bias ? p.bias[c + i] : 0.0f);
    }
  }
}

template <typename W>
void few_rows(const FewRows<W>& p, int64_t begin, int64_t end) {
  // Rows of y lie a power of two apart often enough: they are written in one go.
  float near[kFewRows * kColumnsAtOnce];
  static_assert(kColumnsAPart % kColumnsAtOnce == 0);
  for (int64_t c = begin * kColumnsAPart; c < std::min(end * kColumnsAPart, p.n); c += kColumnsAtOnce) {
    const int64_t columns = std::min(kColumnsAtOnce, p.n - c);
    int64_t r = 0;
    const auto rows = [&](auto count) {
      constexpr int kRows = decltype(count)::value;
      static_assert(kColumnsAtOnce % kColumnsOf<W, kRows> == 0);
      for (; r + kRows <= p.m; r += kRows) {
        for (int64_t i = 0; i < columns; i += kColumnsOf<W, kRows>) {
          float* y = near + r * kColumnsAtOnce + i;
          if (r == 0) tile<kRows, true>(p, r, c + i, y, kColumnsAtOnce);
          else tile<kRows, false>(p, r, c + i, y, kColumnsAtOnce);
        }
      }
    };
    rows(std::integral_constant<int, 4>());
    rows(std::integral_constant<int, 2>());
    rows(std::integral_constant<int, 1>());
    for (r = 0; r < p.m; r++) std::copy_n(near + r * kColumnsAtOnce, columns, p.y + r * p.ldy + c);
  }
}

void widen(const int8_t* from, const float* scale, float* to, int64_t n) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) *reinterpret_cast<Lanes*>(to + i) = load(from + i) * *scale;
  for (; i < n; i++) to[i] = static_cast<float>(from[i]) * *scale;
}

void widen(const Nf4* from, const c10::BFloat16* scales, float* to, int64_t n) {
  constexpr int64_t kHalf = kNf4Block / 2;
  int64_t i = 0;
  for (; i + kNf4Block <= n; i += kNf4Block) {
    const Nf4Table table(static_cast<float>(scales[i / kNf4Block]));
    for (int64_t place = 0; place < kHalf; place += kLanes) {
      Lanes low, high;
      table.load(from + i / 2 + place, low, high);
      *reinterpret_cast<Lanes*>(to + i + place) = low;
      *reinterpret_cast<Lanes*>(to + i + place + kHalf) = high;
    }
  }
  for (; i < n; i++) to[i] = number(from, scales, i, n);
}

}  // namespace
}  // namespace clha
