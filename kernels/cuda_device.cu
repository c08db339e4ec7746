// Asks the CUDA runtime for its devices. No kernel yet: the ops' CUDA files follow, one beside each op.
#include <cuda_runtime.h>

#include "kernels/cuda_device.h"

namespace kernels {

bool built_with_cuda() { return true; }

std::vector<CudaDevice> cuda_devices(std::string* reason) {
  std::vector<CudaDevice> devices;
  int count = 0;
  cudaError_t error = cudaGetDeviceCount(&count);
  for (int i = 0; error == cudaSuccess && i < count; ++i) {
    cudaDeviceProp properties{};
    error = cudaGetDeviceProperties(&properties, i);
    if (error == cudaSuccess)
      devices.push_back({properties.name, properties.major, properties.minor, static_cast<int64_t>(properties.totalGlobalMem)});
  }
  if (error != cudaSuccess) {
    *reason = cudaGetErrorString(error);
    devices.clear();
  } else if (count == 0) {
    *reason = "no CUDA device is present";
  }
  return devices;
}

}  // namespace kernels
