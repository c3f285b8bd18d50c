// Tensors that JavaScript holds: a table of slots, addressed by numbers that are never reused.
#pragma once
#include <cstdint>
#include <string>

#include <ATen/core/Tensor.h>
#include <ATen/core/Generator.h>

namespace clha {

// Takes ownership; the number carries the slot and its generation, so a stale number is always noticed.
double hold(at::Tensor tensor);

// Throws std::invalid_argument for a number that is not a live tensor.
const at::Tensor& at_handle(double handle);

// Returns false when the handle was not live.
bool release(double handle);

double hold_generator(at::Generator generator);
at::Generator& generator_at(double handle);
bool release_generator(double handle);

struct Memory {
  int64_t tensors = 0;
  int64_t bytes = 0;      // bytes of the distinct storages that handles keep alive
  int64_t peak_bytes = 0;
};
const Memory& memory();
void reset_peak();

// Bytes gained or lost since the last call, for V8's accounting; 0 while the change is small.
int64_t take_unreported_bytes();

}  // namespace clha
