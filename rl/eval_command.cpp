// `ponder eval`: how often a model is right on sets of problems, with errors, intervals and every sample in files.
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <future>
#include <map>
#include <optional>

#include "kernels/error.h"
#include "kernels/thread_pool.h"
#include "model/safetensors.h"
#include "reward/options.h"
#include "rl/commands.h"
#include "rl/eval_folder.h"
#include "rl/eval_page.h"
#include "rl/eval_results.h"
#include "rl/loaded_model.h"
#include "rl/progress.h"
#include "rl/sha256.h"
#include "rl/terminal.h"
#include "rollout/sampler.h"

namespace rl {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

// "test.jsonl" says little: its folder's name goes before it.
std::string data_name(const std::string& file) {
  if (file.rfind("generator:", 0) == 0) return file.substr(10);
  const fs::path path = fs::path(file).lexically_normal();
  const std::string stem = path.stem().string(), folder = path.parent_path().filename().string();
  const bool common = stem == "test" || stem == "train" || stem == "val" || stem == "validation" || stem == "dev" || stem == "data";
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
  suite.reward.options = {{"flexible", "true"}};
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
  suite.stop.insert(suite.stop.end(), options.stop.begin(), options.stop.end());
  if (options.max_new_tokens > 0) suite.max_new_tokens = options.max_new_tokens;
  reward::make_builtin(suite.reward);  // a wrong name or option is told before the model is loaded
}

std::vector<Suite> chosen_suites(const EvalOptions& options) {
  std::vector<Suite> suites;
  for (const auto& name : options.suites) suites.push_back(find_suite(name));
  if (suites.empty() && options.data.empty())
    kernels::fail_usage("eval: no problems. Give --suite NAME (one of {}), or --data FILE.", fmt::join(suite_names(), ", "));
  if (suites.size() > 1 && !options.data.empty()) kernels::fail_usage("eval: --data is one file, but --suite names {}.", suites.size());
  if (suites.empty()) suites.push_back(suite_of_data(options));
  for (auto& suite : suites) apply(options, suite);
  return suites;
}

void check(const EvalOptions& options) {
  if (options.samples > 1 && options.temperature == 0)
    kernels::fail_usage("eval: --samples is {}, but at temperature 0 all completions of a problem are equal. Raise --temperature.", options.samples);
  rollout::check_sampling({options.temperature, options.top_k, options.top_p, 0.0});
  for (const int64_t k : options.pass_at)
    if (k > options.samples) kernels::fail_usage("eval: --pass-at {} needs as many samples; --samples is {}.", k, options.samples);
}

// Names the model by content: the sum of what `sha256sum *.json *.safetensors` prints for its folder.
std::string checkpoint_id(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory))
    if (const auto kind = entry.path().extension(); kind == ".json" || kind == ".safetensors") names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  std::stable_partition(names.begin(), names.end(), [](const std::string& name) { return name.ends_with(".json"); });
  std::string lines;
  for (const auto& name : names) lines += sha256_of_file((fs::path(directory) / name).string()) + "  " + name + "\n";
  return sha256_of_text(lines);
}

// A suite as it will be asked.
struct Planned {
  Suite suite;
  SuiteProblems data;
  model::TemplateConfig chat_template;
  std::vector<std::string> notes;
};

Planned plan_suite(const EvalOptions& options, const Suite& suite, const LoadedModel& loaded) {
  Planned plan;
  plan.suite = suite;
  plan.chat_template = loaded.chat_template();
  if (options.chat_template.style.empty() && !suite.template_style.empty()) plan.chat_template.style = suite.template_style;
  const std::string file = options.data.empty() ? find_data(suite) : options.data;
  plan.data = read_suite_problems(suite, file, plan.chat_template.style, options.limit);
  if (!suite.sha256.empty() && plan.data.sha256 != suite.sha256)
    plan.notes.push_back(fmt::format("the data file is not the one that the suite was written for (sha256 {:.12}); the same name, other numbers",
                                     suite.sha256));
  if (plan.chat_template.style == "r1-zero") plan.suite.form = "r1-zero";
  return plan;
}

