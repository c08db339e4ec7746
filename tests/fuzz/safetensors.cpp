// Any bytes as a safetensors file: it is refused, or every tensor lies inside and can be read.
#include <algorithm>
#include <cstdlib>

#include "kernels/error.h"
#include "model/files/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    for (const auto& entry : model::parse_safetensors(data, static_cast<int64_t>(size), "f")) {
      if (entry.bytes < 0 || entry.data < data || entry.data + entry.bytes > data + size) std::abort();
      try {
        check_is_float(entry, "f");
      } catch (const kernels::UsageError&) {
        continue;
      }
      int64_t count = entry.bytes == 0 ? 0 : 1;
      for (const int64_t n : entry.shape) count *= entry.bytes == 0 ? 0 : n;
      std::vector<float> values(static_cast<size_t>(std::max<int64_t>(count, 1)));
      read_run(entry, 0, count, values.data());
      if (const uint16_t* bits = bf16_values(entry); bits && count > 0) values[0] = bits[count - 1];
    }
  } catch (const kernels::UsageError&) {
  }
  return 0;
}
