// What the addon exports. Every entry is guarded: a C++ exception becomes a JavaScript error, never an abort.
#include <atomic>
#include <algorithm>
#include <cmath>
#include <cstring>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <torch/version.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/empty.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include "cpu/level.h"
#include "cpu/products.h"
#include "door/door.h"
#include "door/handles.h"
#include "runtime/accumulate.h"
#include "runtime/allocator.h"
#include "runtime/devices.h"
#include "runtime/order.h"
#include "runtime/system.h"

namespace clha {
namespace {

using Napi::CallbackInfo;
using Napi::Value;

double handle_of(const Value& v) {
  if (!v.IsNumber()) throw std::invalid_argument("expected a tensor");
  return v.As<Napi::Number>().DoubleValue();
}
const at::Tensor& tensor_of(const Value& v) { return at_handle(handle_of(v)); }

std::vector<at::Tensor> tensors_of(const Value& v) {
  if (!v.IsArray()) throw std::invalid_argument("expected an array of tensors");
  const auto array = v.As<Napi::Array>();
  std::vector<at::Tensor> out;
  for (uint32_t i = 0; i < array.Length(); i++) out.push_back(tensor_of(array.Get(i)));
  return out;
}

Value held(Napi::Env env, at::Tensor t) {
  if (!t.defined()) return env.Null();
  return Napi::Number::New(env, hold(std::move(t)));
}

Value release_many(const CallbackInfo& info) {
  if (!info[0].IsArray()) throw std::invalid_argument("releaseMany: expected an array of tensors");
  const auto array = info[0].As<Napi::Array>();
  uint32_t released = 0;
  for (uint32_t i = 0; i < array.Length(); i++) released += release(handle_of(array.Get(i)));
  report_memory(info.Env());
  return Napi::Number::New(info.Env(), released);
}

Value shape_of(const CallbackInfo& info) {
  const auto sizes = tensor_of(info[0]).sizes();
  auto out = Napi::Array::New(info.Env(), sizes.size());
  for (uint32_t i = 0; i < sizes.size(); i++) out.Set(i, static_cast<double>(sizes[i]));
  return out;
}

Value dtype_of(const CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<int>(tensor_of(info[0]).scalar_type()));
}

Value device_of(const CallbackInfo& info) { return Napi::String::New(info.Env(), tensor_of(info[0]).device().str()); }

Value item_of(const CallbackInfo& info) {
  return Napi::Number::New(info.Env(), tensor_of(info[0]).item().toDouble());
}

int64_t whole_number(const Value& v, const std::string& what) {
  const double n = v.ToNumber();
  if (!(n >= 0 && n <= 9007199254740991.0 && n == std::floor(n)))
    throw Napi::RangeError::New(v.Env(), what + " is no whole number from 0 on");
  return static_cast<int64_t>(n);
}

std::vector<int64_t> shape_from(const Value& v, const std::string& caller) {
  if (!v.IsArray()) throw std::invalid_argument(caller + ": expected an array of sizes");
  const auto array = v.As<Napi::Array>();
  std::vector<int64_t> shape;
  for (uint32_t i = 0; i < array.Length(); i++) shape.push_back(whole_number(array.Get(i), caller + ": size " + std::to_string(i)));
  return shape;
}

at::Device device_from(const Value& v) { return v.IsString() ? device_named(v.As<Napi::String>()) : at::Device(at::kCPU); }

at::TensorOptions options_from(const Value& v, const std::string& caller) {
  const int dtype = v.ToNumber().Int32Value();
  if (std::find(kDtypes.begin(), kDtypes.end(), dtype) == kDtypes.end()) throw std::invalid_argument(caller + ": unknown dtype");
  return at::TensorOptions().dtype(static_cast<at::ScalarType>(dtype));
}

// allocate(shape, dtype, device = cpu) -> an uninitialised tensor
Value allocate(const CallbackInfo& info) {
  const auto options = options_from(info[1], "allocate").device(device_from(info[2]));
  auto out = held(info.Env(), at::empty(shape_from(info[0], "allocate"), options));
  report_memory(info.Env());
  return out;
}

// mapFile(fd, offset, shape, dtype) -> a CPU tensor over these bytes of an open file, which may be closed afterwards
Value map_tensor(const CallbackInfo& info) {
  const int64_t offset = whole_number(info[1], "mapFile: the offset");
  const auto shape = shape_from(info[2], "mapFile");
  const auto options = options_from(info[3], "mapFile");
  const int64_t bytes = c10::multiply_integers(shape) * static_cast<int64_t>(options.dtype().itemsize());
  if (bytes == 0) return held(info.Env(), at::empty(shape, options));
  if (offset % static_cast<int64_t>(options.dtype().itemsize()) != 0) throw std::invalid_argument("mapFile: the offset is not aligned");
  const Mapping mapping = map_file(info[0].ToNumber().Int32Value(), static_cast<size_t>(offset), static_cast<size_t>(bytes));
  return held(info.Env(), at::from_blob(mapping.data, shape, [mapping](void*) { unmap(mapping); }, options));
}

// bytesOf(tensor) -> a Uint8Array over the tensor's own memory, which it keeps alive
Value bytes_of(const CallbackInfo& info) {
  const at::Tensor& t = tensor_of(info[0]);
  if (!t.device().is_cpu()) throw std::invalid_argument("bytesOf needs a CPU tensor");
  if (!t.is_contiguous()) throw std::invalid_argument("bytesOf needs a contiguous tensor");
  const size_t size = t.nbytes();
  if (size == 0) return Napi::Uint8Array::New(info.Env(), 0);
  auto* owner = new at::Tensor(t);
  auto buffer = Napi::ArrayBuffer::New(
      info.Env(), t.data_ptr(), size, [](Napi::Env, void*, at::Tensor* held) { delete held; }, owner);
  return Napi::Uint8Array::New(info.Env(), size, buffer, 0);
}

// copyBytes(tensor, Uint8Array): write into the tensor; read: the other way
Value write_bytes(const CallbackInfo& info) {
  const at::Tensor& t = tensor_of(info[0]);
  if (!info[1].IsTypedArray()) throw std::invalid_argument("writeBytes: expected a Uint8Array");
  const auto source = info[1].As<Napi::Uint8Array>();
  if (!t.device().is_cpu() || !t.is_contiguous()) throw std::invalid_argument("writeBytes needs a contiguous CPU tensor");
  if (source.ByteLength() != t.nbytes()) {
    throw std::invalid_argument("writeBytes: the tensor has " + std::to_string(t.nbytes()) + " bytes, the data " +
                                std::to_string(source.ByteLength()));
  }
  if (t.nbytes()) std::memcpy(t.data_ptr(), source.Data(), t.nbytes());
  return info.Env().Undefined();
}

Value read_bytes(const CallbackInfo& info) {
  const at::Tensor t = tensor_of(info[0]).detach().cpu().contiguous();
  auto out = Napi::Uint8Array::New(info.Env(), t.nbytes());
  if (t.nbytes()) std::memcpy(out.Data(), t.data_ptr(), t.nbytes());
  return out;
}

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

Value memory_now(const CallbackInfo& info) {
  auto out = Napi::Object::New(info.Env());
  out.Set("tensors", static_cast<double>(memory().tensors));
  out.Set("bytes", static_cast<double>(memory().bytes));
  out.Set("peakBytes", static_cast<double>(memory().peak_bytes));
  if (info.Length() > 0 && info[0].ToBoolean()) reset_peak();
  return out;
}

Value set_threads(const CallbackInfo& info) {
  at::set_num_threads(info[0].ToNumber().Int32Value());
  return Napi::Number::New(info.Env(), at::get_num_threads());
}

Value engine(const CallbackInfo& info) {
  auto out = Napi::Object::New(info.Env());
  out.Set("libtorch", TORCH_VERSION);
  out.Set("cpuLevel", level_name());
  auto multipliers = Napi::Object::New(info.Env());
  for (const auto& [name, type] : {std::pair("f32", at::kFloat), std::pair("f64", at::kDouble), std::pair("bf16", at::kBFloat16)})
    multipliers.Set(name, multiplier_name(type));
  out.Set("multipliers", multipliers);
  out.Set("buildId", build_id());
  out.Set("threads", at::get_num_threads());
  out.Set("cuda", cuda_was_linked());
  const auto found = cuda_devices();
  auto devices = Napi::Array::New(info.Env(), found.size());
  for (uint32_t i = 0; i < found.size(); i++) {
    auto device = Napi::Object::New(info.Env());
    device.Set("name", found[i].name);
    device.Set("bytes", static_cast<double>(found[i].bytes));
    device.Set("capability", found[i].capability);
    devices.Set(i, device);
  }
  out.Set("devices", devices);
  return out;
}

// deviceMemory(name, resetPeak?) -> bytes that tensors hold on a GPU, now and at most since the last reset
Value device_memory(const CallbackInfo& info) {
  const auto [bytes, peak] = memory_of(device_from(info[0]), info.Length() > 1 && info[1].ToBoolean());
  auto out = Napi::Object::New(info.Env());
  out.Set("bytes", static_cast<double>(bytes));
  out.Set("peakBytes", static_cast<double>(peak));
  return out;
}

Value take_lock(const CallbackInfo& info) {
  const int fd = try_lock(info[0].ToString());
  return fd < 0 ? info.Env().Null() : Napi::Value(Napi::Number::New(info.Env(), fd));
}
Value drop_lock(const CallbackInfo& info) {
  unlock(info[0].ToNumber().Int32Value());
  return info.Env().Undefined();
}

// Sizes that no machine has memory for are a RangeError, as they are for JavaScript's own arrays.
[[noreturn]] void throw_as_js(Napi::Env env, const std::string& text) {
  for (const char* sign : {"can't allocate memory", "Storage size calculation overflowed", "integer multiplication overflow"}) {
    if (text.find(sign) != std::string::npos) throw Napi::RangeError::New(env, "out of memory: " + text);
  }
  throw Napi::Error::New(env, text);
}

using Entry = Value (*)(const CallbackInfo&);

template <Entry entry>
Value guarded(const CallbackInfo& info) {
  try {
    return entry(info);
  } catch (const Napi::Error&) {
    throw;
  } catch (const c10::OutOfMemoryError& e) {
    throw Napi::RangeError::New(info.Env(), std::string("out of memory: ") + e.what_without_backtrace());
  } catch (const c10::Error& e) {
    throw_as_js(info.Env(), e.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    throw Napi::RangeError::New(info.Env(), "out of memory");
  } catch (const std::exception& e) {
    throw_as_js(info.Env(), e.what());
  } catch (...) {
    throw Napi::Error::New(info.Env(), "an unknown native error");
  }
}

std::atomic<bool> loaded{false};

Napi::Object init(Napi::Env env, Napi::Object exports) {
  if (loaded.exchange(true)) {
    throw Napi::Error::New(env, "the clha engine runs in one thread; it is already loaded in this process");
  }
  try {
    choose_level();
  } catch (const std::invalid_argument& e) {
    loaded = false;
    throw Napi::RangeError::New(env, e.what());
  }
  install_allocator();
  keep_freed_memory();
  warn_once();
  prefer_fixed_order();
  at::globalContext().setDeterministicFillUninitializedMemory(false);
#define EXPORT(name, function) exports.Set(name, Napi::Function::New<guarded<function>>(env, name))
  EXPORT("findOperator", find_operator);
  EXPORT("schemaOf", schema_of);
  EXPORT("call", call_operator);
  EXPORT("releaseMany", release_many);
  EXPORT("shapeOf", shape_of);
  EXPORT("dtypeOf", dtype_of);
  EXPORT("deviceOf", device_of);
  EXPORT("itemOf", item_of);
  EXPORT("allocate", allocate);
  EXPORT("mapFile", map_tensor);
  EXPORT("bytesOf", bytes_of);
  EXPORT("writeBytes", write_bytes);
  EXPORT("readBytes", read_bytes);
  EXPORT("backward", backward);
  EXPORT("gradients", gradients);
  EXPORT("gradOf", grad_of);
  EXPORT("setGrad", set_grad);
  EXPORT("requiresGrad", requires_grad);
  EXPORT("setGradEnabled", set_grad_enabled);
  EXPORT("createGenerator", create_generator);
  EXPORT("generatorState", generator_state);
  EXPORT("dropGenerator", drop_generator);
  EXPORT("memory", memory_now);
  EXPORT("setThreads", set_threads);
  EXPORT("engine", engine);
  EXPORT("deviceMemory", device_memory);
  EXPORT("tryLock", take_lock);
  EXPORT("unlock", drop_lock);
#undef EXPORT
  return exports;
}

}  // namespace
}  // namespace clha

Napi::Object Init(Napi::Env env, Napi::Object exports) { return clha::init(env, exports); }
NODE_API_MODULE(clha, Init)
