// Memory in pages of 2 MB where the system has them: a first touch then costs one fault for 512 small ones.
#pragma once

#include <cstdint>

namespace kernels {

// For memory that was allocated and not yet touched. Does nothing below 4 MB or where the system has no such pages.
void prefer_large_pages(void* data, int64_t bytes);

}  // namespace kernels
