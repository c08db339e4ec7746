#include "rl/evaluation/plan.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "kernels/error.h"
#include "rl/collect.h"
#include "rl/data/sha256.h"
#include "rollout/sampler.h"

namespace rl {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// "test.jsonl" says little: its folder's name goes before it.
std::string data_name(const std::string& file) {
  if (file.rfind("generator:", 0) == 0) return file.substr(10);
  const fs::path path = fs::path(file).lexically_normal();
  const std::string stem = path.stem().string(), folder = path.parent_path().filename().string();
  const bool common =
      stem == "test" || stem == "train" || stem == "val" || stem == "validation" || stem == "dev" || stem == "data";
  return common && !folder.empty() && folder != "." ? folder + "-" + stem : stem;
}

// A suite made from the command line.
Suite suite_of_data(const EvalOptions& options) {
  Suite suite;
  suite.name = data_name(options.data);
  suite.title = options.data;
  suite.data = options.data;
  suite.prompt = suite.chat_prompt = suite.question = "{{" + options.prompt_key + "}}";
  suite.gold = "{{" + options.answer_key + "}}";
  suite.reward.name = "math";
  suite.reward.options = {{"extraction", "lenient"}};
  suite.votes = true;
  return suite;
}

void set_option(reward::Settings& settings, const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos) kernels::fail_usage("eval: --reward-option {}: write it as KEY=VALUE.", text);
  const std::string key = text.substr(0, equals);
  std::erase_if(settings.options, [&](const auto& option) { return option.first == key; });
  settings.options.emplace_back(key, text.substr(equals + 1));
}

void apply(const EvalOptions& options, Suite& suite) {
  if (!options.prompt.empty()) suite.prompt = suite.chat_prompt = suite.question = options.prompt;
  if (!options.reward.empty() && options.reward != suite.reward.name) {
    suite.reward.name = options.reward;
    suite.reward.options.clear();
    suite.votes = options.reward == "math" || options.reward == "exact" || options.reward == "choice";
  }
  for (const auto& option : options.reward_options) set_option(suite.reward, option);
  if (options.max_new_tokens > 0) suite.max_new_tokens = options.max_new_tokens;
  reward::make_reward(suite.reward);  // a wrong name or option is told before the model is loaded
}

// Golds that the judge cannot read give no verdicts: told now, not found in the numbers later.
void check_golds(PlannedSuite& plan) {
  const auto judge = make_reward({plan.suite.reward});
  if (const std::string problem = judge->self_test(); !problem.empty())
    kernels::fail("eval: the reward {} fails its own test: {}", plan.suite.reward.name, problem);
  int64_t unreadable = 0;
  std::string first;
  for (const auto& problem : plan.data.problems) {
    const std::string why = judge->check_answer(problem.target);
    if (why.empty()) continue;
    if (unreadable++ == 0) first = fmt::format("row {}: {}", problem.doc_id, why);
  }
  if (unreadable > 0)
    plan.notes.push_back(fmt::format("{} golds cannot be judged and give no verdict; the first, {}", unreadable, first));
}

void check_prompts(PlannedSuite& plan, const LoadedModel& loaded) {
  const int64_t most = most_prompt_tokens(plan.suite, loaded.max_positions());
  const auto cut = std::count_if(plan.data.problems.begin(), plan.data.problems.end(), [&](const EvalProblem& problem) {
    const auto tokens = loaded.tokenizer().encode(model::render_prompt(plan.chat_template, problem.question));
    return static_cast<int64_t>(tokens.size()) > most;
  });
  if (cut > 0) plan.notes.push_back(fmt::format("{} prompts are longer than {} tokens and lost their beginning", cut, most));
}

Json suite_settings(const PlannedSuite& plan) {
  Json options = Json::object();
  for (const auto& [key, value] : plan.suite.reward.options) options[key] = value;
  return {{"data_sha256", plan.data.sha256},
          {"problems", plan.data.problems.size()},
          {"prompt_sha256", sha256_of_text(plan.wording())},
          {"template", plan.chat_template.style},
          {"template_sha256", plan.chat_template.chat ? sha256_of_text(plan.chat_template.chat->source()) : ""},
          {"reward", plan.suite.reward.name},
          {"reward_options", options},
          {"stop", plan.suite.stop},
          {"max_new_tokens", plan.suite.max_new_tokens}};
}

}  // namespace

