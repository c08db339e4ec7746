// The one thread pool; LibTorch is set to one thread when it starts. Work is split over rows or columns, never within a
// sum, so the number of threads never changes a result.
#pragma once

#include <atomic>
#include <cstdint>

namespace kernels {

// Sets the number of threads (0 = all cores of this process). Call it from one thread, outside of parallel work. With `pin`
// each helper is bound to a processor of its own while there are enough (kernels/processors.h), and stays near the memory that
// it wrote first; callers are not bound. Throws UsageError where the system does not let threads be bound.
void set_threads(int64_t threads, bool pin = false);
int64_t threads();
// How many set_threads(setting) makes.
int64_t threads_of(int64_t setting);

// A body by reference: no copy and no allocation.
struct TaskBody {
  const void* object;
  void (*call)(const void* object, int64_t i);
};
void run_tasks(int64_t count, const TaskBody& body);

// Calls body(i) once for every i in [0, count), on all threads, under flush-to-zero and denormals-are-zero. Returns
// when all are done. `count` tasks are handed out in ascending order, so make the large ones come first.
// A call from inside a body runs on the calling thread alone. The first exception of a body is thrown again here.
//
// Two threads may call at once: each has a region of its own, and the helpers are shared between the two, those that one
// does not need go to the other. A third works alone.
//
// A call costs about a microsecond while the helpers are awake (they look for work for about a millisecond before they
// sleep). The caller never waits for a helper that holds no task.
template <typename Body>
void parallel_for(int64_t count, const Body& body) {
  run_tasks(count, {&body, [](const void* object, int64_t i) { (*static_cast<const Body*>(object))(i); }});
}

// One thread calls parallel_for, until more say so by one of these while they do: for each a helper rests, so that no more
// threads work than set_threads() says. A caller that waits for another says so with -1. Results never depend on it.
class Callers {
 public:
  explicit Callers(int64_t more);
  ~Callers();
  Callers(const Callers&) = delete;
  Callers& operator=(const Callers&) = delete;

 private:
  int64_t more_;
};

// One thread's run of tasks: it takes from the front, others steal from the back when theirs are done.
struct alignas(64) TaskRun {
  std::atomic<uint64_t> ends{0};  // front in the lower half, end in the upper
  int64_t take_front(bool* more);  // -1: none is left. *more: the next one is still there
  int64_t take_back();
};
// The calling thread's runs, [0, count) cut in `runs` of them; kept from call to call, so only one region at a time may
// hold them.
TaskRun* deal_runs(int64_t count, int64_t runs);
bool inside_parallel_body();
// 1 to threads() - 1: a helper of the pool; 0: any other thread.
int64_t helper_index();

// parallel_for for tasks that read memory in order: each thread walks a run of neighbours, so that it knows what it will
// do next and can ask for it. Helper i begins with run i, so equal counts give a thread the same tasks again, but for those
// that another, which is done, takes from it. Calls body(i, next) once for every i; next is i + 1, or -1 when another may follow.
template <typename Body>
void parallel_runs(int64_t count, const Body& body) {
  if (inside_parallel_body()) {
    for (int64_t i = 0; i < count; ++i) body(i, i + 1 < count ? i + 1 : -1);
    return;
  }
  const int64_t runs = count < threads() ? count : threads();
  TaskRun* const own = deal_runs(count, runs);
  parallel_for(runs, [&](int64_t) {
    const int64_t run = helper_index() % runs;
    bool more = false;
    for (int64_t i; (i = own[run].take_front(&more)) >= 0;) body(i, more ? i + 1 : -1);
    for (int64_t other = 1; other < runs; ++other)
      for (int64_t i; (i = own[(run + other) % runs].take_back()) >= 0;) body(i, int64_t{-1});
  });
}

// How many ranges of at least `grain` parallel_ranges makes.
int64_t range_count(int64_t count, int64_t grain);

// Splits [0, count) into ranges of at least `grain` and calls body(begin, end) for each.
template <typename Body>
void parallel_ranges(int64_t count, int64_t grain, const Body& body) {
  const int64_t ranges = range_count(count, grain);
  parallel_for(ranges, [&](int64_t i) { body(count * i / ranges, count * (i + 1) / ranges); });
}

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
