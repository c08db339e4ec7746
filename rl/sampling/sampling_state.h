// Where a run's sampling stands. A checkpoint holds it, so that a resumed run asks what the run that never stopped would have.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace rl {

struct Group;

struct SamplingState {
  int64_t next_problem = 0;  // of the stage's data, see Dataset::problem
  int64_t next_group = 0;    // its id; group ids are counted over the whole run
  // Groups that the step ended without, and the next one goes on with (rollout.partial); null: none. Not part of the JSON, see
  // saved_samples.h.
  std::shared_ptr<const std::vector<Group>> carried = {};

  void begin_stage() {
    next_problem = 0;
    carried = nullptr;
  }
};

// One JSON object, and back; the latter throws nlohmann::json::exception for what is not one.
std::string to_json(const SamplingState& state);
SamplingState sampling_state_from(const std::string& json);

}  // namespace rl
