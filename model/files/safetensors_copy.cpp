// What the reader does on all threads.
#include <algorithm>
#include <cstring>

#include "kernels/thread_pool.h"
#include "model/files/safetensors.h"

namespace model {

void SafetensorsFile::copy(const SafetensorsEntry& entry, void* out) const {
  constexpr int64_t piece = int64_t{4} << 20;
  kernels::parallel_for((entry.bytes + piece - 1) / piece, [&](int64_t i) {
    const int64_t size = std::min(piece, entry.bytes - i * piece);
    std::memcpy(static_cast<unsigned char*>(out) + i * piece, entry.data + i * piece, static_cast<size_t>(size));
    file_.let_go(entry.data + i * piece, size);
  });
}

void read_as_float32(const SafetensorsEntry& entry, const std::string& file, float* out) {
  check_is_float(entry, file);
  int64_t size = 1;
  for (const int64_t n : entry.shape) size *= n;
  kernels::parallel_ranges(size, 1 << 16, [&](int64_t begin, int64_t end) {
    const float* values = read_run(entry, begin, end - begin, out + begin);
    if (values != out + begin) std::copy(values, values + (end - begin), out + begin);
  });
}

}  // namespace model
