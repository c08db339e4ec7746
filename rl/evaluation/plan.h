// What one call of `ponder eval` will do: suites with their problems, wording and judge, and the settings that decide the result.
#pragma once

#include <string>
#include <vector>

#include "rl/commands/commands.h"
#include "rl/evaluation/suite.h"
#include "rl/commands/loaded_model.h"

namespace rl {

// A suite as it will be asked.
struct PlannedSuite {
  Suite suite;
  SuiteProblems data;
  model::TemplateConfig chat_template;
  std::vector<std::string> notes;  // for people: see SuiteResult

  const std::string& wording() const;  // the suite's question, for this chat template
};

// Throws UsageError for settings that contradict each other.
void check_eval_options(const EvalOptions& options);

// The suites that were named, or one made of --data, each with the command line's changes. Unknown suites, rewards and options
// are errors here, before a model is loaded.
std::vector<Suite> chosen_suites(const EvalOptions& options);

// Reads the problems and looks at every gold and every prompt: what cannot be judged or does not fit becomes a note. Throws
// Error when the judge fails its own test.
PlannedSuite plan_suite(const EvalOptions& options, const Suite& suite, const LoadedModel& loaded);

// A prompt that leaves no room to answer loses its beginning, as in lm-eval: it may take so many tokens.
int64_t most_prompt_tokens(const Suite& suite, int64_t max_positions);

// All that decides the result; two evaluations with equal settings have equal samples. For EvalFolder.
nlohmann::ordered_json eval_settings(const EvalOptions& options, const std::vector<PlannedSuite>& plans,
                                     const std::string& checkpoint);

// Names a model by its content: the SHA-256 of what `sha256sum *.json *.safetensors` prints in its folder.
std::string checkpoint_id(const std::string& directory);
std::string checkpoint_id(const model::ModelPlace& place);  // of a folder, or of a base and its adapter

}  // namespace rl
