// Every key of the TOML, declared once: path, where it is stored, unit, range, words, one sentence.
//
// Reading, defaults, --print-config, the JSON schema and configs/SETTINGS.md all walk this list. Defaults are the
// members' own, in rl/config.h.
#pragma once

#include <functional>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include "rl/config.h"
#include "rl/config/toml_reader.h"

namespace rl {

// What a key may write to. A stage key needs `stage`, a reward key needs `reward`, a dataset key `dataset`.
struct Target {
  Config* config = nullptr;
  StageConfig* stage = nullptr;
  reward::Settings* reward = nullptr;
  DatasetConfig* dataset = nullptr;
};

struct Pair {
  double* first;
  double* second;
};

// An enumeration is stored by the index of its word in Key::words.
using Slot = std::variant<int64_t*, double*, bool*, std::string*, std::vector<std::string>*, std::vector<int64_t>*, Pair,
                          kernels::Dtype*, model::Attention*, kernels::RouterConfig::Scoring*,
                          kernels::RouterConfig::GroupScore*>;

struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_excluded = false, high_excluded = false;
};

struct Key {
  std::string section, name;
  std::function<Slot(const Target&)> slot;
  std::string unit;                // empty: none
  Range range;                     // numbers
  std::vector<std::string> words;  // text: the allowed ones; empty: any
  std::string sentence;
  bool born_only = false;          // makes sense only for a model born here

  std::string path() const { return section + "." + name; }
};

const std::vector<Key>& config_keys();
const Key* find_key(const std::string& section, const std::string& name);
std::vector<std::string> key_names(const std::string& section);

// Sections in the order of the documentation. A stage may repeat those of the second list; those of the third are for
// `ponder init`.
const std::vector<std::string>& run_sections();
const std::vector<std::string>& stage_sections();
const std::vector<std::string>& init_sections();

// The key of that name that a [[dataset]] may have: its own, or one of [data] or [template]; nullptr: none.
const Key* find_dataset_key(const std::string& name);
// All of them, in the order of the documentation.
std::vector<const Key*> dataset_keys();

// Writes the node's value to the slot. Returns an empty string, or what is wrong and how to fix it.
std::string assign(const Key& key, const TomlNode& node, const Target& target);
// The slot's value as TOML text, as JSON text, and as its default.
std::string value_text(const Key& key, const Target& target);
std::string default_text(const Key& key);
std::string type_name(const Key& key);   // integer | number | boolean | text | list of text | list of integers | two numbers
std::string range_text(const Key& key);  // ">= 1", "0 to 1", "a | b", or empty

}  // namespace rl
