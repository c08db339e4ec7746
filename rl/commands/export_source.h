// Which model folder a path means: itself, or the result of a run.
#pragma once

#include <string>

namespace rl {

struct ExportSource {
  std::string model;  // has config.json, or adapter_config.json
  std::string run;    // the run folder that wrote it; empty: none
};

// `path`: a model folder, or a run folder: then its final/, or its newest checkpoint. Throws UsageError for neither.
// `best`: a run folder's checkpoints/best (checkpoint.keep_best).
ExportSource find_model(const std::string& path, bool best = false);

// The run folder that a model folder lies in as final/ or checkpoints/step-...; empty: none.
std::string run_of(const std::string& model_folder);

}  // namespace rl
