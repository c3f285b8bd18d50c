// Rows of a weight rounded to 8 and 4 bits: linear/quantized.cc.
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu/loops.h"

namespace clha {
namespace {

// The largest of some numbers without their signs; NaN where one is not finite.
float largest_of(const float* from, int64_t n) {
  float largest = 0;
  bool finite = true;
  for (int64_t i = 0; i < n; i++) {
    const float size = std::fabs(from[i]);
    finite = finite && size <= std::numeric_limits<float>::max();
    largest = std::max(largest, size);
  }
  return finite ? largest : std::numeric_limits<float>::quiet_NaN();
}

void quantize(const float* from, int64_t n, int8_t* to, float* scale) {
  const float step = *scale = largest_of(from, n) / 127.0f;
  for (int64_t i = 0; i < n; i++) {
    const float level = step > 0 ? std::nearbyint(from[i] / step) : 0.0f;
    to[i] = static_cast<int8_t>(std::clamp(level, -127.0f, 127.0f));
  }
}

// Codes of the nearest numbers of NF4 to those of one block; returns its scale.
c10::BFloat16 quantize_block(const float* from, int64_t n, Nf4* to) {
  const c10::BFloat16 scale(largest_of(from, n));
  const float step = static_cast<float>(scale);
  float numbers[kNf4Block] = {};
  int32_t codes[kNf4Block] = {};
  for (int64_t i = 0; i < n; i++) numbers[i] = step > 0 ? from[i] / step : 0.0f;
  for (int code = 0; code < 15; code++) {
    const float between = 0.5f * (kNf4[code] + kNf4[code + 1]);
    for (int64_t i = 0; i < kNf4Block; i++) codes[i] += numbers[i] > between;
  }
  const int64_t half = (n + 1) / 2;
  for (int64_t i = 0; i < half; i++) to[i].codes = static_cast<uint8_t>(codes[i] | (half + i < n ? codes[half + i] << 4 : 0));
  return scale;
}

void quantize(const float* from, int64_t n, Nf4* to, c10::BFloat16* scales) {
  for (int64_t at = 0; at < n; at += kNf4Block) scales[at / kNf4Block] = quantize_block(from + at, std::min(kNf4Block, n - at), to + at / 2);
}

}  // namespace
}  // namespace clha
