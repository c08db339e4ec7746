// Every metric: name, unit, meaning; and the log that writes them.
//
// metrics.jsonl holds one object a line: {"stage": "grpo", "step": 3, "reward": 0.41, ...}, flushed line by line. Names are
// TRL's where TRL has one. What differs between two equal runs stands under timing/ only. A value that is not finite is null.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rl {

struct MetricInfo {
  const char* name;     // "rewards/*/mean" stands for one of each reward
  const char* unit;
  const char* meaning;
  const char* chart;    // the report draws metrics of one chart together; empty: not drawn
};
const std::vector<MetricInfo>& metric_infos();
// The entry for a name, wildcards resolved; nullptr for a name that is not in the table.
const MetricInfo* find_metric(const std::string& name);

using Metrics = std::vector<std::pair<std::string, double>>;  // in the order of the line

struct MetricsLine {
  std::string stage;
  int64_t step = 0;
  Metrics values;  // NaN where the line has null
};

class TensorBoardWriter;

class MetricsLog {
 public:
  // Appends to DIR/metrics.jsonl; with tensorboard, a new events file in DIR/tensorboard too. Throws kernels::Error when they
  // cannot be written.
  MetricsLog(const std::string& directory, bool tensorboard);
  ~MetricsLog();
  // Throws kernels::Error for a name that is not in the table. What the disk refuses waits, see rl/line_log.h.
  void log(const std::string& stage, int64_t step, const Metrics& values);

 private:
  std::string file_;
  std::unique_ptr<TensorBoardWriter> tensorboard_;
};

// Cuts a file of lines {"stage", "step", ...} after those of `stage` up to `step`, so that a resumed run writes the later ones
// again. `stages` are the run's stages in order: lines of earlier stages stay, those of later ones go. A half-written last line
// goes too; a line inside that cannot be read is no reason to cut the good ones behind it. A missing file is fine. Call it before
// more is written to the file. `no_evaluation`: the line of that step's evaluation goes too.
void truncate_lines_after(const std::string& file, const std::vector<std::string>& stages, const std::string& stage, int64_t step,
                          bool no_evaluation = false);

// One line of metrics.jsonl, without the newline, and back. read_metrics skips a half-written last line.
std::string metrics_line(const std::string& stage, int64_t step, const Metrics& values);
std::vector<MetricsLine> read_metrics(const std::string& file);

}  // namespace rl
