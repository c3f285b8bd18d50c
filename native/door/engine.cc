// What the engine is, how many threads and how much memory it uses, and the locks of run folders.
#include <ATen/Parallel.h>
#include <torch/version.h>

#include "cpu/level.h"
#include "linear/products.h"
#include "door/door.h"
#include "door/entries.h"
#include "runtime/system.h"
#include "runtime/threads/threads.h"

namespace clha {

using Napi::CallbackInfo;
using Napi::Value;

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

// threadPlan(size, cores, others, wasBusy) -> what the team would do; see threads.h
Value thread_plan(const CallbackInfo& info) {
  const CoreLoad load{info[1].ToNumber().Int32Value(), info[2].ToNumber().DoubleValue()};
  const ThreadPlan plan = plan_threads(info[0].ToNumber().Int32Value(), load, info[3].ToBoolean());
  auto out = Napi::Object::New(info.Env());
  out.Set("active", plan.active);
  out.Set("spinNs", static_cast<double>(plan.spin_ns));
  out.Set("busy", plan.busy);
  return out;
}

Value quota_of(const CallbackInfo& info) { return Napi::Number::New(info.Env(), quota_cores(info[0].ToString().Utf8Value())); }

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
  out.Set("ownThreads", own_team());
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

}  // namespace clha