// Golds that the judge cannot read give no verdicts: told now, not found in the numbers later.
void check_golds(Planned& plan) {
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

int64_t most_prompt_tokens(const Suite& suite, int64_t max_positions) {
  return max_positions - std::min(suite.max_new_tokens, max_positions / 2);
}

// A prompt that leaves no room to answer loses its beginning, as in lm-eval.
void check_prompts(Planned& plan, const LoadedModel& loaded) {
  const int64_t most = most_prompt_tokens(plan.suite, loaded.max_positions());
  const auto cut = std::count_if(plan.data.problems.begin(), plan.data.problems.end(), [&](const EvalProblem& problem) {
    const auto tokens = loaded.tokenizer().encode(model::render_prompt(plan.chat_template, problem.question));
    return static_cast<int64_t>(tokens.size()) > most;
  });
  if (cut > 0) plan.notes.push_back(fmt::format("{} prompts are longer than {} tokens and lost their beginning", cut, most));
}

Json suite_settings(const Planned& plan) {
  Json options = Json::object();
  for (const auto& [key, value] : plan.suite.reward.options) options[key] = value;
  const std::string& style = plan.chat_template.style;
  const std::string& wording = style == "plain" ? plan.suite.prompt : style == "r1-zero" ? plan.suite.question : plan.suite.chat_prompt;
  return {{"data_sha256", plan.data.sha256},
          {"problems", plan.data.problems.size()},
          {"prompt_sha256", sha256_of_text(wording)},
          {"template", style},
          {"reward", plan.suite.reward.name},
          {"reward_options", options},
          {"stop", plan.suite.stop},
          {"max_new_tokens", plan.suite.max_new_tokens}};
}

Json all_settings(const EvalOptions& options, const std::vector<Planned>& plans, const std::string& checkpoint) {
  Json suites = Json::object();
  for (const auto& plan : plans) suites[plan.suite.name] = suite_settings(plan);
  return {{"version", options.version},
          {"checkpoint_id", checkpoint},
          {"dtype", kernels::name_of(options.dtype)},
          {"system", options.chat_template.system},
          {"samples", options.samples},
          {"temperature", options.temperature},
          {"top_p", options.top_p},
          {"top_k", options.top_k},
          {"seed", options.seed},
          {"suites", suites}};
}

Json generation_settings(const EvalOptions& options, const Planned& plan) {
  return {{"until", plan.suite.stop},
          {"max_gen_toks", plan.suite.max_new_tokens},
          {"do_sample", options.temperature > 0},
          {"temperature", options.temperature},
          {"top_p", options.top_p},
          {"top_k", options.top_k},
          {"repeats", options.samples}};
}

Ask ask_of(const EvalOptions& options, const Planned& plan, int64_t max_positions) {
  Ask ask;
  ask.samples = options.samples;
  ask.max_new_tokens = plan.suite.max_new_tokens;
  ask.max_positions = max_positions;
  ask.max_prompt_tokens = most_prompt_tokens(plan.suite, max_positions);
  ask.sampling = {options.temperature, options.top_k, options.top_p, 0.0};
  ask.cut_stop = plan.suite.stop;
  if (plan.chat_template.style == "r1-zero") ask.stop = {"</answer>"};
  ask.seed = static_cast<uint64_t>(options.seed);
  ask.purpose = kernels::Purpose::eval;
  ask.group_is_prompt_id = true;
  return ask;
}

struct Sampled {
  double seconds = 0;
  int64_t tokens = 0;
};

// Asks what is not in `lines` yet; each problem's line is in the folder as soon as it is judged.
Sampled sample_suite(const EvalOptions& options, const Planned& plan, const std::string& checkpoint, LoadedModel& loaded, EvalFolder& folder,
                     std::map<int64_t, std::string>& lines) {
  std::vector<Problem> problems;
  std::map<int64_t, const EvalProblem*> by_id;
  for (const auto& problem : plan.data.problems) {
    if (lines.count(problem.doc_id) > 0) continue;
    problems.push_back({problem.doc_id, problem.question, problem.target, ""});
    by_id[problem.doc_id] = &problem;
  }
  Sampled out;
  if (problems.empty()) return out;
  const RecordContext context{plan.suite.name, plan.suite.form, checkpoint, plan.data.sha256, static_cast<uint64_t>(options.seed),
                              generation_settings(options, plan)};
  Collector collector(loaded.engine(), make_scorer({plan.suite.reward}), loaded.shared_tokenizer(), plan.chat_template, loaded.stop_tokens());
  Ask ask = ask_of(options, plan, loaded.max_positions());
  const auto start = Clock::now();
  const int64_t before = static_cast<int64_t>(lines.size()) * options.samples;
  Progress progress("eval " + plan.suite.name, before + static_cast<int64_t>(problems.size()) * options.samples, before);
  ask.on_sample = [&](int64_t samples, int64_t tokens) {
    out.tokens = tokens;
    const double so_far = std::chrono::duration<double>(Clock::now() - start).count();
    progress.update(before + samples, fmt::format("{:.0f} tok/s", static_cast<double>(tokens) / so_far));
  };
  ask.on_group = [&](const Group& group) {
    const EvalProblem& problem = *by_id.at(group.problem.prompt_id);
    const std::string line = record_line(problem, group, context);
    folder.append(plan.suite.name, line);
    lines[problem.doc_id] = line;
  };
  collector.run(problems, ask);
  out.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return out;
}

SuiteResult result_of(const EvalOptions& options, const Planned& plan, const EvalFolder& folder, const std::map<int64_t, std::string>& lines) {
  SuiteResult result;
  result.suite = plan.suite;
  result.data_file = plan.data.file;
  result.data_sha256 = plan.data.sha256;
  result.rows = plan.data.rows;
  result.notes = plan.notes;
  result.samples_file = folder.samples_file(plan.suite.name);
  for (const auto& [id, line] : lines) result.problems.push_back(read_record(line, result.samples_file));
  MetricChoices choices;
  choices.pass_at = options.pass_at;
  choices.votes = plan.suite.votes;
  choices.seed = static_cast<uint64_t>(options.seed);
  result.metrics = suite_metrics(plan.suite.name, result.problems, choices);
  return result;
}

std::string default_folder(const EvalOptions& options, const std::vector<Suite>& suites) {
  std::vector<std::string> names;
  for (const auto& suite : suites) names.push_back(suite.name);
  return fmt::format("runs/eval/{}-{}", short_model_name(options.model), fmt::join(names, "+"));
}

EvalRun run_of(const EvalOptions& options, const std::vector<Planned>& plans, const EvalFolder& folder, const LoadedModel& loaded,
               const Json& settings) {
  EvalRun run;
  run.date = folder.date();
  run.begun = folder.begun();
  run.model = options.model;
  run.model_name = short_model_name(options.model);
  run.checkpoint_id = settings["checkpoint_id"].get<std::string>();
  run.version = options.version;
  run.dtype = kernels::name_of(options.dtype);
  run.template_style = plans.front().chat_template.style;
  run.system = options.chat_template.system;
  run.samples = options.samples;
  run.limit = options.limit;
  run.seed = options.seed;
  run.max_positions = loaded.max_positions();
  run.sampling = {{"temperature", options.temperature}, {"top_p", options.top_p}, {"top_k", options.top_k}};
  run.settings = settings;
  return run;
}

void write_files(const EvalRun& run, const EvalFolder& folder) {
  const std::string results = fmt::format("{}/results_{}.json", folder.directory(), folder.date());
  const std::string text = results_json(run).dump(1, ' ', false, Json::error_handler_t::replace);
  model::write_file_atomically(results, text + "\n");
  model::write_file_atomically(folder.directory() + "/report.html", evaluation_page(run));
}

}  // namespace

