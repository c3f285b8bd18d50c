// CPU memory for tensors: large blocks are kept and used again, step after step.
#pragma once

namespace clha {

// Makes it libtorch's CPU allocator. Called once, before the first tensor.
void install_allocator();

}  // namespace clha
