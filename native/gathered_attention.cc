// Packed attention by libtorch's flash attention. It takes sequences that lie one after the other, so the rows of each segment's
// context and its own are gathered once; gradients of a context that several segments share add up in the gather's own backward.
// Its causal mask is bottom-right aligned and its window counts the keys before the query: the same rule as in attention.cc.
//
// On a device without it the same gathered rows go through plain operators: that is how the gathering is tested.
#include "gathered_attention.h"

#include <map>
#include <tuple>

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_flash_attention_backward.h>
#include <ATen/ops/_flash_attention_forward.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <torch/library.h>

#include "attention_layout.h"

namespace clha {
namespace {

using at::Tensor;

// What flash attention asks for in place of a table of segments.
struct Sequences {
  std::vector<int64_t> q_ends, k_ends;  // cumulative lengths, from 0
  int64_t max_q = 0, max_k = 0;
  Tensor rows;              // of k and v, in order of the sequences; undefined where they lie so already
  Tensor q_starts, k_starts;  // cumulative lengths on the device, i32
};

Sequences sequences_of(const Tensor& table, const Tensor& q, const Tensor& k) {
  const Layout layout(table, q.size(0), k.size(0));
  check_tiling(layout, q.size(0));
  Sequences out;
  std::vector<int64_t> rows;
  out.q_ends = out.k_ends = {0};
  bool in_order = true;
  for (const Segment& s : layout.segments) {
    for (int64_t row = s.c0; row < s.c1; row++) rows.push_back(row);
    for (int64_t row = s.k0; row < s.k1; row++) rows.push_back(row);
    out.q_ends.push_back(s.q1);
    out.k_ends.push_back(static_cast<int64_t>(rows.size()));
    out.max_q = std::max(out.max_q, s.q1 - s.q0);
    out.max_k = std::max(out.max_k, (s.c1 - s.c0) + (s.k1 - s.k0));
  }
  for (size_t i = 0; i < rows.size() && in_order; i++) in_order = rows[i] == static_cast<int64_t>(i);
  const auto on_device = [&](const std::vector<int64_t>& numbers, at::ScalarType type) {
    return at::tensor(numbers, at::kLong).to(q.device(), type, /*non_blocking=*/true);
  };
  if (!in_order || static_cast<int64_t>(rows.size()) != k.size(0)) out.rows = on_device(rows, at::kLong);
  out.q_starts = on_device(out.q_ends, at::kInt);
  out.k_starts = on_device(out.k_ends, at::kInt);
  return out;
}

// All layers of a model read one table: its sequences travel to the device once.
struct Remembered {
  Tensor table;  // held, so that its address is not another table's
  uint32_t version;
  at::Device device{at::kCPU};
  int64_t q_rows, k_rows;
  Sequences sequences;
};

const Sequences& remembered(const Tensor& table, const Tensor& q, const Tensor& k) {
  thread_local auto* last = new Remembered();  // never destroyed: the device may be gone when the process ends
  const uint32_t version = table.unsafeGetTensorImpl()->version_counter().current_version();
  const bool same = last->table.defined() && last->table.is_same(table) && last->version == version && last->device == q.device() &&
                    last->q_rows == q.size(0) && last->k_rows == k.size(0);
  if (!same) *last = {table, version, q.device(), q.size(0), k.size(0), sequences_of(table, q, k)};
  return last->sequences;
}

Tensor dense(const Tensor& t) { return t.stride(2) == 1 ? t : t.contiguous(); }

std::optional<int64_t> keys_before(int64_t window) { return window > 0 ? std::make_optional(window - 1) : std::nullopt; }
std::optional<int64_t> keys_after(int64_t window) { return window > 0 ? std::make_optional<int64_t>(0) : std::nullopt; }

Tensor flash(const Tensor& q, const Tensor& k, const Tensor& v, const Sequences& s, double scale, int64_t window) {
  return std::get<0>(at::_flash_attention_forward(dense(q), dense(k), dense(v), s.q_starts, s.k_starts, s.max_q, s.max_k,
                                                  /*dropout_p=*/0.0, /*is_causal=*/true, /*return_debug_mask=*/false, scale,
                                                  keys_before(window), keys_after(window)));
}

// What flash computes, sequence by sequence.
Tensor one_by_one(const Tensor& q, const Tensor& k, const Tensor& v, const Sequences& s, double scale, int64_t window) {
  const int64_t group = q.size(1) / k.size(1);
  std::vector<Tensor> parts;
  for (size_t i = 0; i + 1 < s.q_ends.size(); i++) {
    const auto keys = [&](const Tensor& t) {  // [keys, Hkv, d] -> [H, keys, d]
      return t.slice(0, s.k_ends[i], s.k_ends[i + 1]).repeat_interleave(group, 1).transpose(0, 1);
    };
    const int64_t nq = s.q_ends[i + 1] - s.q_ends[i], nk = s.k_ends[i + 1] - s.k_ends[i];
    const Tensor ones = at::ones({nq, nk}, q.options().dtype(at::kBool));
    Tensor hidden = ones.triu(nk - nq + 1);
    if (window > 0) hidden = hidden.bitwise_or(ones.tril(nk - nq - window));
    const Tensor scores = at::matmul(q.slice(0, s.q_ends[i], s.q_ends[i + 1]).transpose(0, 1), keys(k).transpose(1, 2)) * scale;
    const Tensor p = at::softmax(scores.masked_fill(hidden, -std::numeric_limits<double>::infinity()), -1);
    parts.push_back(at::matmul(p, keys(v)).transpose(0, 1));
  }
  return parts.empty() ? at::zeros_like(q) : at::cat(parts);
}

// Forward and backward of one short sequence: what libtorch and the device refuse shows here.
bool flash_works(const Tensor& like) {
  const at::AutoGradMode off(false);
  try {
    const Tensor x = at::zeros({16, 1, like.size(2)}, like.options());
    const Tensor starts = at::tensor({0, 16}, at::kInt).to(like.device());
    const auto [out, lse, rng, unused, mask] =
        at::_flash_attention_forward(x, x, x, starts, starts, 16, 16, 0.0, true, false, 1.0);
    at::_flash_attention_backward(x, x, x, x, out, lse, starts, starts, 16, 16, 0.0, true, rng, unused, 1.0);
    return true;
  } catch (const c10::Error&) {
    return false;
  }
}

Tensor gathered(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& segments, double scale, int64_t window) {
  check_attention(q, k, v, window, 0);
  return gathered_attention(q, k, v, segments, scale, window);
}

}  // namespace

bool flash_attends(const Tensor& q, const Tensor& k, double softcap) {
  const bool half = q.scalar_type() == at::kHalf || q.scalar_type() == at::kBFloat16;
  if (!q.device().is_cuda() || !half || softcap != 0 || q.size(0) == 0) return false;
  static auto* known = new std::map<std::tuple<int, int, int64_t>, bool>();
  const std::tuple<int, int, int64_t> kind{q.device().index(), static_cast<int>(q.scalar_type()), q.size(2)};
  const auto found = known->find(kind);
  return found != known->end() ? found->second : known->emplace(kind, flash_works(q)).first->second;
}

Tensor gathered_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& segments, double scale, int64_t window) {
  const Sequences& s = remembered(segments, q, k);
  const auto rows = [&](const Tensor& t) { return s.rows.defined() ? t.index_select(0, s.rows) : t; };
  return flash_attends(q, k, 0) ? flash(q, rows(k), rows(v), s, scale, window) : one_by_one(q, rows(k), rows(v), s, scale, window);
}

}  // namespace clha

TORCH_LIBRARY_FRAGMENT(clha, m) {
  m.def("packed_attention_gathered(Tensor q, Tensor k, Tensor v, Tensor segments, float scale, int window=0) -> Tensor");
}
TORCH_LIBRARY_IMPL(clha, CompositeImplicitAutograd, m) { m.impl("packed_attention_gathered", clha::gathered); }
