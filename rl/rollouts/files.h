// Reading what dump.h wrote: the samples of a run, step by step.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rollout/sample_record.h"

namespace rl {

struct DumpedStep {
  std::string stage;
  int64_t step = 0;
  std::string path;  // without an ending
};

// All steps with samples in RUN/rollouts: by stage in the order of RUN/metrics.jsonl, then by step; other files there are passed
// over. Throws UsageError with the setting that makes a run write them when there are none.
std::vector<DumpedStep> dumped_steps(const std::string& run_directory);
// The last of them, if there are any.
std::optional<DumpedStep> last_dumped_step(const std::string& run_directory);
// The one of `step`; of the named stage, else of the last one that has it. Throws UsageError with the steps that are there.
DumpedStep find_step(const std::string& run_directory, const std::string& stage, int64_t step);

struct DumpedSample {
  int64_t prompt_id = 0, group_id = 0, sample_index = 0;
  std::string prompt, text, answer, data_source, extra, dataset;  // text: of the completion, without its end token
  std::string status, extracted, reason, detail, finish;
  bool left_out = false;                    // with its group: another prompt was asked in its place
  std::optional<double> reward, advantage;  // no value: it left its group; no advantage: it was not trained on
  std::vector<std::pair<std::string, double>> components;
  std::vector<int32_t> tokens;    // of the completion
  std::vector<uint8_t> trained;   // one a token
  std::vector<double> logprobs;   // one a trained token
  std::vector<int64_t> kept;      // one a trained token: how many ids its log-probability is over; empty: all
};

// Groups of samples, as the step had them. Throws UsageError "file:line: ..." for a damaged line.
std::vector<std::vector<DumpedSample>> read_samples(const DumpedStep& step);

// The sample records of the step. Throws kernels::Error for a damaged file.
std::vector<rollout::SampleRecord> read_records(const DumpedStep& step);

}  // namespace rl