const std::string& PlannedSuite::wording() const {
  return chat_template.style == "plain" ? suite.prompt : chat_template.style == "r1-zero" ? suite.question : suite.chat_prompt;
}

void check_eval_options(const EvalOptions& options) {
  if (options.samples > 1 && options.temperature == 0)
    kernels::fail_usage(
        "eval: --samples is {}, but at temperature 0 all completions of a problem are equal. Raise --temperature.",
        options.samples);
  rollout::check_sampling({options.temperature, options.top_k, options.top_p, 0.0});
  for (const int64_t k : options.pass_at)
    if (k > options.samples)
      kernels::fail_usage("eval: --pass-at {} needs as many samples; --samples is {}.", k, options.samples);
}

std::vector<Suite> chosen_suites(const EvalOptions& options) {
  std::vector<Suite> suites;
  for (const auto& name : options.suites) suites.push_back(find_suite(name));
  if (suites.empty() && options.data.empty())
    kernels::fail_usage("eval: no problems. Give --suite NAME (one of {}), or --data FILE.", fmt::join(suite_names(), ", "));
  if (suites.size() > 1 && !options.data.empty())
    kernels::fail_usage("eval: --data is one file, but --suite names {}. Name one suite.", suites.size());
  for (size_t i = 1; i < suites.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (suites[i].name == suites[j].name)
        kernels::fail_usage("eval: --suite names {} twice. Name it once.", suites[i].name);
  if (suites.empty()) suites.push_back(suite_of_data(options));
  for (auto& suite : suites) apply(options, suite);
  return suites;
}

int64_t most_prompt_tokens(const Suite& suite, int64_t max_positions) {
  return max_positions - std::min(suite.max_new_tokens, max_positions / 2);
}

PlannedSuite plan_suite(const EvalOptions& options, const Suite& suite, const LoadedModel& loaded) {
  PlannedSuite plan;
  plan.suite = suite;
  plan.chat_template = loaded.chat_template();
  if (options.chat_template.style.empty() && !suite.template_style.empty()) {
    plan.chat_template.style = suite.template_style;
    model::resolve_template(plan.chat_template, loaded.texts(), "plain");
  }
  const std::string file = options.data.empty() ? find_data(suite) : options.data;
  plan.data = read_suite_problems(suite, file, plan.chat_template.style, options.limit);
  if (!suite.sha256.empty() && plan.data.sha256 != suite.sha256)
    plan.notes.push_back(
        fmt::format("the data file is not the one that the suite was written for (sha256 {:.12}); the same name, other numbers",
                    suite.sha256));
  if (plan.chat_template.style == "r1-zero") plan.suite.form = "r1-zero";
  if (plan.chat_template.style != "plain") plan.suite.stop.clear();  // in a chat the model ends its turn itself
  plan.suite.stop.insert(plan.suite.stop.end(), options.stop.begin(), options.stop.end());
  check_golds(plan);
  check_prompts(plan, loaded);
  return plan;
}

Json eval_settings(const EvalOptions& options, const std::vector<PlannedSuite>& plans, const std::string& checkpoint) {
  Json suites = Json::object();
  for (const auto& plan : plans) suites[plan.suite.name] = suite_settings(plan);
  return {{"version", options.version},
          {"checkpoint_id", checkpoint},
          {"dtype", kernels::name_of(options.dtype)},
          {"system", options.chat_template.system},
          {"template_options", options.chat_template.options},
          {"samples", options.samples},
          {"temperature", options.temperature},
          {"top_p", options.top_p},
          {"top_k", options.top_k},
          {"seed", options.seed},
          {"suites", suites}};
}

std::string checkpoint_id(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory))
    if (const auto kind = entry.path().extension(); kind == ".json" || kind == ".safetensors")
      names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  std::stable_partition(names.begin(), names.end(), [](const std::string& name) { return name.ends_with(".json"); });
  std::string lines;
  for (const auto& name : names) lines += sha256_of_file((fs::path(directory) / name).string()) + "  " + name + "\n";
  return sha256_of_text(lines);
}

std::string checkpoint_id(const model::ModelPlace& place) {
  const std::string base = checkpoint_id(place.base);
  return place.adapter.empty() ? base : sha256_of_text(base + "\n" + checkpoint_id(place.adapter) + "\n");
}

}  // namespace rl
