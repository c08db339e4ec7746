// Values of keys: TOML node -> member, member -> text, and what is wrong with one.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <cmath>

#include "rl/config/keys.h"
#include "rl/config/nearest_name.h"

namespace rl {
namespace {

using Kind = TomlNode::Kind;

std::string number_text(double value) {
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  std::string text = fmt::format("{}", value);
  return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
}

std::string wrong_type(const TomlNode& node, const std::string& wanted, const std::string& example) {
  return fmt::format("is {}, which is {}, but this key takes {}. Write it like {}.", shown(node), name_of(node.kind), wanted,
                     example);
}

std::string out_of_range(const Key& key, double value, const std::string& text) {
  const Range& range = key.range;
  const bool low = range.low_excluded ? value > range.low : value >= range.low;
  const bool high = range.high_excluded ? value < range.high : value <= range.high;
  if (low && high && !std::isnan(value)) return "";
  return fmt::format("is {}, but must be {}{}{}.", text, range_text(key), key.unit.empty() ? "" : " ", key.unit);
}

std::string not_a_word(const Key& key, const std::string& word) {
  const std::string near = nearest_name(word, key.words);
  return fmt::format("is {}, but must be one of: {}.{}", toml_quoted(word), fmt::join(key.words, ", "),
                     near.empty() ? "" : " Did you mean " + toml_quoted(near) + "?");
}

// One overload a kind of slot: checks the node, then writes.
struct Assign {
  const Key& key;
  const TomlNode& node;

  std::string operator()(int64_t* slot) const {
    if (node.kind != Kind::integer) return wrong_type(node, "an integer", fmt::format("{} = {}", key.name, *slot));
    if (auto error = out_of_range(key, node.real, shown(node)); !error.empty()) return error;
    *slot = node.integer;
    return "";
  }
  std::string operator()(double* slot) const {
    if (node.kind != Kind::integer && node.kind != Kind::real)
      return wrong_type(node, "a number", fmt::format("{} = {}", key.name, number_text(*slot)));
    if (std::isnan(node.real) || std::isinf(node.real)) return fmt::format("is {}, but must be a finite number.", shown(node));
    if (auto error = out_of_range(key, node.real, shown(node)); !error.empty()) return error;
    *slot = node.real;
    return "";
  }
  std::string operator()(bool* slot) const {
    if (node.kind != Kind::boolean) return wrong_type(node, "true or false", key.name + " = true");
    *slot = node.boolean;
    return "";
  }
  std::string operator()(std::string* slot) const {
    if (node.kind != Kind::text)
      return wrong_type(node, "text in quotes", key.name + " = \"" + (key.words.empty() ? "..." : key.words.back()) + "\"");
    if (!key.words.empty() && index_of(node.text) < 0) return not_a_word(key, node.text);
    *slot = node.text;
    return "";
  }
  std::string operator()(std::vector<std::string>* slot) const {
    if (node.kind != Kind::array) return wrong_type(node, "a list of texts", key.name + " = [\"a\", \"b\"]");
    std::vector<std::string> texts;
    for (const auto& [unused, item] : node.children) {
      if (item.kind != Kind::text) return fmt::format("holds {}, but all its items must be text in quotes.", shown(item));
      texts.push_back(item.text);
    }
    *slot = texts;
    return "";
  }
  std::string operator()(std::vector<int64_t>* slot) const {
    if (node.kind != Kind::array) return wrong_type(node, "a list of integers", key.name + " = [0, 1]");
    std::vector<int64_t> numbers;
    for (const auto& [unused, item] : node.children) {
      if (item.kind != Kind::integer) return fmt::format("holds {}, but all its items must be integers.", shown(item));
      if (auto error = out_of_range(key, item.real, shown(item)); !error.empty()) return error;
      numbers.push_back(item.integer);
    }
    *slot = numbers;
    return "";
  }
  std::string operator()(Pair slot) const {
    if (node.kind != Kind::array || node.children.size() != 2)
      return wrong_type(node, "a list of two numbers", fmt::format("{} = [{}, {}]", key.name, *slot.first, *slot.second));
    double values[2];
    for (int i = 0; i < 2; ++i) {
      const TomlNode& item = node.children[i].second;
      if (item.kind != Kind::integer && item.kind != Kind::real)
        return fmt::format("holds {}, but both items must be numbers.", shown(item));
      if (auto error = out_of_range(key, item.real, shown(item)); !error.empty()) return error;
      values[i] = item.real;
    }
    *slot.first = values[0];
    *slot.second = values[1];
    return "";
  }
  template <typename Enum>
  std::string operator()(Enum* slot) const {
    if (node.kind != Kind::text) return wrong_type(node, "text in quotes", key.name + " = \"" + key.words.back() + "\"");
    const int64_t index = index_of(node.text);
    if (index < 0) return not_a_word(key, node.text);
    *slot = static_cast<Enum>(index);
    return "";
  }

