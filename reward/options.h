// The options of one [[reward]] entry, checked against what the reward declares.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "reward/reward.h"

namespace reward {

struct OptionInfo {
  std::string name, fallback, about;
  std::vector<std::string> choices;  // empty: any text
};
OptionInfo flag_option(std::string name, bool fallback, std::string about);

class Options {
 public:
  // Throws Error for an option that is not declared, given twice, or not one of its choices.
  Options(const std::vector<OptionInfo>& declared, const Settings& settings);
  const std::string& text(const std::string& name) const { return values_.at(name); }
  bool flag(const std::string& name) const { return values_.at(name) == "true"; }

 private:
  std::map<std::string, std::string> values_;
};

// The candidate with the smallest edit distance to `word`; the first of equals. Empty if there is none.
std::string nearest(const std::string& word, const std::vector<std::string>& candidates);

// Throws Error for a value out of range and for keys that belong to another kind.
void check_settings(const Settings& settings);

}  // namespace reward
