// The functions that the addon exports (module.cc), and how JavaScript's values become tensors in them.
#pragma once
#include <stdexcept>
#include <vector>

#include <napi.h>

#include "door/handles.h"
#include "runtime/devices.h"

namespace clha {

inline double handle_of(const Napi::Value& v) {
  if (!v.IsNumber()) throw std::invalid_argument("expected a tensor");
  return v.As<Napi::Number>().DoubleValue();
}
inline const at::Tensor& tensor_of(const Napi::Value& v) { return at_handle(handle_of(v)); }

// Null for an undefined tensor.
inline Napi::Value held(Napi::Env env, at::Tensor t) {
  if (!t.defined()) return env.Null();
  return Napi::Number::New(env, hold(std::move(t)));
}

inline at::Device device_from(const Napi::Value& v) { return v.IsString() ? device_named(v.As<Napi::String>()) : at::Device(at::kCPU); }

// tensors.cc: tensors and their memory
Napi::Value release_many(const Napi::CallbackInfo& info);
Napi::Value shape_of(const Napi::CallbackInfo& info);
Napi::Value dtype_of(const Napi::CallbackInfo& info);
Napi::Value device_of(const Napi::CallbackInfo& info);
Napi::Value item_of(const Napi::CallbackInfo& info);
Napi::Value allocate(const Napi::CallbackInfo& info);
Napi::Value map_tensor(const Napi::CallbackInfo& info);
Napi::Value bytes_of(const Napi::CallbackInfo& info);
Napi::Value write_bytes(const Napi::CallbackInfo& info);
Napi::Value read_bytes(const Napi::CallbackInfo& info);

// autograd.cc: gradients, and the random numbers of generators
Napi::Value backward(const Napi::CallbackInfo& info);
Napi::Value gradients(const Napi::CallbackInfo& info);
Napi::Value grad_of(const Napi::CallbackInfo& info);
Napi::Value set_grad(const Napi::CallbackInfo& info);
Napi::Value requires_grad(const Napi::CallbackInfo& info);
Napi::Value set_grad_enabled(const Napi::CallbackInfo& info);
Napi::Value create_generator(const Napi::CallbackInfo& info);
Napi::Value generator_state(const Napi::CallbackInfo& info);
Napi::Value drop_generator(const Napi::CallbackInfo& info);

// engine.cc: what the engine is, uses and holds
Napi::Value memory_now(const Napi::CallbackInfo& info);
Napi::Value set_threads(const Napi::CallbackInfo& info);
Napi::Value thread_plan(const Napi::CallbackInfo& info);
Napi::Value quota_of(const Napi::CallbackInfo& info);
Napi::Value engine(const Napi::CallbackInfo& info);
Napi::Value device_memory(const Napi::CallbackInfo& info);
Napi::Value take_lock(const Napi::CallbackInfo& info);
Napi::Value drop_lock(const Napi::CallbackInfo& info);

}  // namespace clha
