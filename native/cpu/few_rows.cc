// y [m, n] = x [m, k] W^T for a few rows of x, as in decoding: W [n, k], of f32, bf16, int8 or NF4, is read once, at the speed of memory.
//
// Each number of y is summed in an order of its own, which neither the other rows nor the number of threads change.
#include "cpu/few_rows.h"

#include <algorithm>

#include <ATen/Parallel.h>

#include "cpu/loops.h"

namespace clha {

template <typename W>
void few_rows_product(const FewRows<W>& p) {
  const int64_t parts = (p.n + kColumnsAPart - 1) / kColumnsAPart;
  const int64_t grain = std::max<int64_t>(1, (int64_t{1} << 15) / std::max<int64_t>(1, p.m * p.k * kColumnsAPart));
  at::parallel_for(0, parts, grain, [&](int64_t begin, int64_t end) { weight_loops<W>().few_rows(p, begin, end); });
}

template void few_rows_product<float>(const FewRows<float>&);
template void few_rows_product<c10::BFloat16>(const FewRows<c10::BFloat16>&);
template void few_rows_product<int8_t>(const FewRows<int8_t>&);
template void few_rows_product<Nf4>(const FewRows<Nf4>&);

}  // namespace clha
