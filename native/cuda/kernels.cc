// Compiles own kernels by NVRTC and launches them through the driver, both found at run time.
#include "cuda/kernels.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include <dlfcn.h>

#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/util/Exception.h>

#include "runtime/devices.h"

namespace clha {
namespace {

const char kSource[] =
#include "cuda/source.inc"
    ;

constexpr unsigned kBlockThreads = 256;

// The parts of cuda.h and nvrtc.h that are used: results are ints, 0 is success; modules, functions, programs are pointers.
struct Interfaces {
  int (*current)(void**) = nullptr;
  int (*retain)(void**, int) = nullptr;
  int (*enter)(void*) = nullptr;
  int (*load)(void**, const void*) = nullptr;
  int (*function)(void**, void*, const char*) = nullptr;
  int (*launch)(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*, void**, void**) = nullptr;
  int (*error)(int, const char**) = nullptr;
  int (*create)(void**, const char*, const char*, int, const char* const*, const char* const*) = nullptr;
  int (*compile)(void*, int, const char* const*) = nullptr;
  int (*cubin_size)(void*, size_t*) = nullptr;
  int (*cubin)(void*, char*) = nullptr;
  int (*log_size)(void*, size_t*) = nullptr;
  int (*log)(void*, char*) = nullptr;
  int (*destroy)(void**) = nullptr;
  bool complete = true;

  Interfaces() {
    // libtorch's stub stands beside it and depends on both, so that their names are found through it.
    void* both = dlopen("libcaffe2_nvrtc.so", RTLD_NOW | RTLD_LOCAL);
    const auto find = [&](auto& function, const char* symbol) {
      function = both ? reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(both, symbol)) : nullptr;
      complete = complete && function;
    };
    find(current, "cuCtxGetCurrent");
    find(retain, "cuDevicePrimaryCtxRetain");
    find(enter, "cuCtxSetCurrent");
    find(load, "cuModuleLoadData");
    find(function, "cuModuleGetFunction");
    find(launch, "cuLaunchKernel");
    find(error, "cuGetErrorString");
    find(create, "nvrtcCreateProgram");
    find(compile, "nvrtcCompileProgram");
    find(cubin_size, "nvrtcGetCUBINSize");
    find(cubin, "nvrtcGetCUBIN");
    find(log_size, "nvrtcGetProgramLogSize");
    find(log, "nvrtcGetProgramLog");
    find(destroy, "nvrtcDestroyProgram");
    if (complete) load_beside(reinterpret_cast<void*>(create), "libnvrtc-builtins.so");
  }

