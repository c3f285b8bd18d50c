// The devices that libtorch can compute on, besides the CPU.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <c10/core/Device.h>

namespace clha {

// cpu, cuda, mps or meta (shapes without memory: operators say what they would make, and none reads or writes).
// Throws std::invalid_argument for any other name.
c10::Device device_named(const std::string& name);

// Whether libtorch's CUDA part is in this process; a GPU may still be missing.
bool cuda_was_linked();

struct CudaDevice {
  std::string name;
  int64_t bytes = 0;       // of its memory; 0 where the driver does not tell
  std::string capability;  // such as 9.0
};

// The GPUs that this process sees, in CUDA's order. Empty without a driver, a GPU or libtorch's CUDA part.
std::vector<CudaDevice> cuda_devices();

// Bytes that tensors hold on a device, now and at most; nothing for devices whose allocator does not count.
std::pair<int64_t, int64_t> memory_of(c10::Device device, bool reset_peak);

// libtorch says in every call that an operator's sums on a GPU have no fixed order; once is enough.
void warn_once();

}  // namespace clha
