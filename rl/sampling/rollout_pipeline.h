// Samples of the steps ahead, collected on a thread of their own while the trainer works.
//
// A step's samples are drawn with the weights that the trainer had `lag` steps before, exactly: step t with those after step
// t - lag, the first ones with those that the pipeline began with. Never with newer ones, and waiting for them if need be: so
// what a step gets does not depend on the clock. Lag 0 is the synchronous run: the same code, without a thread.
//
// One trainer's thread calls it. What `collect` uses belongs to the pipeline's thread until drain() returns, and again from
// the next publish() on.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "model/weight_set.h"
#include "rl/sampling/step_rollouts.h"

namespace rl {

class RolloutPipeline {
 public:
  using Weights = std::shared_ptr<const model::WeightSet>;
  using Collected = std::shared_ptr<const CollectedStep>;
  using Collect = std::function<CollectedStep(int64_t step, Weights weights)>;  // lets go of the weights before it returns

  struct Steps {
    int64_t first = 0;  // the next one to train on
    int64_t end = 0;
    int64_t lag = 0;
  };

  // `ahead`: steps from `first` on that were collected before a checkpoint (those beyond `end` are dropped).
  // `cancel`: ends a `collect` that is under way soon; called when the pipeline goes. May be empty.
  RolloutPipeline(Collect collect, const Steps& steps, std::vector<Collected> ahead = {}, std::function<void()> cancel = {});
  ~RolloutPipeline();  // waits for the step that is being collected

  // The weights that step `step` is trained with.
  void publish(int64_t step, Weights weights);
  // The samples of `step`, whose weights were published. Adds the seconds that it waited for the thread to `waited`. What
  // collecting threw comes out at the step that is missing for it.
  Collected take(int64_t step, double& waited);
  // Puts the step that was taken last back in front.
  void put_back();
  // Weights that no step needs any more, or null: their storage may be written over.
  Weights retired();

  // Waits until all steps that the published weights allow are collected.
  void drain();
  std::vector<Collected> ahead() const;  // collected and not taken, in order

 private:
  int64_t version_of(int64_t step) const { return std::max(steps_.first, step - steps_.lag); }
  bool may_collect() const { return !error_ && next_ < steps_.end && version_of(next_) <= newest_; }
  bool on_thread() const { return steps_.lag > 0; }
  void collect_ahead();
  void collect_next(std::unique_lock<std::mutex>& lock);
  void retire();

  Collect collect_;
  std::function<void()> cancel_;
  Steps steps_;
  mutable std::mutex mutex_;  // of all below
  std::condition_variable changed_;
  std::map<int64_t, Weights> published_;  // by the step that is trained with them
  int64_t newest_ = -1;                   // step
  int64_t next_ = 0;                      // to collect
  bool busy_ = false, stopping_ = false;
  std::deque<Collected> ready_;
  Collected taken_;
  Weights retired_;
  std::exception_ptr error_;
  std::thread thread_;  // last: it uses the others
};

}  // namespace rl
