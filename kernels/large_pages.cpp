#include "kernels/large_pages.h"

#include <sys/mman.h>

namespace kernels {

void prefer_large_pages(void* data, int64_t bytes) {
  constexpr uintptr_t page = uintptr_t{2} << 20;
  if (bytes < static_cast<int64_t>(2 * page)) return;
  const auto begin = (reinterpret_cast<uintptr_t>(data) + page - 1) / page * page;
  const auto end = (reinterpret_cast<uintptr_t>(data) + static_cast<uintptr_t>(bytes)) / page * page;
  ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);  // a wish: refusal changes nothing
}

}  // namespace kernels
