// The JSON Schema of the TOML, and the README's table, from the declared keys.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "rl/config/keys.h"
#include "rl/config/presets.h"

namespace rl {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* preset_sentence =
    "Stands above all sections: values of a known recipe for the grpo stages, under the file's own. configs/presets/ has each with "
    "its sources.";

void add_range(Json& schema, const Range& range) {
  if (std::isfinite(range.low)) schema[range.low_excluded ? "exclusiveMinimum" : "minimum"] = range.low;
  if (std::isfinite(range.high)) schema[range.high_excluded ? "exclusiveMaximum" : "maximum"] = range.high;
}

// A default in TOML is also one in JSON for every type we have, but for the escapes of control characters.
Json default_value(const Key& key) { return Json::parse(default_text(key)); }

Json key_schema(const Key& key) {
  const std::string type = type_name(key);
  Json schema;
  schema["description"] = key.sentence + (key.unit.empty() ? "" : " Unit: " + key.unit + ".");
  if (type == "list of text") {
    schema["type"] = "array";
    schema["items"] = {{"type", "string"}};
  } else if (type == "list of integers") {
    schema["type"] = "array";
    schema["items"] = {{"type", "integer"}};
    add_range(schema["items"], key.range);
  } else if (type == "two numbers") {
    schema["type"] = "array";
    schema["items"] = {{"type", "number"}};
    add_range(schema["items"], key.range);
    schema["minItems"] = 2;
    schema["maxItems"] = 2;
  } else {
    schema["type"] = type == "text" ? "string" : type;
    add_range(schema, key.range);
    if (!key.words.empty()) schema["enum"] = key.words;
  }
  schema["default"] = default_value(key);
  return schema;
}

Json section_schema(const std::string& section, bool open = false) {
  Json schema = {{"type", "object"}, {"additionalProperties", open}};
  for (const auto& key : config_keys()) {
    if (key.section == section) schema["properties"][key.name] = key_schema(key);
  }
  return schema;
}

Json rewards_schema() {
  Json entry = section_schema("reward", true);  // any other key is an option of that reward
  entry["required"] = {"name"};
  return {{"type", "array"}, {"items", entry}};
}

Json datasets_schema() {
  Json entry = {{"type", "object"}, {"additionalProperties", false}};
  for (const Key* key : dataset_keys()) entry["properties"][key->name] = key_schema(*key);
  entry["required"] = {"name", "train"};
  return {{"type", "array"}, {"items", entry}};
}

std::string cell(std::string text) {
  for (size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, "\\");
  return text;
}

}  // namespace

std::string config_schema_json() {
  Json stage = section_schema("stage");
  for (const auto& section : stage_sections()) stage["properties"][section] = section_schema(section);
  stage["properties"]["reward"] = rewards_schema();
  stage["properties"]["dataset"] = datasets_schema();

  Json root = {{"$schema", "http://json-schema.org/draft-07/schema#"},
               {"title", "Ponder run"},
               {"type", "object"},
               {"additionalProperties", false}};
  for (const auto* sections : {&run_sections(), &init_sections()})
    for (const auto& section : *sections) root["properties"][section] = section_schema(section);
  for (const auto& section : stage_sections()) root["properties"][section] = section_schema(section);
  root["properties"]["preset"] = {{"description", preset_sentence}, {"type", "string"}, {"enum", preset_names()}};
  root["properties"]["reward"] = rewards_schema();
  root["properties"]["dataset"] = datasets_schema();
  root["properties"]["stage"] = {{"type", "array"}, {"items", stage}};
  return root.dump(2) + "\n";
}

std::string config_table_markdown() {
  std::string out = "| Key | Type | Default | Range | Meaning |\n| --- | --- | --- | --- | --- |\n";
  out += fmt::format("| `preset` | text | | {} | {} |\n", cell(fmt::format("{}", fmt::join(preset_names(), " | "))), preset_sentence);
  for (const auto& key : config_keys()) {
    const std::string path =
        key.section == "stage" || key.section == "reward" || key.section == "dataset" ? "[[" + key.section + "]] " + key.name : key.path();
    out += fmt::format("| `{}` | {} | `{}` | {} | {}{} |\n", path, type_name(key), default_text(key), cell(range_text(key)),
                       cell(key.sentence), key.unit.empty() ? "" : " (" + key.unit + ")");
  }
  return out;
}

}  // namespace rl
