// `ponder eval`: accuracy of a model folder on a data set, with its standard error, and files that hold every sample.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "kernels/error.h"
#include "kernels/thread_pool.h"
#include "model/safetensors.h"
#include "rl/commands.h"
#include "rl/evaluate.h"
#include "rl/loaded_model.h"
#include "rl/progress.h"
#include "rl/terminal.h"

namespace rl {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// Known suites by name; later issues add theirs here.
DataConfig suite_data(const EvalOptions& options) {
  DataConfig data;
  data.prompt_key = options.prompt_key;
  data.answer_key = options.answer_key;
  if (!options.data.empty()) {
    data.eval = options.data;
  } else if (options.suite == "gsm8k") {
    data.eval = "configs/data/gsm8k/test.jsonl";
  } else {
    kernels::fail_usage("eval: the suite '{}' is not known; the suites are: gsm8k. Any JSONL file goes by --data FILE.", options.suite);
  }
  return data;
}

Json sample_json(const Group& group, const ScoredSample& s) {
  return {{"doc_id", group.problem.prompt_id},
          {"sample", s.record.sample_index},
          {"prompt", group.prompt},
          {"completion", s.text},
          {"gold", group.problem.answer},
          {"extracted", s.outcome.extracted},
          {"value", s.outcome.has_value() ? Json(s.outcome.value) : Json(nullptr)},
          {"status", reward::name_of(s.outcome.status)},
          {"tokens", s.record.tokens.size()},
          {"finish", rollout::name_of(s.record.finish)}};
}

// At least one of the samples right, averaged over problems.
double any_right(const std::vector<Group>& groups) {
  double hits = 0;
  for (const Group& g : groups)
    hits += std::any_of(g.samples.begin(), g.samples.end(), [](const ScoredSample& s) { return s.outcome.has_value() && s.outcome.value >= 1.0; });
  return groups.empty() ? 0 : hits / static_cast<double>(groups.size());
}

}  // namespace

int run_eval(const EvalOptions& given) {
  EvalOptions options = given;
  if (options.temperature < 0) options.temperature = options.samples == 1 ? 0.0 : 0.6;
  kernels::set_threads(options.threads);
  const DataConfig data = suite_data(options);
  const auto problems = read_problems(data.eval, data, options.limit);
  if (problems.empty()) kernels::fail_usage("eval: {} has no problems.", data.eval);
  LoadedModel loaded(options.model, options.dtype, options.chat_template, options.memory_mb);
  reward::Settings settings;
  settings.name = options.reward;
  if (options.reward == "math") settings.options = {{"extraction", "lenient"}};  // the last number counts, as lm-eval's flexible-extract
  const auto scorer = make_scorer({settings});
  Collector collector(loaded.engine(), scorer, loaded.shared_tokenizer(), loaded.chat_template(), loaded.stop_tokens());
  Ask ask;
  ask.samples = options.samples;
  ask.max_new_tokens = options.max_new_tokens;
  ask.sampling.temperature = options.temperature;
  ask.sampling.top_p = options.top_p;
  ask.seed = static_cast<uint64_t>(options.seed);
  ask.purpose = kernels::Purpose::eval;

  const auto start = std::chrono::steady_clock::now();
  std::optional<Progress> progress(std::in_place, "eval", static_cast<int64_t>(problems.size()) * options.samples);
  ask.on_sample = [&](int64_t samples, int64_t sampled_tokens) {
    const double so_far = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    progress->update(samples, fmt::format("{:.0f} tok/s", static_cast<double>(sampled_tokens) / so_far));
  };
  const auto result = evaluate(collector, problems, ask);
  progress.reset();  // ends its line
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const Evaluation& e = result.numbers;
  double tokens = 0;
  for (const Group& g : result.groups)
    for (const auto& s : g.samples) tokens += static_cast<double>(s.record.tokens.size());

  const std::string suite = options.suite.empty() ? fs::path(options.data).stem().string() : options.suite;
  fs::path model(options.model);
  if (!model.has_filename()) model = model.parent_path();  // a slash at the end
  const fs::path directory = options.output_dir.empty() ? fs::path("runs") / "eval" / (model.filename().string() + "-" + suite)
                                                        : fs::path(options.output_dir);
  fs::create_directories(directory);
  std::string lines;
  for (const Group& g : result.groups)
    for (const auto& s : g.samples) lines += sample_json(g, s).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  model::write_file_atomically((directory / "samples.jsonl").string(), lines);
  const std::string average = fmt::format("avg@{}", options.samples), pass = fmt::format("pass@{}", options.samples);
  const Json results{{"model", options.model}, {"suite", suite}, {"data", data.eval}, {"problems", e.problems}, {"samples", e.samples},
                     {"temperature", options.temperature}, {"top_p", options.top_p}, {"max_new_tokens", options.max_new_tokens},
                     {"seed", options.seed}, {"template", loaded.chat_template().style}, {"dtype", kernels::name_of(options.dtype)},
                     {average, e.accuracy}, {average + "_standard_error", e.standard_error}, {pass, any_right(result.groups)},
                     {"no_answer_share", e.no_answer_share}, {"truncated_share", e.truncated_share}, {"mean_tokens", e.mean_length},
                     {"seconds", seconds}, {"tokens_per_second", tokens / seconds}};
  model::write_file_atomically((directory / "results.json").string(), results.dump(1) + "\n");

  fmt::print("{} on {}: {} problems x {} samples, temperature {}\n", options.model, suite, e.problems, e.samples, options.temperature);
  fmt::print("  accuracy ({:<8}  {:.3f} ± {:.3f}\n", average + ")", e.accuracy, e.standard_error);
  fmt::print("  {:<18}  {:.3f}\n  no answer           {:.3f}\n  truncated           {:.3f}\n", pass, any_right(result.groups), e.no_answer_share,
             e.truncated_share);
  fmt::print("  mean tokens         {:.1f}\n  tokens per second   {:.0f}  ({} in all)\n", e.mean_length, tokens / seconds, duration_text(seconds));
  fmt::print("  files               {}/results.json, samples.jsonl\n", directory.string());
  return 0;
}

}  // namespace rl
