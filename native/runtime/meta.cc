// Shapes of operators whose meta kernel libtorch keeps in its Python part: with these a whole training step runs on the device
// `meta`, where nothing has numbers. Tests use it to see that every tensor is made on the device in use.
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ExpandUtils.h>
#include <ATen/WrapDimUtils.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/library.h>

namespace clha {
namespace {

using at::Tensor;

Tensor index_select(const Tensor& self, int64_t dim, const Tensor& index) {
  TORCH_CHECK(self.device() == index.device(), "index_select: self is on ", self.device(), ", index on ", index.device());
  auto shape = self.sizes().vec();
  if (!shape.empty()) shape[at::maybe_wrap_dim(dim, self.dim())] = index.numel();
  return at::empty(shape, self.options());
}

Tensor embedding_dense_backward(const Tensor& grad, const Tensor& ids, c10::SymInt rows, c10::SymInt, bool) {
  TORCH_CHECK(grad.device() == ids.device(), "embedding: its gradient is on ", grad.device(), ", ids on ", ids.device());
  return at::empty({rows.expect_int(), grad.size(-1)}, grad.options());
}

Tensor& index_put(Tensor& self, const c10::List<std::optional<Tensor>>& indices, const Tensor& values, bool, bool) {
  TORCH_CHECK(self.device() == values.device(), "index_put: self is on ", self.device(), ", values on ", values.device());
  for (const std::optional<Tensor>& index : indices)
    TORCH_CHECK(!index || index->device() == self.device(), "index_put: an index is on ", index->device());
  return self;
}

std::tuple<Tensor, Tensor, Tensor> layer_norm(const Tensor& x, c10::SymIntArrayRef normalized, const std::optional<Tensor>& weight,
                                              const std::optional<Tensor>& bias, double) {
  for (const auto& t : {weight, bias})
    TORCH_CHECK(!t || !t->defined() || t->device() == x.device(), "layer_norm: a weight is on ", t->device(), ", x on ", x.device());
  auto shape = x.sizes().vec();
  std::fill(shape.end() - static_cast<int64_t>(normalized.size()), shape.end(), 1);
  return {at::empty(x.sizes(), x.options()), at::empty(shape, x.options()), at::empty(shape, x.options())};
}

std::tuple<Tensor, Tensor, Tensor> layer_norm_backward(const Tensor& grad, const Tensor& x, c10::SymIntArrayRef, const Tensor& mean,
                                                       const Tensor&, const std::optional<Tensor>& weight,
                                                       const std::optional<Tensor>& bias, std::array<bool, 3>) {
  TORCH_CHECK(grad.device() == x.device() && mean.device() == x.device(), "layer_norm: its gradient is on ", grad.device());
  const auto like = [](const std::optional<Tensor>& t) { return t && t->defined() ? at::empty_like(*t) : Tensor(); };
  return {at::empty_like(x), like(weight), like(bias)};
}

Tensor where(const Tensor& condition, const Tensor& self, const Tensor& other) {
  TORCH_CHECK(self.device() == other.device() && condition.device() == self.device(), "where: its tensors are on different devices");
  return at::empty(at::infer_size(at::infer_size(condition.sizes(), self.sizes()), other.sizes()), self.options());
}

Tensor relu(const Tensor& self) { return at::empty_like(self); }

std::tuple<Tensor, Tensor> log_sigmoid(const Tensor& self) { return {at::empty_like(self), at::empty({0}, self.options())}; }

Tensor log_sigmoid_backward(const Tensor& grad, const Tensor& self, const Tensor&) {
  TORCH_CHECK(grad.device() == self.device(), "log_sigmoid: its gradient is on ", grad.device());
  return at::empty_like(self);
}

}  // namespace
}  // namespace clha

TORCH_LIBRARY_IMPL(aten, Meta, m) {
  const auto add = [&](const char* name, const char* overload, auto* function) {
    const auto found = c10::Dispatcher::singleton().findSchema({std::string("aten::") + name, overload});
    if (!found || found->hasKernelForDispatchKey(c10::DispatchKey::Meta)) return;
    m.impl((std::string(name) + (*overload ? "." : "") + overload).c_str(), function);
  };
  add("index_select", "", &clha::index_select);
  add("embedding_dense_backward", "", &clha::embedding_dense_backward);
  add("_index_put_impl_", "", &clha::index_put);
  add("native_layer_norm", "", &clha::layer_norm);
  add("native_layer_norm_backward", "", &clha::layer_norm_backward);
  add("where", "self", &clha::where);
  add("relu", "", &clha::relu);
  add("log_sigmoid_forward", "", &clha::log_sigmoid);
  add("log_sigmoid_backward", "", &clha::log_sigmoid_backward);
}
