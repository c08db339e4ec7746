// kernels/thread_pool.h without LibTorch, for the fuzz targets: one thread.
#include "kernels/thread_pool.h"

namespace kernels {

void set_threads(int64_t, bool) {}
int64_t threads() { return 1; }
bool inside_parallel_body() { return true; }
int64_t helper_index() { return 0; }
int64_t range_count(int64_t count, int64_t) { return count > 0 ? 1 : 0; }
void run_tasks(int64_t count, const TaskBody& body) {
  for (int64_t i = 0; i < count; ++i) body.call(body.object, i);
}

}  // namespace kernels
