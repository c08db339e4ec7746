#include "rl/commands/export_card.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <vector>

#include "model/files/json_fields.h"
#include "rl/commands/export_source.h"
#include "rl/config/toml_reader.h"
#include "rl/report/terminal.h"

namespace rl {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using FrontMatter = std::map<std::string, std::string>;  // key -> its lines, its own included

constexpr const char* kUnknown = "\"unknown: fill in\"";

std::string text_of(const fs::path& file) { return fs::is_regular_file(file) ? model::read_text_file(file.string()) : ""; }

// The lines between the first two "---", cut at the keys that begin a line.
FrontMatter front_matter(const std::string& readme) {
  FrontMatter found;
  std::istringstream lines(readme);
  std::string line, key;
  if (!std::getline(lines, line) || line.rfind("---", 0) != 0) return found;
  while (std::getline(lines, line) && line.rfind("---", 0) != 0) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    const size_t colon = line.find(':');
    const bool begins = !line.empty() && std::isalpha(static_cast<unsigned char>(line[0])) && colon != std::string::npos;
    if (begins) key = line.substr(0, colon);
    if (!key.empty()) found[key] += line + "\n";
  }
  return found;
}

// What stands after "key: " when it is one word or text.
std::string value_of(const FrontMatter& front, const std::string& key) {
  const auto it = front.find(key);
  if (it == front.end()) return "";
  const size_t begin = it->second.find_first_not_of(" ", key.size() + 1), end = it->second.find('\n');
  return begin < end ? it->second.substr(begin, end - begin) : "";
}

// ORG/NAME of a folder in a hub's cache, or as config.json remembers it; else empty.
std::string hub_name(const std::string& folder) {
  std::smatch match;
  const std::string path = fs::absolute(folder).lexically_normal().string();
  static const std::regex cached("models--([^/]+)--([^/]+)/snapshots/"), name("[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9_.-]+");
  if (std::regex_search(path, match, cached)) return match[1].str() + "/" + match[2].str();
  const Json config = Json::parse(text_of(fs::path(folder) / "config.json"), nullptr, false);
  const std::string remembered = config.is_object() ? config.value("_name_or_path", "") : "";
  return std::regex_match(remembered, name) && !fs::exists(remembered) ? remembered : "";
}

std::string text_at(const TomlNode& node, const char* section, const char* key) {
  const TomlNode* table = node.find(section);
  const TomlNode* value = table ? table->find(key) : nullptr;
  return value && value->kind == TomlNode::Kind::text ? value->text : "";
}

// What a run's resolved config.toml says.
struct Recipe {
  std::string toml, model_path;
  std::vector<std::string> data, kinds;  // each once
};

