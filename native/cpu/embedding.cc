// Rows of a matrix by index: weight [V, D], ids [T] i64 -> [T, D]. The gradient touches the rows that were taken, no others.
#include <algorithm>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/embedding_dense_backward.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "cpu/loops.h"
#include "runtime/accumulate.h"
#include "runtime/order.h"

namespace clha {
namespace {

using at::Tensor;

// sum[ids[t]] += rows[t], t in order: columns are shared out among threads, so that their number changes no bit.
template <typename T>
void add_rows(const Tensor& sum, const Tensor& rows, const Tensor& ids) {
  const int64_t width = sum.size(1), count = ids.numel(), *id = ids.const_data_ptr<int64_t>();
  const T* from = rows.const_data_ptr<T>();
  T* to = sum.data_ptr<T>();
  at::parallel_for(0, width, std::max<int64_t>(16, (int64_t{1} << 15) / std::max<int64_t>(1, count)), [&](int64_t begin, int64_t end) {
    real_loops<T>().add_rows(to, from, id, count, width, begin, end);
  });
}

struct Embedding : public torch::autograd::Function<Embedding> {
  static Tensor forward(torch::autograd::AutogradContext* ctx, const Tensor& weight, const Tensor& ids) {
    ctx->save_for_backward({weight, ids});
    return at::embedding(weight, ids);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* ctx, torch::autograd::variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &weight = saved[0], &ids = saved[1];
    if (!grads[0].defined()) return torch::autograd::variable_list(2);
    const auto sum = sum_of(weight);
    if (!sum) return {at::embedding_dense_backward(grads[0], ids, weight.size(0), -1, false), Tensor()};
    if (sum->fresh) sum->grad.zero_();
    const Tensor rows = grads[0].contiguous();
    if (weight.scalar_type() == at::kDouble) add_rows<double>(sum->grad, rows, ids);
    else add_rows<float>(sum->grad, rows, ids);
    return {Tensor(), Tensor()};
  }
};

Tensor embedding(const Tensor& weight, const Tensor& ids) {
  TORCH_CHECK(weight.dim() == 2 && ids.dim() == 1 && ids.scalar_type() == at::kLong,
              "embedding: weight [V, D], ids [T] i64, found ", weight.sizes(), ", ", ids.scalar_type(), " ", ids.sizes());
  TORCH_CHECK(weight.device() == ids.device(), "embedding: weight is on ", weight.device(), ", ids are on ", ids.device());
  const bool native = weight.device().is_cpu() && (weight.scalar_type() == at::kFloat || weight.scalar_type() == at::kDouble);
  return native ? Embedding::apply(weight, ids.contiguous()) : at::embedding(weight, ids);
}

// self[rows[i]] = source[i] for rows that differ: no order among them, which libtorch would sort for on a GPU.
void write_rows(Tensor self, const Tensor& rows, const Tensor& source) {
  const AnyOrder any;
  self.index_copy_(0, rows, source);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(clha, m) {
  m.def("embedding(Tensor weight, Tensor ids) -> Tensor");
  m.def("write_rows_(Tensor(a!) self, Tensor rows, Tensor source) -> ()");
}
TORCH_LIBRARY_IMPL(clha, CompositeImplicitAutograd, m) {
  m.impl("embedding", embedding);
  m.impl("write_rows_", write_rows);
}

}  // namespace clha
