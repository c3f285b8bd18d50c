// Packed attention by libtorch's kernels for GPUs: flash attention for half precision, its memory-efficient one for f32. They take
// sequences that lie one after the other, so the rows of each segment's context and its own are gathered once; gradients of a
// context that several segments share add up on the way back, in a fixed order. The causal mask is bottom-right aligned and a
// window counts the keys before the query: the same rule as in attention.cc.
//
// Where neither works the same gathered rows go through plain operators: that is how the gathering is tested.
#include "cuda/gathered_attention.h"

#include <map>
#include <tuple>

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_efficient_attention_backward.h>
#include <ATen/ops/_efficient_attention_forward.h>
#include <ATen/ops/_flash_attention_backward.h>
#include <ATen/ops/_flash_attention_forward.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "cpu/attention_layout.h"
#include "cuda/kernels.h"
#include "runtime/order.h"

namespace clha {
namespace {

using at::Tensor;

// What flash attention asks for in place of a table of segments.
struct Sequences {
  std::vector<int64_t> q_ends, k_ends;  // cumulative lengths, from 0
  int64_t max_q = 0, max_k = 0;
  Tensor rows;                // of k and v, in order of the sequences; undefined where they lie so already
  Tensor q_starts, k_starts;  // cumulative lengths on the device, i32
  Tensor takers, takers_ends;  // i32: places among `rows` that took a row of k, row by row; where each row's places end, from 0
};

// rows -> for each of `count` rows the places that took it, in order
std::pair<std::vector<int64_t>, std::vector<int64_t>> takers_of(const std::vector<int64_t>& rows, int64_t count) {
  std::vector<int64_t> ends(count + 1, 0), places(rows.size());
  for (const int64_t row : rows) ends[row + 1]++;
  for (int64_t i = 0; i < count; i++) ends[i + 1] += ends[i];
  std::vector<int64_t> next(ends.begin(), ends.end() - 1);
  for (size_t i = 0; i < rows.size(); i++) places[next[rows[i]]++] = static_cast<int64_t>(i);
  return {places, ends};
}

Sequences sequences_of(const Tensor& table, const Tensor& q, const Tensor& k, bool learns) {
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
  if (!in_order || static_cast<int64_t>(rows.size()) != k.size(0)) {
    out.rows = on_device(rows, at::kLong);
    if (learns) {
      const auto [places, ends] = takers_of(rows, k.size(0));
      out.takers = on_device(places, at::kInt);
      out.takers_ends = on_device(ends, at::kInt);
    }
  }
  out.q_starts = on_device(out.q_ends, at::kInt);
  out.k_starts = on_device(out.k_ends, at::kInt);
  return out;
}

// All layers of a model read one table: its sequences travel to the device once.
struct Remembered {
  Tensor table;  // held, so that its address is not another table's
  uint32_t version;
  bool learns;  // gradients will be asked for
  at::Device device{at::kCPU};
  int64_t q_rows, k_rows;
  Sequences sequences;
};

const Sequences& remembered(const Tensor& table, const Tensor& q, const Tensor& k) {
  thread_local auto* last = new Remembered();  // never destroyed: the device may be gone when the process ends
  const uint32_t version = table.unsafeGetTensorImpl()->version_counter().current_version();
  const bool learns = k.requires_grad() && at::GradMode::is_enabled();
  const bool same = last->table.defined() && last->table.is_same(table) && last->version == version && last->device == q.device() &&
                    last->q_rows == q.size(0) && last->k_rows == k.size(0) && (last->learns || !learns);
  if (!same) *last = {table, version, learns, q.device(), q.size(0), k.size(0), sequences_of(table, q, k, learns)};
  return last->sequences;
}

Tensor dense(const Tensor& t) { return t.stride(2) == 1 ? t : t.contiguous(); }

std::optional<int64_t> keys_before(int64_t window) { return window > 0 ? std::make_optional(window - 1) : std::nullopt; }
std::optional<int64_t> keys_after(int64_t window) { return window > 0 ? std::make_optional<int64_t>(0) : std::nullopt; }

enum Kind : int64_t { kPlain, kFlash, kEfficient };
constexpr int64_t kCausalFromBottomRight = 2;

// Forward and backward of either kernel. q [T, H, d], k and v gathered [S, H or Hkv, d]
struct Attend : public torch::autograd::Function<Attend> {
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& q_starts,
                        const Tensor& k_starts, int64_t max_q, int64_t max_k, double scale, int64_t window, int64_t kind) {
    Tensor out, sums, seed, offset;
    if (kind == kFlash) {
      std::tie(out, sums, seed, offset, std::ignore) =
          at::_flash_attention_forward(q, k, v, q_starts, k_starts, max_q, max_k, /*dropout_p=*/0.0, /*is_causal=*/true,
                                       /*return_debug_mask=*/false, scale, keys_before(window), keys_after(window));
    } else {
      std::tie(out, sums, seed, offset, std::ignore, std::ignore) =
          at::_efficient_attention_forward(q.unsqueeze(0), k.unsqueeze(0), v.unsqueeze(0), std::nullopt, q_starts, k_starts, max_q, max_k, 0.0,
                                           kCausalFromBottomRight, /*compute_log_sumexp=*/true, scale);
      out = out.squeeze(0);
    }
    ctx->save_for_backward({q, k, v, out, sums, seed, offset, q_starts, k_starts});
    ctx->saved_data["max_q"] = max_q;
    ctx->saved_data["max_k"] = max_k;
    ctx->saved_data["scale"] = scale;
    ctx->saved_data["window"] = window;
    ctx->saved_data["kind"] = kind;
    return out;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &q = saved[0], &k = saved[1], &v = saved[2], &out = saved[3], &sums = saved[4], dy = grads[0].contiguous();
    const auto number = [&](const char* name) { return ctx->saved_data[name].toInt(); };
    const double scale = ctx->saved_data["scale"].toDouble();
    const int64_t window = number("window");
    const FixedOrder fixed;
    torch::autograd::variable_list result(10);
    if (number("kind") == kFlash) {
      std::tie(result[0], result[1], result[2]) =
          at::_flash_attention_backward(dy, q, k, v, out, sums, saved[7], saved[8], number("max_q"), number("max_k"), 0.0, true, saved[5],
                                        saved[6], scale, keys_before(window), keys_after(window));
    } else {
      const auto one = [](const Tensor& t) { return t.unsqueeze(0); };
      const auto found = at::_efficient_attention_backward(one(dy), one(q), one(k), one(v), std::nullopt, one(out), saved[7], saved[8],
                                                           number("max_q"), number("max_k"), sums, 0.0, saved[5], saved[6],
                                                           kCausalFromBottomRight, /*bias_requires_grad=*/false, scale);
      result[0] = std::get<0>(found).squeeze(0);
      result[1] = std::get<1>(found).squeeze(0);
      result[2] = std::get<2>(found).squeeze(0);
    }
    return result;
  }
};

// Rows of a tensor [S, H, d]; gradients of a row that was taken several times add up in order, and rounded once.
struct Gather : public torch::autograd::Function<Gather> {
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& t, const Tensor& rows, const Tensor& takers, const Tensor& ends) {
    ctx->save_for_backward({rows, takers, ends});
    ctx->saved_data["count"] = t.size(0);
    return t.index_select(0, rows);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor dy = grads[0].contiguous();
    auto shape = dy.sizes().vec();
    shape[0] = ctx->saved_data["count"].toInt();
    const int64_t width = dy.size(1) * dy.size(2);
    const char* type = kernel_type(dy.scalar_type());
    if (!type || width % 4 != 0 || !has_cuda_kernels(dy)) return {at::zeros(shape, dy.options()).index_add_(0, saved[0], dy), Tensor(), Tensor(), Tensor()};
    const Tensor out = at::empty(shape, dy.options());
    launch(std::string("sum_rows_") + type, dy, (shape[0] * (width / 4) + 255) / 256, 0, dy.const_data_ptr(), saved[1].const_data_ptr(),
           saved[2].const_data_ptr(), out.mutable_data_ptr(), shape[0], static_cast<int>(width));
    return {out, Tensor(), Tensor(), Tensor()};
  }
};

