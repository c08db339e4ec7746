// The CUDA devices that this build can use. Plain C++: no CUDA header, no LibTorch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kernels {

struct CudaDevice {
  std::string name;
  int major = 0, minor = 0;  // compute capability
  int64_t memory_bytes = 0;
};

// True for a build with -DWITH_CUDA=ON.
bool built_with_cuda();
// Empty without a driver or a device; `reason` then says why, in CUDA's words.
std::vector<CudaDevice> cuda_devices(std::string* reason);

}  // namespace kernels
