#include "kernels/dtype.h"

#include "kernels/error.h"

namespace kernels {

Dtype parse_dtype(std::string_view name) {
  if (name == "float32") return Dtype::float32;
  if (name == "bf16") return Dtype::bf16;
  fail_usage("'{}' is no dtype; write float32 or bf16.", name);
}

std::string_view name_of(Dtype dtype) { return dtype == Dtype::bf16 ? "bf16" : "float32"; }
int64_t bytes_of(Dtype dtype) { return dtype == Dtype::bf16 ? 2 : 4; }

}  // namespace kernels
