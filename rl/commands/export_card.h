// The README.md of an exported model: front matter that model hubs read, and what the run says about itself.
#pragma once

#include <cstdint>
#include <string>

namespace rl {

struct CardSource {
  std::string title;       // the folder's name
  std::string model;       // the model folder that is exported
  std::string run;         // the run it came from; empty: none
  std::string family;
  std::string dtypes;      // of the tensors, in words
  int64_t parameters = 0;
};

// Front matter: base_model, datasets, license, language, library_name, pipeline_tag, tags. Licence, language and, without
// a run, base model and data sets are those of the base's own README.md; what nobody says is "unknown: fill in". Body: the
// recipe (the run's resolved config.toml), its seed, and its evaluations before and after each stage (summary.json).
std::string model_card(const CardSource& source);

}  // namespace rl
