// Packed attention by libtorch's flash attention, for devices that have it.
#pragma once
#include <ATen/core/Tensor.h>

namespace clha {

// Whether libtorch's flash attention takes these heads where they are. Asked once for each type, width and device.
bool flash_attends(const at::Tensor& q, const at::Tensor& k, double softcap);

// As packed_attention without a soft cap.
at::Tensor gathered_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& segments, double scale,
                              int64_t window);

}  // namespace clha