int run_eval(const EvalOptions& given) {
  EvalOptions options = given;
  if (options.temperature < 0) options.temperature = options.samples == 1 ? 0.0 : 0.6;
  check(options);
  const auto suites = chosen_suites(options);
  for (const auto& suite : suites)
    if (options.data.empty()) find_data(suite);  // before the weights are read
  kernels::set_threads(options.threads);
  auto checkpoint = std::async(std::launch::async, checkpoint_id, options.model);
  LoadedModel loaded(options.model, options.dtype, options.chat_template, options.memory_mb);
  std::vector<Planned> plans;
  for (const auto& suite : suites) plans.push_back(plan_suite(options, suite, loaded));
  for (auto& plan : plans) {
    check_golds(plan);
    check_prompts(plan, loaded);
  }
  const Json settings = all_settings(options, plans, checkpoint.get());

  EvalFolder folder(options.output_dir.empty() ? default_folder(options, suites) : options.output_dir, settings);
  EvalRun run = run_of(options, plans, folder, loaded, settings);
  std::vector<std::string> names;
  for (const auto& plan : plans) {
    auto lines = folder.lines(plan.suite.name);
    if (!lines.empty()) fmt::print(stderr, "{}: {} of {} problems are there already\n", plan.suite.name, lines.size(), plan.data.problems.size());
    const Sampled sampled = sample_suite(options, plan, run.checkpoint_id, loaded, folder, lines);
    run.seconds += sampled.seconds;
    run.sampled_tokens += sampled.tokens;
    folder.write_samples(plan.suite.name, lines);
    run.suites.push_back(result_of(options, plan, folder, lines));
    names.push_back(plan.suite.name);
  }
  write_files(run, folder);
  folder.remove_unfinished(names);

  fmt::print("{}\n{}\n", results_heading(run), results_table(run));
  if (run.seconds > 0)
    fmt::print("{:.0f} tokens per second, {} in all\n", static_cast<double>(run.sampled_tokens) / run.seconds, duration_text(run.seconds));
  fmt::print("Files: {0}/results_{1}.json, samples_*_{1}.jsonl; to read the samples: {0}/report.html\n", folder.directory(), folder.date());
  return 0;
}

int run_eval_suites() {
  std::vector<std::vector<std::string>> rows = {{"suite", "problems", "data", "what", "licence"}};
  for (const auto& name : suite_names()) {
    const Suite suite = find_suite(name);
    std::string here = "here";
    try {
      find_data(suite);
    } catch (const kernels::UsageError&) {
      here = "from " + suite.source;
    }
    rows.push_back({name, std::to_string(suite.problems), here, suite.title, suite.licence});
  }
  fmt::print("{}", markdown_table(rows, {false, true, false, false, false}));
  return 0;
}

}  // namespace rl
