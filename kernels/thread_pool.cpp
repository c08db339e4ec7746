#include "kernels/thread_pool.h"

#include <ATen/Parallel.h>
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "kernels/error.h"
#include "kernels/processors.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace kernels {
namespace {

thread_local bool inside_body = false;
thread_local int64_t own_index = 0;

// Helpers spin for some ten microseconds, the gap between two regions of a forward pass; then for about a millisecond, the
// gap between two passes, they look again and again but give their core to whoever wants it; then they sleep. Waking one
// costs as much as a product of a decode step.
constexpr int kSpinsBeforeYield = 1000;
constexpr int kLooksBeforeSleep = 4000;

void pause_briefly() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

void pause_or_yield(int looks) {
  if (looks < kSpinsBeforeYield) pause_briefly();
  else std::this_thread::yield();
}

// Regions that may be under way at once: the trainer's and the rollout's.
constexpr int64_t kJobs = 2;

// A region. `ticket` holds the job's number in its upper half and the count of tasks not yet handed out in its lower half,
// so taking a task from a job that is over is impossible: a late helper's compare-and-swap fails, or there is nothing left.
// The next job is written only when the lower half is 0 and all tasks are done.
struct Job {
  alignas(64) std::atomic<uint64_t> ticket{0};
  alignas(64) std::atomic<const TaskBody*> body{nullptr};
  std::atomic<int64_t> count{0};
  alignas(64) std::atomic<int64_t> done{0};
  std::exception_ptr error;  // under error_mutex while the job runs
  std::mutex error_mutex;
  std::mutex owner;          // held by the caller from its first task to its last

  uint64_t number() const { return ticket.load() >> 32; }

  // Takes tasks until none is left. `body` and `count` belong to the ticket that the compare-and-swap finds unchanged.
  void work() {
    uint64_t now = ticket.load(std::memory_order_acquire);
    if ((now & 0xffffffffu) == 0) return;
    const FlushDenormals flush;
    inside_body = true;
    int64_t taken = 0;
    while ((now & 0xffffffffu) != 0) {
      const TaskBody* its_body = body.load(std::memory_order_acquire);
      const int64_t its_count = count.load(std::memory_order_acquire);
      if (!ticket.compare_exchange_weak(now, now - 1, std::memory_order_acq_rel, std::memory_order_acquire)) continue;
      try {
        its_body->call(its_body->object, its_count - static_cast<int64_t>(now & 0xffffffffu));
      } catch (...) {
        const std::lock_guard<std::mutex> lock(error_mutex);
        if (!error) error = std::current_exception();
      }
      ++taken;
      now = ticket.load(std::memory_order_acquire);
    }
    inside_body = false;
    if (taken > 0) done.fetch_add(taken, std::memory_order_release);
  }
};

// Half of the helpers look at the first job first, half at the second; each takes from the other when its own has nothing.
class Pool {
 public:
  ~Pool() { resize(1, false); }

  // The error of binding a helper, or 0.
  int resize(int64_t threads, bool pin) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    call_back_.notify_all();
    for (auto& t : helpers_) t.join();
    helpers_.clear();
    stopping_ = false;
    threads_ = threads;
    std::array<uint64_t, kJobs> seen;
    for (size_t j = 0; j < kJobs; ++j) seen[j] = jobs_[j].number();
    const std::vector<int> places = pin ? processors() : std::vector<int>();
    int error = pin && places.empty() ? ENOSYS : 0;
    for (int64_t i = 1; i < threads; ++i) {
      helpers_.emplace_back([this, i, seen] { serve(i, seen); });
      if (!places.empty()) error = std::max(error, bind(helpers_.back(), places[static_cast<size_t>(i) % places.size()]));
    }
    return error;
  }

  int64_t size() const { return threads_.load(std::memory_order_relaxed); }
  std::array<Job, kJobs>& jobs() { return jobs_; }

  // With job.owner held.
  void run(Job& job, int64_t count, const TaskBody& body) {
    job.body.store(&body, std::memory_order_release);
    job.count.store(count, std::memory_order_release);
    job.done.store(0, std::memory_order_relaxed);
    job.ticket.store(((job.ticket.load(std::memory_order_relaxed) >> 32) + 1) << 32 | static_cast<uint64_t>(count));
    // Both are sequentially consistent: a helper that is about to sleep is seen here, or it sees the new ticket.
    if (sleepers_.load() > 0) {
      { const std::lock_guard<std::mutex> lock(mutex_); }
      wake_.notify_all();
    }
    job.work();
    // The last tasks of other threads: they run now, so spinning is short; a thread that lost its core needs ours.
    for (int looks = 0; job.done.load(std::memory_order_acquire) < count; ++looks) pause_or_yield(looks);
    if (job.error) std::rethrow_exception(std::exchange(job.error, nullptr));
  }