void add_once(std::vector<std::string>& list, const std::string& item) {
  if (!item.empty() && std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
}

Recipe read_recipe(const std::string& run) {
  Recipe recipe;
  const std::string file = (fs::path(run) / "config.toml").string();
  recipe.toml = text_of(file);
  if (recipe.toml.empty()) return recipe;
  const TomlNode root = read_toml_file(file);
  recipe.model_path = text_at(root, "model", "path");
  add_once(recipe.data, text_at(root, "data", "train"));
  const TomlNode* stages = root.find("stage");
  for (const auto& [unused, stage] : stages ? stages->children : decltype(stages->children){}) {
    add_once(recipe.data, text_at(stage, "data", "train"));
    const TomlNode* kind = stage.find("kind");
    add_once(recipe.kinds, kind ? kind->text : "");
  }
  return recipe;
}

// The hub's name of a data file that ships with its SOURCE.md; generators have none.
std::string data_entry(const std::string& data) {
  if (data.rfind("generator:", 0) == 0) return "";
  std::istringstream lines(text_of(fs::path(data).parent_path() / "SOURCE.md"));
  const std::string mark = "- hub: ";
  for (std::string line; std::getline(lines, line);)
    if (line.rfind(mark, 0) == 0) return line.substr(mark.size());
  return Json("unknown: fill in (" + fs::path(data).filename().string() + ")").dump();
}

// The run, the runs that it started from, and the folder that the first of them started from.
struct Origin {
  std::vector<Recipe> recipes;
  std::string base;  // a model folder; empty: born in the first run
  FrontMatter base_card;
  std::string base_name;
};

Origin trace(const CardSource& source) {
  Origin origin;
  origin.base = source.model;
  for (std::string run = source.run; !run.empty() && origin.recipes.size() < 16;) {
    origin.recipes.push_back(read_recipe(run));
    origin.base = origin.recipes.back().model_path;
    run = origin.base.empty() ? "" : run_of(origin.base);
  }
  if (origin.base.empty()) return origin;
  origin.base_card = front_matter(text_of(fs::path(origin.base) / "README.md"));
  origin.base_name = hub_name(origin.base);
  return origin;
}

std::string list(const std::string& key, const std::vector<std::string>& items) {
  std::string out = key + ":\n";
  for (const auto& item : items) out += "- " + item + "\n";
  return out;
}

std::string front_text(const CardSource& source, const Origin& origin) {
  const auto own = [&](const std::string& key, const std::string& otherwise) {
    const auto it = origin.base_card.find(key);
    return it == origin.base_card.end() ? otherwise : it->second;
  };
  const bool born = !source.run.empty() && origin.base.empty();
  std::string out = "---\n" + own("license", fmt::format("license: {}\n", kUnknown)) + own("license_name", "") + own("license_link", "");
  out += own("language", "");
  const std::string base = fmt::format("base_model: {}\n", origin.base_name.empty() ? kUnknown : origin.base_name);
  if (!born) out += source.run.empty() ? own("base_model", base) : base;
  std::vector<std::string> data, tags{"ponder"};
  for (const Recipe& recipe : origin.recipes) {
    for (const auto& file : recipe.data) add_once(data, data_entry(file));
    for (const auto& kind : recipe.kinds) add_once(tags, kind);
  }
  if (std::find(tags.begin(), tags.end(), "grpo") != tags.end()) tags.push_back("reinforcement-learning");
  if (source.run.empty()) out += own("datasets", list("datasets", {kUnknown}));
  else if (!data.empty()) out += list("datasets", data);
  out += "library_name: transformers\npipeline_tag: text-generation\n";
  out += source.run.empty() ? own("tags", list("tags", tags)) : list("tags", tags);
  return out + "---\n";
}

std::string number(const Json& evaluation, const char* key, int digits) {
  return evaluation.is_object() && evaluation.contains(key) && evaluation[key].is_number()
             ? fmt::format("{:.{}f}", evaluation[key].get<double>(), digits)
             : "-";
}

std::string results(const Json& summary) {
  std::string rows;
  for (const Json& stage : summary.value("stages", Json::array())) {
    for (const char* how : {"greedy", "sampled"}) {
      const Json before = stage.value(std::string(how) + "_before", Json()), after = stage.value(std::string(how) + "_after", Json());
      if (!before.is_object() && !after.is_object()) continue;
      rows += fmt::format("| {} | {} | {} | {} ± {} | {} ± {} | {} → {} |\n", stage.value("name", "?"), how,
                          (after.is_object() ? after : before).value("problems", 0), number(before, "accuracy", 3),
                          number(before, "standard_error", 3), number(after, "accuracy", 3), number(after, "standard_error", 3),
                          number(before, "mean_length", 1), number(after, "mean_length", 1));
    }
  }
  if (rows.empty()) return "";
  return "## Results\n\nOn problems that training never drew, with standard errors.\n\n"
         "| Stage | Decoding | Problems | Accuracy before | Accuracy after | Tokens before → after |\n"
         "| --- | --- | ---: | ---: | ---: | ---: |\n" + rows + "\n";
}

std::string training(const CardSource& source, const Origin& origin) {
  const Json summary = Json::parse(text_of(fs::path(source.run) / "summary.json"), nullptr, false);
  std::string out = "## Training\n\n";
  out += origin.base.empty() ? "Started from random weights.\n"
                             : fmt::format("Started from {}.\n", origin.base_name.empty() ? fs::path(origin.base).filename().string()
                                                                                          : origin.base_name);
  if (summary.is_object()) {
    for (const Json& stage : summary.value("stages", Json::array())) {
      out += fmt::format("- {} ({}): {} steps, {} trained tokens", stage.value("name", "?"), stage.value("kind", "?"),
                         stage.value("steps", 0), stage.value("tokens", 0));
      const std::string rewards = stage.value("rewards", "");
      out += rewards.empty() ? "\n" : "; rewards: " + rewards + "\n";
    }
    out += fmt::format("\nSeed {}; {:.0f} seconds on {}; Ponder {}.{}\n\n", summary.value("seed", int64_t{0}),
                       summary.value("seconds", 0.0), summary.value("machine", "an unknown machine"), summary.value("version", "?"),
                       summary.value("interrupted", false) ? " The run was interrupted." : "");
    out += results(summary);
  }
  const std::string& toml = origin.recipes.front().toml;
  if (!toml.empty()) out += "## Recipe\n\nThe resolved settings; `ponder train` runs them again.\n\n~~~~toml\n" + toml + "~~~~\n\n";
  return out;
}

std::string licence(const CardSource& source, const Origin& origin) {
  std::string known = value_of(origin.base_card, "license");
  if (known == kUnknown) known.clear();  // of a card that we wrote
  const bool born = !source.run.empty() && origin.base.empty();
  std::string out = "## Licence\n\n";
  if (born) out += "This model has no base model; choose a licence.";
  else if (known.empty() || known == kUnknown) out += "The base model's folder does not say its licence: fill it in before you share this model.";
  else out += fmt::format("The base model's README names the licence {}; what is derived from it stays under its terms.", known);
  return out + (source.run.empty() ? "\n" : " The training data has licences of its own.\n");
}

}  // namespace

std::string model_card(const CardSource& source) {
  const Origin origin = trace(source);
  return front_text(source, origin) +
         fmt::format("\n# {}\n\nA language model of the {} family with {} parameters; tensors are {}. Written by `ponder export`.\n\n",
                     source.title, source.family, count_text(static_cast<double>(source.parameters)), source.dtypes) +
         (source.run.empty() ? "" : training(source, origin)) + licence(source, origin);
}

}  // namespace rl
