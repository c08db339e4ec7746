#include "rl/evaluation/suite.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>

#include "kernels/error.h"
#include "rl/config/nearest_name.h"
#include "rl/data/program_folder.h"
#include "rl/config/toml_reader.h"

namespace rl {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> forms = {"", "box", "answer_tags", "hashes", "code"};

// Takes keys out of a TOML table; what is left over at the end is a mistake.
class Keys {
 public:
  Keys(const std::string& file, const TomlNode& table) : file_(file), table_(table) {}

  void text(const char* key, std::string& out, bool required = false) {
    const TomlNode* node = take(key, TomlNode::Kind::text, required);
    if (node) out = node->text;
  }
  void integer(const char* key, int64_t& out) {
    const TomlNode* node = take(key, TomlNode::Kind::integer, false);
    if (node) out = node->integer;
  }
  void flag(const char* key, bool& out) {
    const TomlNode* node = take(key, TomlNode::Kind::boolean, false);
    if (node) out = node->boolean;
  }
  void texts(const char* key, std::vector<std::string>& out) {
    const TomlNode* node = take(key, TomlNode::Kind::array, false);
    if (!node) return;
    for (const auto& [none, item] : node->children) {
      if (item.kind != TomlNode::Kind::text)
        fail(item.line, key, "holds " + std::string(name_of(item.kind)) + "; it is a list of texts.");
      out.push_back(item.text);
    }
  }
  const TomlNode* table(const char* key) {
    known_.push_back(key);
    const TomlNode* node = table_.find(key);
    return node && node->kind == TomlNode::Kind::table ? node : nullptr;
  }
  void end() const {
    for (const auto& [key, node] : table_.children) {
      if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
      const std::string near = nearest_name(key, known_);
      fail(node.line, key, "unknown key." + (near.empty() ? "" : " Did you mean " + near + "?"));
    }
  }
  [[noreturn]] void fail(int64_t line, const std::string& key, const std::string& what) const {
    kernels::fail_usage("{}:{}: {}: {}", file_, line, key, what);
  }

 private:
  const TomlNode* take(const char* key, TomlNode::Kind kind, bool required) {
    known_.push_back(key);
    const TomlNode* node = table_.find(key);
    if (!node && required)
      kernels::fail_usage("{}: the key {} is missing; see rl/evaluation/suite.h for what a suite says.", file_, key);
    if (node && node->kind != kind) fail(node->line, key, fmt::format("is {}, which is {}.", shown(*node), name_of(node->kind)));
    return node;
  }

  const std::string& file_;
  const TomlNode& table_;
  std::vector<std::string> known_;
};

std::string option_text(const TomlNode& node) {
  switch (node.kind) {
    case TomlNode::Kind::text:
      return node.text;
    case TomlNode::Kind::boolean:
      return node.boolean ? "true" : "false";
    default:
      return shown(node);
  }
}

void read_gold(Keys& keys, const std::string& file, const TomlNode& root, Suite& suite) {
  if (const TomlNode* fields = keys.table("gold")) {
    for (const auto& [key, value] : fields->children) {
      if (value.kind != TomlNode::Kind::text) keys.fail(value.line, "gold." + key, "must name a key of the rows, as text.");
      suite.gold_fields.emplace_back(key, value.text);
    }
    return;
  }
  const TomlNode* gold = root.find("gold");
  if (!gold || gold->kind != TomlNode::Kind::text)
    kernels::fail_usage("{}: gold is missing. Add gold = \"{{{{answer}}}}\", or a [gold] table of keys.", file);
  suite.gold = gold->text;
}

void read_reward(Keys& keys, const std::string& file, Suite& suite) {
  const TomlNode* reward = keys.table("reward");
  if (!reward || !reward->find("name"))
    kernels::fail_usage("{}: the table [reward] or its name is missing; it names the judge, such as name = \"math\".", file);
  for (const auto& [key, value] : reward->children) {
    if (key == "name") {
      if (value.kind != TomlNode::Kind::text) keys.fail(value.line, "reward.name", "must be the name of a reward, as text.");
      suite.reward.name = value.text;
    } else if (key == "timeout_ms") {
      if (value.kind != TomlNode::Kind::integer || value.integer < 1)
        keys.fail(value.line, "reward.timeout_ms", "must be a whole number of milliseconds, 1 or more.");
      suite.reward.timeout_ms = value.integer;
    } else {
      suite.reward.options.emplace_back(key, option_text(value));
    }
  }
}

std::string suites_folder() {
  const std::string folder = shipped_folder("suites");
  if (folder.empty())
    kernels::fail_usage("eval: no folder configs/suites lies above the program or above {}. Run it from a checkout of Ponder.",
                        fs::current_path().string());
  return folder;
}

}  // namespace

