// Where a run's sampling stands. A checkpoint holds it, so that a resumed run asks what the run that never stopped would have.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace rl {

struct Group;

// What a curriculum knows of a problem, see PromptDraws.
struct PromptRecord {
  double right = 0, judged = 0;  // completions, older ones counted less
  int64_t visits = 0;            // times it was asked
  int64_t dropped_in = -1;       // epoch of its set in which it was dropped; -1: it is not

  double pass_rate() const { return judged > 0 ? right / judged : 0; }
};

// Of one data set.
struct SetState {
  int64_t next = 0;                         // problem, see Dataset::problem
  std::map<int64_t, PromptRecord> prompts;  // by prompt_id; empty without a curriculum
};

struct SamplingState {
  int64_t draws = 0;           // problems asked in the stage
  int64_t next_group = 0;      // its id; group ids are counted over the whole run
  std::vector<SetState> sets;  // of the stage; empty: nothing was drawn yet
  // Groups that the step ended without, and the next one goes on with (rollout.partial); null: none. Not part of the JSON, see
  // saved_samples.h.
  std::shared_ptr<const std::vector<Group>> carried = {};

  void begin_stage() {
    draws = 0;
    sets.clear();
    carried = nullptr;
  }
};

// One JSON object, and back; the latter throws nlohmann::json::exception for what is not one.
std::string to_json(const SamplingState& state);
SamplingState sampling_state_from(const std::string& json);

}  // namespace rl
