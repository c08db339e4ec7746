// Tensors whose pages lie in a file: they are the program's memory while they are worked on, and leave it again by themselves.
//
// For state that a step looks at once and then not for a while (masters and moments of AdamW). The values are what they
// would be in memory, bit for bit. What leaves the program stays in the system's cache for as long as it has room.
#pragma once

#include <string>

#include "kernels/tensor.h"

namespace kernels {

// Bytes that tensors in files take while so many threads work on them, about: a thread brings in some 10 GB a second, and pages
// are taken back every 5 ms or a little later.
int64_t file_memory_window(int64_t threads);

// Empty, or what to know of this folder's file system: only where files are written in place (ext4, xfs) is the room for a
// write taken when the file is made; elsewhere a full disk may end the program later.
std::string file_memory_warning(const std::string& folder);

// Empty, or why `bytes` cannot lie in files in this folder, which may be made yet: no folder, not writable, in memory, full.
std::string file_memory_problem(const std::string& folder, int64_t bytes);

// float32 [size], zeros, in a nameless file in `folder`, which is made if it is not there; the file is gone with the tensor,
// or with the process. Its whole size is taken from the disk at once. Throws UsageError, see file_memory_problem.
at::Tensor zeros_in_file(int64_t size, const std::string& folder);

// Waits until the disk has every tensor in a file. Throws Error when it did not take all: what lies in files is not to be
// trusted then.
void sync_file_memory();

}  // namespace kernels
