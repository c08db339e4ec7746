#include "kernels/thread_pool.h"

#include <ATen/Parallel.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace kernels {
namespace {

thread_local bool inside_body = false;

void pause_briefly() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

// One batch of work. Helpers hold it by shared_ptr, so a late one finds an exhausted counter and nothing else.
struct Job {
  const std::function<void(int64_t)>* body = nullptr;
  int64_t count = 0;
  std::atomic<int64_t> next{0}, done{0};
  std::mutex mutex;
  std::exception_ptr error;

  void work() {
    const FlushDenormals flush;
    inside_body = true;
    for (int64_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) {
      try {
        (*body)(i);
      } catch (...) {
        const std::lock_guard<std::mutex> lock(mutex);
        if (!error) error = std::current_exception();
      }
      done.fetch_add(1, std::memory_order_release);
    }
    inside_body = false;
  }
};

class Pool {
 public:
  ~Pool() { resize(1); }

  void resize(int64_t threads) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
    }
    generation_.fetch_add(1);
    wake_.notify_all();
    for (auto& t : helpers_) t.join();
    helpers_.clear();
    stopping_ = false;
    const uint64_t now = generation_.load();
    for (int64_t i = 1; i < threads; ++i) helpers_.emplace_back([this, now] { serve(now); });
  }

  int64_t size() const { return static_cast<int64_t>(helpers_.size()) + 1; }

  void run(int64_t count, const std::function<void(int64_t)>& body) {
    auto job = std::make_shared<Job>();
    job->body = &body;
    job->count = count;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      job_ = job;
      generation_.fetch_add(1, std::memory_order_release);
    }
    if (sleepers_.load() > 0) wake_.notify_all();
    job->work();
    // The last tasks of other threads: they run now, so spinning is short; a thread that lost its core needs ours.
    for (int spins = 0; job->done.load(std::memory_order_acquire) < count; ++spins) {
      if (spins < 2000) pause_briefly();
      else std::this_thread::yield();
    }
    if (job->error) std::rethrow_exception(job->error);
  }

 private:
  void serve(uint64_t seen) {
    for (;;) {
      for (int spins = 0; spins < 4000 && generation_.load(std::memory_order_acquire) == seen; ++spins) pause_briefly();
      std::shared_ptr<Job> job;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        if (generation_.load() == seen && !stopping_) {
          sleepers_.fetch_add(1);
          wake_.wait(lock, [&] { return generation_.load() != seen || stopping_; });
          sleepers_.fetch_sub(1);
        }
        if (stopping_) return;
        seen = generation_.load();
        job = job_;
      }
      if (job) job->work();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::thread> helpers_;
  std::shared_ptr<Job> job_;
  std::atomic<uint64_t> generation_{0};
  std::atomic<int> sleepers_{0};
  bool stopping_ = false;
};

int64_t cores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1u, std::thread::hardware_concurrency());
}

Pool& pool() {
  static Pool the_pool;
  // LibTorch gets one thread: its own would spin on the cores that ours work on.
  static const bool started = (the_pool.resize(cores()), at::set_num_threads(1), true);
  (void)started;
  return the_pool;
}

// Only one thread may use the pool at a time; another caller works alone.
std::mutex& pool_owner() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

FlushDenormals::FlushDenormals() {
#if defined(__x86_64__)
  saved_ = _mm_getcsr();
  _mm_setcsr(saved_ | 0x8040);
#else
  saved_ = 0;
#endif
}

FlushDenormals::~FlushDenormals() {
#if defined(__x86_64__)
  _mm_setcsr(saved_);
#endif
}

void set_threads(int64_t threads) {
  const std::lock_guard<std::mutex> lock(pool_owner());
  pool().resize(threads > 0 ? threads : cores());
}

int64_t threads() { return pool().size(); }

void parallel_for(int64_t count, const std::function<void(int64_t)>& body) {
  if (count <= 0) return;
  if (inside_body) {
    for (int64_t i = 0; i < count; ++i) body(i);
    return;
  }
  std::unique_lock<std::mutex> owner(pool_owner(), std::try_to_lock);
  if (count == 1 || !owner.owns_lock() || pool().size() == 1) {
    const FlushDenormals flush;
    inside_body = true;
    try {
      for (int64_t i = 0; i < count; ++i) body(i);
    } catch (...) {
      inside_body = false;
      throw;
    }
    inside_body = false;
    return;
  }
  pool().run(count, body);
}

void parallel_ranges(int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)>& body) {
  if (count <= 0) return;
  // Four ranges a thread: a late thread then costs a quarter of its share.
  const int64_t most = threads() * 4;
  const int64_t ranges = std::max<int64_t>(1, std::min(most, count / std::max<int64_t>(1, grain)));
  parallel_for(ranges, [&](int64_t i) { body(count * i / ranges, count * (i + 1) / ranges); });
}

}  // namespace kernels
