// Gradients of an embedding's rows: cpu/embedding.cc.
#pragma once
#include <cstdint>

#include "cpu/loops.h"

namespace clha {
namespace {

template <typename T>
void add_rows(T* sum, const T* rows, const int64_t* ids, int64_t count, int64_t width, int64_t begin, int64_t end) {
  for (int64_t t = 0; t < count; t++) {
    T* target = sum + ids[t] * width;
    const T* source = rows + t * width;
#pragma omp simd
    for (int64_t c = begin; c < end; c++) target[c] += source[c];
  }
}

}  // namespace
}  // namespace clha
