// Tensors whose pages lie in a file: they take memory while they are worked on, and leave it again by themselves.
//
// For state that a step looks at once and then not for a while (masters and moments of AdamW). The values are what they
// would be in memory, bit for bit.
#pragma once

#include <string>

#include "kernels/tensor.h"

namespace kernels {

// Memory that tensors in files take while all threads work on them: pages are taken back some hundred times a second.
inline constexpr int64_t file_memory_window = int64_t{192} << 20;

// float32 [size], zeros, in a nameless file in `folder`, which is made if it is not there; the file is gone with the tensor,
// or with the process. Its whole size is taken from the disk at once. Throws UsageError when the folder has no room.
at::Tensor zeros_in_file(int64_t size, const std::string& folder);

}  // namespace kernels