  int64_t index_of(const std::string& word) const {
    for (size_t i = 0; i < key.words.size(); ++i) {
      if (key.words[i] == word) return static_cast<int64_t>(i);
    }
    return -1;
  }
};

struct Text {
  const Key& key;

  std::string operator()(const int64_t* slot) const { return fmt::format("{}", *slot); }
  std::string operator()(const double* slot) const { return number_text(*slot); }
  std::string operator()(const bool* slot) const { return *slot ? "true" : "false"; }
  std::string operator()(const std::string* slot) const { return toml_quoted(*slot); }
  std::string operator()(const std::vector<std::string>* slot) const {
    std::vector<std::string> quoted;
    for (const auto& text : *slot) quoted.push_back(toml_quoted(text));
    return fmt::format("[{}]", fmt::join(quoted, ", "));
  }
  std::string operator()(const std::vector<int64_t>* slot) const { return fmt::format("[{}]", fmt::join(*slot, ", ")); }
  std::string operator()(const Pair& slot) const {
    return fmt::format("[{}, {}]", number_text(*slot.first), number_text(*slot.second));
  }
  template <typename Enum>
  std::string operator()(const Enum* slot) const {
    return toml_quoted(key.words.at(static_cast<size_t>(*slot)));
  }
};

struct TypeName {
  std::string operator()(const int64_t*) const { return "integer"; }
  std::string operator()(const double*) const { return "number"; }
  std::string operator()(const bool*) const { return "boolean"; }
  std::string operator()(const std::vector<std::string>*) const { return "list of text"; }
  std::string operator()(const std::vector<int64_t>*) const { return "list of integers"; }
  std::string operator()(const Pair&) const { return "two numbers"; }
  template <typename TextOrEnum>
  std::string operator()(const TextOrEnum*) const {
    return "text";
  }
};

// A config of defaults for keys to look at.
struct Defaults {
  Config config;
  StageConfig stage;
  reward::Settings reward;
  DatasetConfig dataset;
  Target target() { return {&config, &stage, &reward, &dataset}; }
};

}  // namespace

std::string assign(const Key& key, const TomlNode& node, const Target& target) {
  return std::visit(Assign{key, node}, key.slot(target));
}

std::string value_text(const Key& key, const Target& target) { return std::visit(Text{key}, key.slot(target)); }

std::string default_text(const Key& key) {
  Defaults defaults;
  return value_text(key, defaults.target());
}

std::string type_name(const Key& key) {
  Defaults defaults;
  return std::visit(TypeName{}, key.slot(defaults.target()));
}

std::string range_text(const Key& key) {
  if (!key.words.empty()) {
    std::vector<std::string> words;
    for (const auto& word : key.words) {
      if (!word.empty()) words.push_back(word);
    }
    return fmt::format("{}", fmt::join(words, " | "));
  }
  const Range& range = key.range;
  const bool low = std::isfinite(range.low), high = std::isfinite(range.high);
  if (low && high) {
    return fmt::format("from {}{} to {}{}", range.low, range.low_excluded ? " (not itself)" : "", range.high,
                       range.high_excluded ? " (not itself)" : "");
  }
  if (low) return fmt::format("{} {}", range.low_excluded ? "above" : "at least", range.low);
  if (high) return fmt::format("{} {}", range.high_excluded ? "below" : "at most", range.high);
  return "";
}

}  // namespace rl
