// What a low-rank adapter adds to a linear map, in place: y += scale * dropout(x) A^T B^T. x [T, in], A [r, in], B [out, r].
//
// One operator, so that the dropped inputs are never a tensor: they are made again some rows at a time, while they are in the
// cache, and what is kept for the gradients is x itself, which other maps of a block keep as well.
#include <algorithm>
#include <memory>
#include <type_traits>

#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "cpu/blas.h"
#include "cpu/loops.h"
#include "linear/products.h"
#include "runtime/accumulate.h"

namespace clha {
namespace {

using at::Tensor;

// Rows that are dropped at a time. The sums over rows have one order, whatever the number of threads.
constexpr int64_t kRows = 128;

struct Mask {
  double share;
  int64_t seed;
};

// work(block, from, rows, buffer [rows, columns]) for each block of rows, one thread each
template <typename T, typename Work>
void by_blocks(int64_t rows, int64_t columns, Work work) {
  at::parallel_for(0, (rows + kRows - 1) / kRows, 1, [&](int64_t begin, int64_t end) {
    const auto buffer = std::make_unique_for_overwrite<T[]>(kRows * columns);
    for (int64_t block = begin; block < end; block++) work(block, block * kRows, std::min(kRows, rows - block * kRows), buffer.get());
  });
}

// dropout(x) A^T, [T, r]
template <typename T, typename X>
void narrow(const Tensor& out, const Tensor& x, const Tensor& a, Mask d) {
  const int64_t in = x.size(1), r = a.size(0);
  by_blocks<T>(x.size(0), in, [&, px = x.const_data_ptr<X>(), pa = a.const_data_ptr<T>(), po = out.data_ptr<T>()](int64_t, int64_t row, int64_t rows, T* seen) {
    row_loops<X>().drop(seen, px + row * in, d.share, d.seed, row * in, (row + rows) * in);
    gemm_nt<T>(rows, r, in, 1, seen, in, pa, in, 0, po + row * r, r);
  });
}

// dropout(du A), [T, in]
template <typename T, typename X>
void input_gradient(const Tensor& dx, const Tensor& du, const Tensor& a, Mask d) {
  constexpr bool direct = std::is_same_v<T, X>;
  const int64_t in = a.size(1), r = a.size(0);
  by_blocks<T>(dx.size(0), direct ? 0 : in, [&, pu = du.const_data_ptr<T>(), pa = a.const_data_ptr<T>(), po = dx.data_ptr<X>()](int64_t, int64_t row, int64_t rows, T* buffer) {
    X* out = po + row * in;
    T* to = buffer;
    if constexpr (direct) to = out;
    gemm_nn<T>(rows, in, r, 1, pu + row * r, r, pa, in, 0, to, in);
    row_loops<X>().drop_back(out, to, d.share, d.seed, row * in, (row + rows) * in);
  });
}

// sum (+)= du^T dropout(x), [r, in]
template <typename T, typename X>
void weight_gradient(const Tensor& sum, bool add, const Tensor& du, const Tensor& x, Mask d) {
  const int64_t in = x.size(1), r = du.size(1), size = r * in, blocks = (x.size(0) + kRows - 1) / kRows;
  const Tensor parts = at::empty({blocks, size}, du.options());
  T* pp = parts.data_ptr<T>();
  by_blocks<T>(x.size(0), in, [&, pu = du.const_data_ptr<T>(), px = x.const_data_ptr<X>()](int64_t block, int64_t row, int64_t rows, T* seen) {
    row_loops<X>().drop(seen, px + row * in, d.share, d.seed, row * in, (row + rows) * in);
    gemm_tn<T>(r, in, rows, 1, pu + row * r, r, seen, in, 0, pp + block * size, in);
  });
  at::parallel_for(0, size, 1 << 12, [&, to = sum.data_ptr<T>()](int64_t begin, int64_t end) {
    if (!add) std::fill(to + begin, to + end, T(0));
    for (int64_t block = 0; block < blocks; block++)
      for (int64_t i = begin; i < end; i++) to[i] += pp[block * size + i];
  });
}

// The types of A and B, and of x
template <typename F>
void typed(const Tensor& a, const Tensor& x, F f) {
  if (a.scalar_type() == at::kDouble) f(double(), double());
  else if (x.scalar_type() == at::kFloat) f(float(), float());
  else f(float(), at::BFloat16());
}

// Nothing falls and nothing is widened: the product of matrices alone.
bool is_plain(const Tensor& x, const Tensor& a, double share) { return share == 0 && x.scalar_type() == a.scalar_type(); }

struct LowRank : public torch::autograd::Function<LowRank> {
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& y, const Tensor& x_in, const Tensor& a_in, const Tensor& b, double scale,
                        double share, int64_t seed) {
    const Tensor x = x_in.contiguous(), a = a_in.contiguous(), u = at::empty({x.size(0), a.size(0)}, a.options());
    if (is_plain(x, a, share)) matmul_over_rows(u, x, a.t());
    else typed(a, x, [&]<typename T, typename X>(T, X) { narrow<T, X>(u, x, a, {share, seed}); });
    u.mul_(scale);
    matmul_over_rows(y, u, b.t(), true);
    ctx->mark_dirty({y});
    ctx->save_for_backward({a_in.requires_grad() ? x : Tensor(), a_in, b, b.requires_grad() ? u : Tensor()});
    ctx->saved_data["scale"] = scale;
    ctx->saved_data["share"] = share;
    ctx->saved_data["seed"] = seed;
    ctx->saved_data["type"] = x.scalar_type();
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &x = saved[0], &a = saved[1], &b = saved[2], &u = saved[3];
    const Mask d = {ctx->saved_data["share"].toDouble(), ctx->saved_data["seed"].toInt()};
    const Tensor dy = grads[0].contiguous(), du = at::empty({dy.size(0), a.size(0)}, dy.options());
    matmul_over_rows(du, dy, b);
    du.mul_(ctx->saved_data["scale"].toDouble());
    Tensor dx, da, db;
    if (ctx->needs_input_grad(1)) {
      dx = at::empty({dy.size(0), a.size(1)}, dy.options().dtype(ctx->saved_data["type"].toScalarType()));
      if (is_plain(dx, a, d.share)) matmul_over_rows(dx, du, a);
      else typed(a, dx, [&]<typename T, typename X>(T, X) { input_gradient<T, X>(dx, du, a.contiguous(), d); });
    }
    if (ctx->needs_input_grad(2)) {
      const auto sum = sum_of(a);
      if (!sum) da = at::empty(a.sizes(), a.options());
      const Tensor& to = sum ? sum->grad : da;
      const bool add = sum && !sum->fresh;
      if (is_plain(x, a, d.share)) matmul_over_sum(to, du.t(), x, add);
      else typed(a, x, [&]<typename T, typename X>(T, X) { weight_gradient<T, X>(to, add, du, x, d); });
    }
    if (ctx->needs_input_grad(3)) {
      const auto sum = sum_of(b);
      if (!sum) db = at::empty(b.sizes(), b.options());
      matmul_over_sum(sum ? sum->grad : db, dy.t(), u, sum && !sum->fresh);
    }
    return {grads[0], dx, da, db, Tensor(), Tensor(), Tensor()};
  }
};

// From plain operators, where there is no BLAS
Tensor composed(const Tensor& y, const Tensor& x, const Tensor& a, const Tensor& b, double scale, double share, int64_t seed) {
  static const auto dropout = c10::Dispatcher::singleton().findSchemaOrThrow("clha::dropout", "").typed<Tensor(const Tensor&, double, int64_t)>();
  const Tensor seen = share > 0 ? dropout.call(x, share, seed) : x;
  return y.add_(at::linear(at::linear(seen, a), b), scale);
}

Tensor low_rank(const Tensor& y, const Tensor& x, const Tensor& a, const Tensor& b, double scale, double share, int64_t seed) {
  TORCH_CHECK(x.dim() == 2 && a.dim() == 2 && b.dim() == 2 && x.size(1) == a.size(1) && a.size(0) == b.size(1) &&
                  y.sizes() == at::IntArrayRef({x.size(0), b.size(0)}) && y.is_contiguous(),
              "low_rank: y [T, out], x [T, in], A [r, in], B [out, r], found ", y.sizes(), ", ", x.sizes(), ", ", a.sizes(), ", ", b.sizes());
  TORCH_CHECK(share >= 0 && share < 1, "low_rank: share must be in [0, 1), found ", share);
  const auto type = a.scalar_type(), input = x.scalar_type();
  TORCH_CHECK(x.device().is_cpu() && (type == at::kFloat || type == at::kDouble) && y.scalar_type() == type && b.scalar_type() == type &&
                  (input == type || (input == at::kBFloat16 && type == at::kFloat)),
              "low_rank: on the CPU, y, A and B f32 or f64, x the same or bf16 beside f32");
  return has_blas() ? LowRank::apply(y, x, a, b, scale, share, seed) : composed(y, x.to(type), a, b, scale, share, seed);
}

}  // namespace
}  // namespace clha

TORCH_LIBRARY_FRAGMENT(clha, m) {
  m.def("low_rank_(Tensor(a!) y, Tensor x, Tensor a, Tensor b, float scale, float share, int seed) -> Tensor(a!)");
}
TORCH_LIBRARY_IMPL(clha, CompositeImplicitAutograd, m) { m.impl("low_rank_", clha::low_rank); }
