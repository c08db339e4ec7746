// `ponder eval`: how often a model is right on sets of problems, with errors, intervals and every sample in files.
#include <fmt/ranges.h>

#include <chrono>
#include <cstdio>
#include <future>
#include <map>

#include "kernels/error.h"
#include "kernels/thread_pool.h"
#include "model/files/safetensors.h"
#include "rl/evaluation/folder.h"
#include "rl/evaluation/page.h"
#include "rl/evaluation/plan.h"
#include "rl/evaluation/results.h"
#include "rl/report/progress.h"
#include "rl/report/terminal.h"

namespace rl {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

Json generation_settings(const EvalOptions& options, const PlannedSuite& plan) {
  return {{"until", plan.suite.stop},
          {"max_gen_toks", plan.suite.max_new_tokens},
          {"do_sample", options.temperature > 0},
          {"temperature", options.temperature},
          {"top_p", options.top_p},
          {"top_k", options.top_k},
          {"repeats", options.samples}};
}

Ask ask_of(const EvalOptions& options, const PlannedSuite& plan, int64_t max_positions) {
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
Sampled sample_suite(const EvalOptions& options, const PlannedSuite& plan, const std::string& checkpoint, LoadedModel& loaded,
                     EvalFolder& folder, std::map<int64_t, std::string>& lines) {
  std::vector<Problem> problems;
  std::map<int64_t, const EvalProblem*> by_id;
  for (const auto& problem : plan.data.problems) {
    if (lines.count(problem.doc_id) > 0) continue;
    problems.push_back({problem.doc_id, problem.question, problem.target, ""});
    by_id[problem.doc_id] = &problem;
  }
  Sampled out;
  if (problems.empty()) return out;
  const RecordContext context{plan.suite.name,
                              plan.suite.form,
                              checkpoint,
                              plan.data.sha256,
                              static_cast<uint64_t>(options.seed),
                              generation_settings(options, plan)};
  Collector collector(loaded.engine(), make_scorer({plan.suite.reward}), loaded.shared_tokenizer(), plan.chat_template,
                      loaded.stop_tokens());
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

SuiteResult result_of(const EvalOptions& options, const PlannedSuite& plan, const EvalFolder& folder,
                      const std::map<int64_t, std::string>& lines) {
  SuiteResult result;
  result.suite = plan.suite;
  result.data_file = plan.data.file;
  result.data_sha256 = plan.data.sha256;
  result.template_style = plan.chat_template.style;
  result.wording = plan.wording();
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

EvalRun run_of(const EvalOptions& options, const std::vector<PlannedSuite>& plans, const EvalFolder& folder,
               const LoadedModel& loaded, const Json& settings) {
  EvalRun run;
  run.date = folder.date();
  run.begun = folder.begun();
  run.model = options.model;
  run.model_name = short_model_name(options.model);
  run.checkpoint_id = settings["checkpoint_id"].get<std::string>();
  run.version = options.version;
  run.dtype = kernels::name_of(options.dtype);
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
  check_eval_options(options);
  const auto suites = chosen_suites(options);
  for (const auto& suite : suites)
    if (options.data.empty()) find_data(suite);  // before the weights are read
  kernels::set_threads(options.threads);
  const model::ModelPlace place = model::find_model_place(options.model, options.base);
  auto checkpoint = std::async(std::launch::async, [place] { return checkpoint_id(place); });
  LoadedModel loaded(place, options.dtype, options.chat_template, options.memory_mb);
  std::vector<PlannedSuite> plans;
  for (const auto& suite : suites) plans.push_back(plan_suite(options, suite, loaded));
  const Json settings = eval_settings(options, plans, checkpoint.get());

  EvalFolder folder(options.output_dir.empty() ? default_folder(options, suites) : options.output_dir, settings);
  EvalRun run = run_of(options, plans, folder, loaded, settings);
  std::vector<std::string> names;
  for (const auto& plan : plans) {
    auto lines = folder.lines(plan.suite.name);
    if (!lines.empty())
      fmt::print(stderr, "{}: {} of {} problems are there already\n", plan.suite.name, lines.size(), plan.data.problems.size());
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
    fmt::print("{:.0f} tokens per second, {} in all\n", static_cast<double>(run.sampled_tokens) / run.seconds,
               duration_text(run.seconds));
  fmt::print("Files: {0}/results_{1}.json, samples_*_{1}.jsonl; to read the samples: {0}/report.html\n", folder.directory(),
             folder.date());
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
