// TOML nodes and overrides -> Config, with every error kept and the source of every value.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "rl/config.h"
#include "rl/config/keys.h"
#include "rl/config/toml_reader.h"

namespace rl {

// Where a value came from. None of them: the default.
struct Source {
  int64_t line = 0;        // of the TOML file
  std::string override_ = {};  // the text after --set
  std::string preset = {};     // the preset's name; `line` is then of its file
};

class ConfigErrors {
 public:
  explicit ConfigErrors(std::string file) : file_(std::move(file)) {}
  void add(const Source& source, const std::string& path, const std::string& what);
  bool empty() const { return errors_.empty(); }
  // All of them, in the order of the file, each once, joined by newlines.
  std::string joined() const;

 private:
  std::string file_;
  std::multimap<int64_t, std::string> errors_;
};

// Sources by path: "run.seed" for a section of the run; "rollout.top_p" with the stage's index for one of a stage.
struct Resolved {
  Config config;
  std::map<std::string, Source> run_sources;
  std::vector<std::map<std::string, Source>> stage_sources;
  std::vector<std::vector<Source>> reward_sources;   // [stage][reward]
  std::vector<std::vector<Source>> dataset_sources;  // [stage][dataset]

  Source source_of(size_t stage, const std::string& path) const;
};

// Throws UsageError with all errors.
Resolved resolve_config(const std::string& file, const std::vector<std::string>& overrides);

// Only [run], [model] and [tokenizer]: see read_sizes of rl/config.h.
Resolved resolve_sizes(const std::string& file, const std::vector<std::string>& overrides);

// What a born model's file leaves out: the family from the parts, or a family's parts; sizes that the alphabet's tokenizer
// gives. config/born_model.cpp
void fill_in_born_model(Resolved& resolved);
// The rules of a born model's file: what is read and born at once, tokenizers. Errors by path.
std::vector<std::pair<std::string, std::string>> born_model_problems(const Resolved& resolved);

// Settings that are fine alone and wrong together: all of them, and those of one stage's algorithm.
void check_rules(const Resolved& resolved, ConfigErrors& errors);
void check_algorithm(const Resolved& resolved, size_t stage, ConfigErrors& errors);
// What a preset sets and the file's own settings leave without effect goes back to its default.
void forget_unused_presets(StageConfig& stage, std::map<std::string, Source>& sources);

}  // namespace rl
