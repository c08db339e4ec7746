// The test sets that ship with Ponder, and the rule that nobody trains on a test set unawares.
#pragma once

#include <string>
#include <vector>

#include "rl/config.h"
#include "rl/dataset.h"

namespace rl {

struct TestSet {
  std::string name;  // folder/stem, such as "gsm8k/test"
  std::string file;
};

// Every .jsonl and .json file in a folder of configs/data but those whose names begin with "train" or "example", by name.
// rl/program_folder.h says where configs/data is looked for. Empty: it was not found.
std::vector<TestSet> shipped_test_sets();

// "gsm8k/test", or "gsm8k" when the folder has one set, or a path: the file. Throws UsageError for a name that is none.
std::string test_set_file(const std::string& name);

struct DataFindings {
  struct Finding {
    std::string path, what;  // a key of the settings; what is wrong, and how to fix it
  };
  std::vector<Finding> errors, warnings;
  std::string report;        // a line for people
};

// Training problems that a shipped test set or the stage's own data.eval holds: the same text, or the same letters, digits
// and numbers. An error that names their lines, unless data.allow_contamination names the set ("gsm8k/test"; "eval" is
// data.eval). Problems of a generator are counted only. With data.eval = data.train the held-back rows are kept out of
// training anyway, and nothing is compared.
DataFindings check_test_sets(const DataConfig& data, const std::vector<Problem>& training);

}  // namespace rl
