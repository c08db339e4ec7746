// A build without CUDA: what the CUDA files would define.
#include "kernels/cuda_device.h"

namespace kernels {

bool built_with_cuda() { return false; }

std::vector<CudaDevice> cuda_devices(std::string* reason) {
  *reason = "this build has no CUDA; configure with -DWITH_CUDA=ON (preset cuda)";
  return {};
}

}  // namespace kernels