// What both compute, sequence by sequence.
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
bool works(const Tensor& like, Kind kind) {
  const at::AutoGradMode on(true);
  try {
    Tensor x = at::zeros({16, 1, like.size(2)}, like.options());
    x.requires_grad_(true);
    const Tensor starts = at::tensor({0, 16}, at::kInt).to(like.device());
    torch::autograd::grad({Attend::apply(x, x, x, starts, starts, 16, 16, 1.0, 0, kind)}, {x}, {at::zeros_like(x)});
    return true;
  } catch (const c10::Error&) {
    return false;
  }
}

// The kernel for these heads, found once for each device, type and width.
Kind kernel_for(const Tensor& q, const Sequences& s, int64_t window) {
  if (!q.device().is_cuda() || q.scalar_type() == at::kDouble || q.size(0) == 0 || s.max_k == 0) return kPlain;
  static auto* known = new std::map<std::tuple<int, int, int64_t>, Kind>();
  const std::tuple<int, int, int64_t> key{q.device().index(), static_cast<int>(q.scalar_type()), q.size(2)};
  const auto found = known->find(key);
  if (found == known->end()) {
    const bool half = q.scalar_type() == at::kHalf || q.scalar_type() == at::kBFloat16;
    known->emplace(key, half && works(q, kFlash) ? kFlash : works(q, kEfficient) ? kEfficient : kPlain);
  }
  const Kind kind = known->at(key);
  // The memory-efficient kernel's backward pass knows no window.
  return kind == kEfficient && window > 0 && window < s.max_k ? kPlain : kind;
}

Tensor gathered(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& segments, double scale, int64_t window) {
  check_attention(q, k, v, window, 0);
  return gathered_attention(q, k, v, segments, scale, window);
}

}  // namespace

Tensor gathered_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& segments, double scale, int64_t window) {
  const Sequences& s = remembered(segments, q, k);
  const auto rows = [&](const Tensor& t) {
    if (!s.rows.defined()) return t;
    return s.takers.defined() ? Gather::apply(t, s.rows, s.takers, s.takers_ends) : t.index_select(0, s.rows);
  };
  const Kind kind = kernel_for(q, s, window);
  if (kind == kPlain) return one_by_one(q, rows(k), rows(v), s, scale, window);
  const auto heads = [&](const Tensor& t) {
    return dense(kind == kFlash || q.size(1) == t.size(1) ? rows(t) : rows(t).repeat_interleave(q.size(1) / t.size(1), 1));
  };
  return Attend::apply(dense(q), heads(k), heads(v), s.q_starts, s.k_starts, s.max_q, s.max_k, scale, window, kind);
}

}  // namespace clha

TORCH_LIBRARY_FRAGMENT(clha, m) {
  m.def("packed_attention_gathered(Tensor q, Tensor k, Tensor v, Tensor segments, float scale, int window=0) -> Tensor");
}
TORCH_LIBRARY_IMPL(clha, CompositeImplicitAutograd, m) { m.impl("packed_attention_gathered", clha::gathered); }
