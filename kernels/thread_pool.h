// The one thread pool; LibTorch is set to one thread when it starts. Work is split over rows or columns, never within a sum, so the number of threads never
// changes a result.
#pragma once

#include <cstdint>
#include <functional>

namespace kernels {

// Sets the number of threads (0 = all cores of this process). Call it from one thread, outside of parallel work.
void set_threads(int64_t threads);
int64_t threads();

// Calls body(i) once for every i in [0, count), on all threads, under flush-to-zero and denormals-are-zero. Returns
// when all are done. `count` tasks are handed out in ascending order, so make the large ones come first.
// A call from inside a body runs on the calling thread alone. The first exception of a body is thrown again here.
void parallel_for(int64_t count, const std::function<void(int64_t)>& body);

// Splits [0, count) into ranges of at least `grain` and calls body(begin, end) for each.
void parallel_ranges(int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)>& body);

// Flush-to-zero and denormals-are-zero on this thread while it lives. parallel_for sets it for bodies.
class FlushDenormals {
 public:
  FlushDenormals();
  ~FlushDenormals();
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  unsigned saved_;
};

}  // namespace kernels
