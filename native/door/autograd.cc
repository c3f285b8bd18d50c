// Gradients, and generators of random numbers.
#include <cmath>

#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include "door/entries.h"
#include "runtime/accumulate.h"

namespace clha {

using Napi::CallbackInfo;
using Napi::Value;

namespace {

std::vector<at::Tensor> tensors_of(const Value& v) {
  if (!v.IsArray()) throw std::invalid_argument("expected an array of tensors");
  const auto array = v.As<Napi::Array>();
  std::vector<at::Tensor> out;
  for (uint32_t i = 0; i < array.Length(); i++) out.push_back(tensor_of(array.Get(i)));
  return out;
}

}  // namespace

Value backward(const CallbackInfo& info) {
  const at::Tensor root = tensor_of(info[0]);
  const bool given = info.Length() > 1 && info[1].IsNumber();
  const Accumulating accumulating;
  torch::autograd::backward({root}, given ? torch::autograd::variable_list{tensor_of(info[1])} : torch::autograd::variable_list{});
  return info.Env().Undefined();
}

// gradients(outputs, inputs, gradOutputs?) -> handle or null per input
Value gradients(const CallbackInfo& info) {
  const auto env = info.Env();
  const auto outputs = tensors_of(info[0]);
  const auto inputs = tensors_of(info[1]);
  const auto seeds = info.Length() > 2 && info[2].IsArray() ? tensors_of(info[2]) : std::vector<at::Tensor>{};
  const auto grads = torch::autograd::grad(outputs, inputs, seeds, std::nullopt, false, /*allow_unused=*/true);
  auto out = Napi::Array::New(env, grads.size());
  for (uint32_t i = 0; i < grads.size(); i++) out.Set(i, held(env, grads[i]));
  return out;
}

Value grad_of(const CallbackInfo& info) { return held(info.Env(), tensor_of(info[0]).grad()); }

Value set_grad(const CallbackInfo& info) {
  at::Tensor t = tensor_of(info[0]);
  const at::Tensor grad = info.Length() > 1 && info[1].IsNumber() ? tensor_of(info[1]) : at::Tensor();
  TORCH_CHECK(!grad.defined() || (grad.sizes() == t.sizes() && grad.scalar_type() == t.scalar_type() && grad.device() == t.device()),
              "setGrad: a gradient of ", grad.scalar_type(), " ", grad.sizes(), " for a tensor of ", t.scalar_type(), " ", t.sizes());
  t.mutable_grad() = grad;
  return info.Env().Undefined();
}

Value requires_grad(const CallbackInfo& info) {
  at::Tensor t = tensor_of(info[0]);
  if (info.Length() > 1 && info[1].IsBoolean()) t.set_requires_grad(info[1].As<Napi::Boolean>().Value());
  return Napi::Boolean::New(info.Env(), t.requires_grad());
}

Value set_grad_enabled(const CallbackInfo& info) {
  const bool before = c10::GradMode::is_enabled();
  c10::GradMode::set_enabled(info[0].ToBoolean());
  return Napi::Boolean::New(info.Env(), before);
}

Value create_generator(const CallbackInfo& info) {
  const double seed = info[0].ToNumber();
  if (!(seed >= 0 && seed <= 9007199254740991.0 && seed == std::floor(seed)))
    throw Napi::RangeError::New(info.Env(), "a generator's seed is a whole number from 0 on");
  return Napi::Number::New(info.Env(), hold_generator(at::detail::createCPUGenerator(static_cast<uint64_t>(seed))));
}
Value generator_state(const CallbackInfo& info) {
  at::Generator& g = generator_at(handle_of(info[0]));
  if (info.Length() > 1 && info[1].IsNumber()) g.set_state(tensor_of(info[1]));
  return held(info.Env(), g.get_state());
}
Value drop_generator(const CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), release_generator(handle_of(info[0])));
}

}  // namespace clha
