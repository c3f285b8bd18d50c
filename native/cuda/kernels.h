// Own kernels on NVIDIA GPUs. Their source (cuda_source.inc) is compiled on first use, for the GPU at hand, by the run-time
// compiler that libtorch brings: building the addon needs neither CUDA's compiler nor its headers.
#pragma once
#include <cstdint>
#include <string>

#include <ATen/core/Tensor.h>

namespace clha {

// Whether kernels can be launched on the tensor's device. Where they can't be compiled, plain operators do the same; said once.
bool has_cuda_kernels(const at::Tensor& tensor);

// `f32` or `bf16`, as kernels are named; null for other types.
const char* kernel_type(at::ScalarType type);

void launch_kernel(const std::string& name, const at::Tensor& where, int64_t blocks, int64_t shared_bytes, void** arguments);

// Queues a kernel with blocks of 256 threads on the tensor's device. Arguments have the types of its parameters, in their order.
template <typename... Arguments>
void launch(const std::string& name, const at::Tensor& where, int64_t blocks, int64_t shared_bytes, Arguments... arguments) {
  void* places[] = {static_cast<void*>(&arguments)...};
  if (blocks > 0) launch_kernel(name, where, blocks, shared_bytes, places);
}

// Four elements at a time: widths are multiples of four, and every row begins on a multiple of their size.
bool in_fours(const at::Tensor& rows);

}  // namespace clha
