// GPUs, without the headers of CUDA: libtorch's hooks tell how many there are, the driver what they are.
#include "runtime/devices.h"

#include <cstdio>
#include <set>
#include <stdexcept>

#include <dlfcn.h>

#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/util/Exception.h>

namespace clha {
namespace {

// The driver's own interface (cuda.h): CUresult is an int, 0 is success; a CUdevice is an int.
struct Driver {
  int (*init)(unsigned) = nullptr;
  int (*name)(char*, int, int) = nullptr;
  int (*memory)(size_t*, int) = nullptr;
  int (*attribute)(int*, int, int) = nullptr;

  Driver() {
    void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!library) return;
    const auto find = [&](auto& function, const char* symbol) {
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, symbol));
    };
    find(init, "cuInit");
    find(name, "cuDeviceGetName");
    find(memory, "cuDeviceTotalMem_v2");
    find(attribute, "cuDeviceGetAttribute");
    if (!init || init(0) != 0) name = nullptr, memory = nullptr, attribute = nullptr;
  }
};

constexpr int kMajor = 75, kMinor = 76;  // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, _MINOR

CudaDevice describe(const Driver& driver, int index) {
  CudaDevice found{"GPU", 0, ""};
  char name[256] = {};
  size_t bytes = 0;
  int major = 0, minor = 0;
  if (driver.name && driver.name(name, sizeof name - 1, index) == 0) found.name = name;
  if (driver.memory && driver.memory(&bytes, index) == 0) found.bytes = static_cast<int64_t>(bytes);
  if (driver.attribute && driver.attribute(&major, kMajor, index) == 0 && driver.attribute(&minor, kMinor, index) == 0)
    found.capability = std::to_string(major) + "." + std::to_string(minor);
  return found;
}

// Operators on a GPU may repeat a warning thousands of times.
struct OnceHandler final : c10::WarningHandler {
  void process(const c10::Warning& warning) override {
    if (told.insert(warning.msg()).second) std::fprintf(stderr, "libtorch: %s\n", warning.msg().c_str());
  }
  std::set<std::string> told;
};

}  // namespace

c10::Device device_named(const std::string& name) {
  const c10::Device found(name);
  if (!found.is_cpu() && !found.is_cuda() && !found.is_mps() && !found.is_meta())
    throw std::invalid_argument("expected cpu, cuda, mps or meta, found " + name);
  return found;
}

bool cuda_was_linked() { return at::detail::getCUDAHooks().hasCUDART(); }

std::vector<CudaDevice> cuda_devices() {
  const auto& hooks = at::detail::getCUDAHooks();
  if (!hooks.hasCUDA()) return {};
  static const Driver driver;
  std::vector<CudaDevice> out;
  for (int i = 0; i < hooks.getNumGPUs(); i++) out.push_back(describe(driver, i));
  return out;
}

std::pair<int64_t, int64_t> memory_of(c10::Device device, bool reset_peak) {
  if (!device.is_cuda()) return {0, 0};
  auto* allocator = dynamic_cast<c10::DeviceAllocator*>(c10::GetAllocator(device.type()));
  if (!allocator || !allocator->initialized()) return {0, 0};
  const auto index = device.has_index() ? device.index() : c10::DeviceIndex(0);
  const auto bytes = allocator->getDeviceStats(index).allocated_bytes[0];
  const std::pair<int64_t, int64_t> out{bytes.current, bytes.peak};
  if (reset_peak) allocator->resetPeakStats(index);
  return out;
}

void warn_once() {
  static auto* handler = new OnceHandler();
  c10::WarningUtils::set_warning_handler(handler);
}

}  // namespace clha
