// The folders RUN/checkpoints/step-000123: which there are, and which of them go.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rl {

// RUN/checkpoints/step-000123.
std::string checkpoint_path(const std::string& run_directory, int64_t step);

// The newest whole checkpoint of a run folder, if there is one.
std::optional<std::string> newest_checkpoint(const std::string& run_directory);

// Deletes the oldest beyond keep_last; `just_saved` stays whatever the others are.
void delete_old_checkpoints(const std::string& run_directory, int64_t keep_last, const std::string& just_saved);

// A run goes on from checkpoint `from`, of step `step`, so its folder's later ones are of a way not taken: they would pass for
// its newest. They are renamed to abandoned-step-000123, which nothing picks up or deletes; returns these paths. What a kill
// left half written goes. Throws kernels::Error.
std::vector<std::string> abandon_later_checkpoints(const std::string& run_directory, int64_t step, const std::string& from);

}  // namespace rl
