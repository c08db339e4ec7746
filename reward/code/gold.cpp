#include "reward/outside_json.h"
#include "reward/code/gold.h"

#include <fmt/core.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "reward/code/checker.h"
#include "reward/reward.h"

namespace reward::code {
namespace {

using Json = nlohmann::json;

// Thrown and caught in this file.
struct Unreadable {
  std::string why;
};

Json read_object(const std::string& answer) {
  auto json = parse_outside<Json>(answer);
  if (!json.is_object()) throw Unreadable{"the gold is not a JSON object"};
  return json;
}

// A text, or a list of lines.
std::string text_of(const Json& json, const std::string& key) {
  if (json.is_string()) return json.get<std::string>();
  if (!json.is_array()) throw Unreadable{fmt::format("the gold's {} is neither a text nor a list of texts", key)};
  std::string text;
  for (const auto& line : json) {
    if (!line.is_string()) throw Unreadable{fmt::format("the gold's {} holds something that is not a text", key)};
    text += line.get<std::string>() + "\n";
  }
  return text;
}

std::string optional_text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? "" : text_of(*found, key);
}

std::vector<std::string> texts_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_array() || found->empty())
    throw Unreadable{fmt::format("the gold needs \"{}\", a list of at least one text", key)};
  std::vector<std::string> texts;
  for (const auto& text : *found) texts.push_back(text_of(text, key));
  return texts;
}

GoldLimits limits_of(const Json& object) {
  GoldLimits limits;
  if (const auto found = object.find("timeout"); found != object.end()) {
    if (!found->is_number() || !(found->get<double>() > 0) || found->get<double>() > 3600)
      throw Unreadable{"the gold's timeout is not a number of seconds from 0 to 3600"};
    limits.timeout_s = found->get<double>();
  }
  if (const auto found = object.find("memory_mb"); found != object.end()) {
    if (!found->is_number_integer() || found->get<int64_t>() < 16 || found->get<int64_t>() > 1 << 20)
      throw Unreadable{"the gold's memory_mb is not a whole number from 16 to 1048576"};
    limits.memory_mb = found->get<int64_t>();
  }
  return limits;
}

}  // namespace

FunctionGold read_function_gold(const std::string& answer) {
  FunctionGold gold;
  try {
    const auto object = read_object(answer);
    gold.tests = optional_text(object, "tests");
    if (gold.tests.empty()) throw Unreadable{"the gold has no \"tests\""};
    gold.entry_point = optional_text(object, "entry_point");
    gold.setup = optional_text(object, "setup");
    gold.prompt = optional_text(object, "prompt");
    gold.limits = limits_of(object);
  } catch (const Unreadable& error) {
    gold.problem = error.why;
  }
  return gold;
}

StdioGold read_stdio_gold(const std::string& answer) {
  StdioGold gold;
  try {
    const auto object = read_object(answer);
    gold.inputs = texts_of(object, "inputs");
    gold.outputs = texts_of(object, "outputs");
    if (gold.inputs.size() != gold.outputs.size())
      throw Unreadable{fmt::format("the gold has {} inputs and {} outputs", gold.inputs.size(), gold.outputs.size())};
    gold.checker = optional_text(object, "checker");
    if (!gold.checker.empty()) parse_checker(gold.checker);
    const auto language = optional_text(object, "language");
    if (language == "python" || language == "python3") gold.language = Language::python;
    else if (language == "cpp" || language == "c++") gold.language = Language::cpp;
    else if (!language.empty()) throw Unreadable{fmt::format("the gold's language is \"{}\", not python or cpp", language)};
    gold.limits = limits_of(object);
  } catch (const Unreadable& error) {
    gold.problem = error.why;
  } catch (const Error& error) {
    gold.problem = error.what();
  }
  return gold;
}

}  // namespace reward::code
