// What the addon exports. Every entry is guarded: a C++ exception becomes a JavaScript error, never an abort.
#include <atomic>

#include <ATen/Context.h>

#include "cpu/level.h"
#include "door/door.h"
#include "door/entries.h"
#include "runtime/allocator.h"
#include "runtime/order.h"
#include "runtime/system.h"
#include "runtime/threads/threads.h"

namespace clha {
namespace {

using Napi::CallbackInfo;
using Napi::Value;

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
  keep_to_quota();
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
  EXPORT("threadPlan", thread_plan);
  EXPORT("quotaCores", quota_of);
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
