// The table of segments of a packed stream as attention reads it, and what has to be true of its inputs.
#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cpu/loops.h"

namespace clha {

struct Layout {
  std::vector<Segment> segments;
  std::vector<size_t> tasks;  // first segment of each task, and the end
  explicit Layout(const at::Tensor& table, int64_t q_rows, int64_t k_rows) {
    TORCH_CHECK(table.dim() == 2 && table.size(1) == 7 && table.scalar_type() == at::kLong && table.device().is_cpu(),
                "packed_attention: segments must be an i64 CPU tensor [n, 7]");
    const at::Tensor rows = table.contiguous();
    const auto* p = reinterpret_cast<const Segment*>(rows.const_data_ptr<int64_t>());
    segments.assign(p, p + rows.size(0));
    for (size_t i = 0; i < segments.size(); i++) {
      const Segment& s = segments[i];
      TORCH_CHECK(0 <= s.q0 && s.q0 <= s.q1 && s.q1 <= q_rows && 0 <= s.c0 && s.c0 <= s.c1 && s.c1 <= k_rows && 0 <= s.k0 &&
                      s.k0 <= s.k1 && s.k1 <= k_rows && s.q1 - s.q0 <= s.k1 - s.k0,
                  "packed_attention: segment ", i, " reaches outside of the stream");
      if (i == 0 || s.task != segments[i - 1].task) tasks.push_back(i);
    }
    tasks.push_back(segments.size());
  }
  int64_t count() const { return static_cast<int64_t>(tasks.size()) - 1; }
  // Segments of a task: the first, and the one behind the last
  std::pair<const Segment*, const Segment*> task(int64_t i) const { return {segments.data() + tasks[i], segments.data() + tasks[i + 1]}; }
};

inline void check_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t window, double softcap) {
  TORCH_CHECK(q.dim() == 3 && k.dim() == 3 && v.sizes() == k.sizes() && q.size(2) == k.size(2),
              "packed_attention: q [T, H, d], k and v [S, Hkv, d], found ", q.sizes(), ", ", k.sizes(), ", ", v.sizes());
  TORCH_CHECK(q.size(2) > 0, "packed_attention: heads have no dimensions");
  TORCH_CHECK(k.size(1) > 0 && q.size(1) % k.size(1) == 0, "packed_attention: query heads must be a multiple of key-value heads");
  TORCH_CHECK(q.scalar_type() == k.scalar_type() && k.scalar_type() == v.scalar_type(), "packed_attention: q, k, v differ in dtype");
  TORCH_CHECK(q.device() == k.device() && k.device() == v.device(), "packed_attention: q, k, v are on different devices");
  TORCH_CHECK(window >= 0, "packed_attention: window must not be negative (0: none), found ", window);
  TORCH_CHECK(softcap == 0 || (softcap >= 1e-6 && softcap <= 1e30),
              "packed_attention: softcap must be a positive number (0: none), found ", softcap);
}

// Segments must tile q in order: then every row of the result is written exactly once.
inline void check_tiling(const Layout& layout, int64_t rows) {
  int64_t at = 0;
  for (const Segment& s : layout.segments) {
    TORCH_CHECK(s.q0 == at, "packed_attention: segments must cover the query rows in order");
    at = s.q1;
  }
  TORCH_CHECK(at == rows, "packed_attention: segments cover ", at, " of ", rows, " query rows");
}

}  // namespace clha
