// Tensors as JavaScript sees them: their facts, their memory, their bytes.
#include <algorithm>
#include <cmath>
#include <cstring>

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include "door/door.h"
#include "door/entries.h"
#include "runtime/system.h"

namespace clha {

using Napi::CallbackInfo;
using Napi::Value;

namespace {

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

at::TensorOptions options_from(const Value& v, const std::string& caller) {
  const int dtype = v.ToNumber().Int32Value();
  if (std::find(kDtypes.begin(), kDtypes.end(), dtype) == kDtypes.end()) throw std::invalid_argument(caller + ": unknown dtype");
  return at::TensorOptions().dtype(static_cast<at::ScalarType>(dtype));
}

}  // namespace

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

}  // namespace clha