  void change_callers(int64_t by) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      more_callers_ += by;
    }
    call_back_.notify_all();
  }

 private:
  // The last helpers' cores belong to callers that work beside the first.
  bool rests(int64_t helper) const { return helper >= threads_.load() - more_callers_.load(); }

  static int bind(std::thread& helper, int processor) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    return pthread_setaffinity_np(helper.native_handle(), sizeof set, &set);
  }

  void serve(int64_t helper, std::array<uint64_t, kJobs> seen) {
    own_index = helper;
    const auto news = [&] {
      for (size_t j = 0; j < kJobs; ++j)
        if (jobs_[j].number() != seen[j]) return true;
      return false;
    };
    for (;;) {
      if (rests(helper)) {
        std::unique_lock<std::mutex> lock(mutex_);
        call_back_.wait(lock, [&] { return !rests(helper) || stopping_; });
        if (stopping_) return;
      }
      for (int looks = 0; looks < kLooksBeforeSleep && !news(); ++looks) pause_or_yield(looks);
      if (!news()) {
        std::unique_lock<std::mutex> lock(mutex_);
        sleepers_.fetch_add(1);
        wake_.wait(lock, [&] { return news() || stopping_; });
        sleepers_.fetch_sub(1);
        if (stopping_) return;
      }
      for (int64_t j = 0; j < kJobs; ++j) {
        const auto own = static_cast<size_t>((helper + 1 + j) % kJobs);
        seen[own] = jobs_[own].number();
        jobs_[own].work();
      }
    }
  }

  std::array<Job, kJobs> jobs_;
  alignas(64) std::atomic<int> sleepers_{0};
  std::atomic<int64_t> threads_{1}, more_callers_{0};
  std::mutex mutex_;
  std::condition_variable wake_, call_back_;  // for work; for those that rest
  std::vector<std::thread> helpers_;
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
  static const bool started = (the_pool.resize(cores(), false), at::set_num_threads(1), true);
  (void)started;
  return the_pool;
}

void run_alone(int64_t count, const TaskBody& body) {
  const FlushDenormals flush;
  inside_body = true;
  try {
    for (int64_t i = 0; i < count; ++i) body.call(body.object, i);
  } catch (...) {
    inside_body = false;
    throw;
  }
  inside_body = false;
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

void set_threads(int64_t threads, bool pin) {
  std::vector<std::unique_lock<std::mutex>> owners;
  for (Job& job : pool().jobs()) owners.emplace_back(job.owner);
  if (const int error = pool().resize(threads_of(threads), pin); error != 0)
    fail_usage("run.pin_threads: the system does not let threads be bound to processors here ({}). Set it to false.", std::strerror(error));
}

int64_t threads() { return pool().size(); }
int64_t threads_of(int64_t setting) { return setting > 0 ? setting : cores(); }

void run_tasks(int64_t count, const TaskBody& body) {
  if (count <= 0) return;
  if (inside_body) {
    for (int64_t i = 0; i < count; ++i) body.call(body.object, i);
    return;
  }
  if (count == 1 || pool().size() == 1) return run_alone(count, body);
  for (Job& job : pool().jobs()) {
    const std::unique_lock<std::mutex> owner(job.owner, std::try_to_lock);
    if (owner.owns_lock()) return pool().run(job, count, body);
  }
  run_alone(count, body);  // a third caller
}

Callers::Callers(int64_t more) : more_(more) { pool().change_callers(more_); }
Callers::~Callers() { pool().change_callers(-more_); }

int64_t TaskRun::take_front(bool* more) {
  for (uint64_t now = ends.load(std::memory_order_relaxed);;) {
    const uint64_t front = now & 0xffffffffu, end = now >> 32;
    if (front >= end) return -1;
    *more = front + 1 < end;
    if (ends.compare_exchange_weak(now, now + 1, std::memory_order_relaxed)) return static_cast<int64_t>(front);
  }
}

int64_t TaskRun::take_back() {
  for (uint64_t now = ends.load(std::memory_order_relaxed);;) {
    const uint64_t front = now & 0xffffffffu, end = now >> 32;
    if (front >= end) return -1;
    if (ends.compare_exchange_weak(now, front | (end - 1) << 32, std::memory_order_relaxed)) return static_cast<int64_t>(end - 1);
  }
}

bool inside_parallel_body() { return inside_body; }
int64_t helper_index() { return own_index; }

TaskRun* deal_runs(int64_t count, int64_t runs) {
  static thread_local std::vector<TaskRun> own;
  if (static_cast<int64_t>(own.size()) < runs) own = std::vector<TaskRun>(static_cast<size_t>(runs));
  for (int64_t r = 0; r < runs; ++r)
    own[static_cast<size_t>(r)].ends = static_cast<uint64_t>(count * r / runs) | static_cast<uint64_t>(count * (r + 1) / runs) << 32;
  return own.data();
}

int64_t range_count(int64_t count, int64_t grain) {
  if (count <= 0) return 0;
  // Four ranges a thread: a late thread then costs a quarter of its share.
  return std::max<int64_t>(1, std::min(threads() * 4, count / std::max<int64_t>(1, grain)));
}

}  // namespace kernels