  // NVRTC opens its built-in functions by name alone, and looks nowhere near itself.
  static void load_beside(void* symbol, const std::string& name) {
    Dl_info info;
    if (!dladdr(symbol, &info) || !info.dli_fname) return;
    std::error_code ignored;
    for (const auto& file : std::filesystem::directory_iterator(std::filesystem::path(info.dli_fname).parent_path(), ignored))
      if (file.path().filename().string().rfind(name, 0) == 0) dlopen(file.path().c_str(), RTLD_NOW | RTLD_GLOBAL);
  }
};

const Interfaces& interfaces() {
  static const Interfaces found;
  return found;
}

// A thread has no context until the runtime gave it one, which it does in the thread's first call of its own.
void need_context(const at::Device& device) {
  void* context = nullptr;
  if (interfaces().current(&context) == 0 && context) return;
  if (interfaces().retain(&context, device.index()) == 0) interfaces().enter(context);
}

// Machine code for a GPU; empty with a reason where that fails.
std::vector<char> compiled(const std::string& capability, std::string& reason) {
  const Interfaces& nvrtc = interfaces();
  std::string architecture = "--gpu-architecture=sm_" + capability;
  architecture.erase(std::remove(architecture.begin(), architecture.end(), '.'), architecture.end());
  const char* options[] = {architecture.c_str(), "--std=c++17"};
  void* program = nullptr;
  std::vector<char> code;
  size_t size = 0;
  if (nvrtc.create(&program, kSource, "clha.cu", 0, nullptr, nullptr) != 0) {
    reason = "NVRTC takes no program";
    return code;
  }
  if (nvrtc.compile(program, 2, options) == 0 && nvrtc.cubin_size(program, &size) == 0) {
    code.resize(size);
    if (nvrtc.cubin(program, code.data()) != 0) code.clear();
  }
  if (code.empty() && nvrtc.log_size(program, &size) == 0) {
    reason.resize(size);
    nvrtc.log(program, reason.data());
  }
  nvrtc.destroy(&program);
  return code;
}

// The kernels of one GPU.
struct Kernels {
  void* module = nullptr;
  std::map<std::string, void*> functions;
};

std::string message(int result) {
  const char* text = nullptr;
  interfaces().error(result, &text);
  return text ? text : "error " + std::to_string(result);
}

std::unique_ptr<Kernels> make_kernels(const at::Device& device) {
  std::string reason = "libtorch's run-time compiler was not found";
  auto out = std::make_unique<Kernels>();
  if (interfaces().complete) {
    const auto devices = cuda_devices();
    const auto index = static_cast<size_t>(device.index());
    const std::vector<char> code = compiled(index < devices.size() ? devices[index].capability : "", reason);
    if (!code.empty()) {
      need_context(device);
      const int result = interfaces().load(&out->module, code.data());
      if (result != 0) reason = message(result);
    }
  }
  if (!out->module) TORCH_WARN("own GPU kernels can't be used, plain operators take their place: ", reason);
  return out;
}

// Backward passes come from a thread of their own.
Kernels& kernels_of(const at::Device& device) {
  static auto* lock = new std::mutex();
  static auto* known = new std::map<int, std::unique_ptr<Kernels>>();  // never destroyed: the driver may be gone by then
  const std::lock_guard<std::mutex> held(*lock);
  auto& found = (*known)[device.index()];
  if (!found) {
    const c10::DeviceGuard guard(device);
    found = make_kernels(device);
  }
  return *found;
}

}  // namespace

bool has_cuda_kernels(const at::Tensor& tensor) { return tensor.device().is_cuda() && kernels_of(tensor.device()).module; }

const char* kernel_type(at::ScalarType type) {
  return type == at::kFloat ? "f32" : type == at::kBFloat16 ? "bf16" : nullptr;
}

bool in_fours(const at::Tensor& rows) {
  const auto bytes = static_cast<uintptr_t>(4 * rows.element_size());
  if (rows.stride(-1) != 1 || rows.size(-1) % 4 != 0 || reinterpret_cast<uintptr_t>(rows.const_data_ptr()) % bytes != 0) return false;
  for (int64_t i = 0; i + 1 < rows.dim(); i++)
    if (rows.stride(i) % 4 != 0) return false;
  return true;
}

void launch_kernel(const std::string& name, const at::Tensor& where, int64_t blocks, int64_t shared_bytes, void** arguments) {
  const c10::DeviceGuard guard(where.device());
  need_context(where.device());
  Kernels& kernels = kernels_of(where.device());
  void*& function = kernels.functions[name];
  if (!function) {
    const int result = interfaces().function(&function, kernels.module, name.c_str());
    TORCH_CHECK(result == 0, "GPU kernel ", name, ": ", message(result));
  }
  const auto stream = c10::impl::VirtualGuardImpl(where.device().type()).getStream(where.device());
  TORCH_CHECK(stream.id() == 0, "own GPU kernels are queued on the default stream");
  const int result = interfaces().launch(function, static_cast<unsigned>(blocks), 1, 1, kBlockThreads, 1, 1, static_cast<unsigned>(shared_bytes),
                                         nullptr, arguments, nullptr);
  TORCH_CHECK(result == 0, "GPU kernel ", name, ": ", message(result));
}

}  // namespace clha