std::vector<std::string> suite_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(suites_folder()))
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

Suite find_suite(const std::string& name) {
  const auto names = suite_names();
  if (std::find(names.begin(), names.end(), name) != names.end())
    return read_suite((fs::path(suites_folder()) / (name + ".toml")).string());
  const std::string near = nearest_name(name, names);
  kernels::fail_usage("eval: \"{}\" is no suite.{} The suites are {}. A file of your own goes by --data FILE.", name,
                      near.empty() ? "" : " Did you mean " + near + "?", fmt::join(names, ", "));
}

Suite read_suite(const std::string& file) {
  const TomlNode root = read_toml_file(file);
  Suite suite;
  suite.file = file;
  suite.name = fs::path(file).stem().string();
  Keys keys(file, root);
  keys.text("title", suite.title, true);
  keys.text("data", suite.data, true);
  keys.text("sha256", suite.sha256);
  keys.text("source", suite.source, true);
  keys.text("licence", suite.licence, true);
  keys.integer("problems", suite.problems);
  keys.text("rows_by", suite.rows_by);
  keys.integer("first_row", suite.first_row);
  keys.integer("last_row", suite.last_row);
  keys.text("prompt", suite.prompt, true);
  suite.chat_prompt = suite.prompt;
  keys.text("chat_prompt", suite.chat_prompt);
  suite.question = suite.chat_prompt;
  keys.text("question", suite.question);
  keys.text("gold_in", suite.gold_in);
  keys.text("template", suite.template_style);
  keys.texts("stop", suite.stop);
  keys.text("form", suite.form);
  keys.flag("votes", suite.votes);
  keys.integer("max_new_tokens", suite.max_new_tokens);
  keys.integer("numbers", suite.numbers);
  keys.integer("largest", suite.largest);
  read_gold(keys, file, root, suite);
  read_reward(keys, file, suite);
  keys.end();
  if (std::find(forms.begin(), forms.end(), suite.form) == forms.end())
    keys.fail(root.find("form")->line, "form", "is none of box, answer_tags, hashes, code.");
  if (!suite.gold_in.empty() && suite.gold_in != "box") keys.fail(root.find("gold_in")->line, "gold_in", "can only be \"box\".");
  return suite;
}

std::string find_data(const Suite& suite) {
  if (suite.data.rfind("generator:", 0) == 0) return suite.data;
  std::vector<std::string> places;
  if (const char* own = std::getenv("PONDER_DATA"); own && *own) places.push_back((fs::path(own) / suite.data).string());
  places.push_back((fs::path(shipped_folder("data")) / suite.data).string());
  for (const auto& place : places) {
    if (fs::is_regular_file(place)) return place;
  }
  kernels::fail_usage(
      "eval: the data of the suite {} is not here (looked for {}). It is {}; on GitHub: {} (licence: {}). Put it at {} below a "
      "folder and "
      "name that folder in the environment variable PONDER_DATA, or give the file with --data FILE.",
      suite.name, fmt::join(places, " and "), suite.title, suite.source, suite.licence, suite.data);
}

}  // namespace rl
