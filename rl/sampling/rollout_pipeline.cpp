#include "rl/sampling/rollout_pipeline.h"

#include <algorithm>
#include <utility>

#include "kernels/error.h"
#include "kernels/thread_pool.h"
#include "kernels/trace.h"

namespace rl {

RolloutPipeline::RolloutPipeline(Collect collect, const Steps& steps, std::vector<Collected> ahead, std::function<void()> cancel)
    : collect_(std::move(collect)), cancel_(std::move(cancel)), steps_(steps), newest_(steps.first - 1), next_(steps.first) {
  for (Collected& step : ahead) {
    if (next_ >= steps_.end) break;
    ready_.push_back(std::move(step));
    ++next_;
  }
  if (on_thread()) thread_ = std::thread([this] { collect_ahead(); });
}

RolloutPipeline::~RolloutPipeline() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (!thread_.joinable()) return;
  if (cancel_) cancel_();
  thread_.join();
}

void RolloutPipeline::collect_ahead() {
  kernels::name_trace_lane("rollout");
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return stopping_ || may_collect(); });
    if (stopping_) return;
    collect_next(lock);
  }
}

// With the lock, which it leaves while it works.
void RolloutPipeline::collect_next(std::unique_lock<std::mutex>& lock) {
  const int64_t step = next_;
  Weights weights = published_.at(version_of(step));
  busy_ = true;
  lock.unlock();
  Collected collected;
  std::exception_ptr error;
  try {
    const kernels::Callers beside(on_thread() ? 1 : 0);
    collected = std::make_shared<const CollectedStep>(collect_(step, std::move(weights)));
  } catch (...) {
    error = std::current_exception();
  }
  weights = nullptr;  // not after the lock: who sees the step done may write over its weights
  lock.lock();
  busy_ = false;
  error_ = error;
  if (!error_) {
    ready_.push_back(std::move(collected));
    ++next_;
  }
  changed_.notify_all();
}

void RolloutPipeline::publish(int64_t step, Weights weights) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    published_[step] = std::move(weights);
    newest_ = step;
    retire();
  }
  changed_.notify_all();
}

RolloutPipeline::Collected RolloutPipeline::take(int64_t step, double& waited) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (newest_ < step) kernels::fail("rollout: step {} is asked for, but only the weights up to step {} are published.", step, newest_);
  if (!on_thread()) {
    if (ready_.empty()) collect_next(lock);
  } else if (ready_.empty() && !error_) {
    const kernels::Span waiting("rollout wait", &waited);
    const kernels::Callers waits(-1);
    changed_.wait(lock, [&] { return !ready_.empty() || error_; });
  }
  if (ready_.empty()) std::rethrow_exception(error_);
  taken_ = std::move(ready_.front());
  ready_.pop_front();
  retire();
  return taken_;
}

void RolloutPipeline::put_back() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (taken_) ready_.push_front(std::move(taken_));
}

// With the lock. The step that is being collected is still `next_`.
void RolloutPipeline::retire() {
  while (!published_.empty() && published_.begin()->first < version_of(next_)) {
    retired_ = std::move(published_.begin()->second);
    published_.erase(published_.begin());
  }
}

RolloutPipeline::Weights RolloutPipeline::retired() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(retired_, nullptr);
}

void RolloutPipeline::drain() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (!on_thread()) return;
  const kernels::Callers waits(-1);
  changed_.wait(lock, [&] { return !busy_ && !may_collect(); });
}

std::vector<RolloutPipeline::Collected> RolloutPipeline::ahead() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return {ready_.begin(), ready_.end()};
}

}  // namespace rl
