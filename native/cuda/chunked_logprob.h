// Log-probabilities in chunks for other devices than the CPU: from plain operators, on NVIDIA GPUs with kernels of ours.
#pragma once
#include <optional>
#include <tuple>

#include <ATen/core/Tensor.h>

namespace clha {

constexpr int64_t kDeviceChunkElements = int64_t{32} << 20;  // logits of a chunk: 128 MiB in f32

// As linear_log_prob, without its checks. Never more than `chunk_elements` logits exist at once (but one row), in either pass.
std::tuple<at::Tensor, at::Tensor> chunked_log_prob(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& targets,
                                                    int64_t chunk_elements, const std::optional<at::Tensor>& bias, double softcap);

}  // namespace clha
