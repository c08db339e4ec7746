// The options of one [[reward]] entry, checked against what the reward declares.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
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
  // Throws Error for an option that is not declared, given twice, or not one of its choices. A declared name that ends in
  // "*" allows every option that begins so.
  Options(const std::vector<OptionInfo>& declared, const Settings& settings);
  const std::string& text(const std::string& name) const { return values_.at(name); }
  bool flag(const std::string& name) const { return values_.at(name) == "true"; }
  // As a finite number within the bounds. Throw Error for any other text.
  double number(const std::string& name, double low, double high) const;
  int64_t whole(const std::string& name, int64_t low, int64_t high) const;
  // The given options that begin with `prefix`, declared as "prefix*": their names without it, and values.
  std::vector<std::pair<std::string, std::string>> under(const std::string& prefix) const;

 private:
  std::string reward_;
  std::map<std::string, std::string> values_;
};

// The candidate with the smallest edit distance to `word`; the first of equals. Empty if there is none.
std::string nearest(const std::string& word, const std::vector<std::string>& candidates);

// Throws Error for a value out of range and for keys that belong to another kind.
void check_settings(const Settings& settings);

}  // namespace reward
