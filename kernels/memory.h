// Host memory for tensors and weights: large blocks come in huge pages and are used again.
//
// A fresh block of the system costs a page fault for every 4 KB, which for a product's output is as much as the product.
// So tensors of 64 KB and more are cut from mapped regions that ask for 2 MB pages, and a freed block waits for the next
// tensor of its size or less. What is in use and what waits are together no more than a sixteenth (or 64 MB) above the most
// that was ever in use, so the peak hardly grows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace kernels {

// Makes LibTorch take CPU storage from here. Called by the first tensor that tensor.h makes; again does nothing.
void use_block_allocator();

// Memory for weights, 64-byte aligned: many share a region of huge pages, which goes when the last of them goes.
std::shared_ptr<std::byte> weight_memory(int64_t bytes);

// Bytes in use by tensors of 64 KB and more, bytes that wait for the next one, and the most that was ever in use.
struct BlockCounts {
  int64_t used = 0, waiting = 0, peak = 0;
};
BlockCounts block_counts();

}  // namespace kernels
