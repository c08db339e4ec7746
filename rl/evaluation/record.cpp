#include "rl/evaluation/record.h"

#include <algorithm>
#include <chrono>

#include "kernels/error.h"
#include "reward/extract.h"
#include "rl/data/sha256.h"
#include "rollout/record_io.h"

namespace rl {
namespace {

using Json = nlohmann::ordered_json;

Json or_null(const std::optional<bool>& value) { return value ? Json(*value) : Json(nullptr); }

// lm-eval hashes the row as Python's json writes it with an indent of 2, its text unescaped.
std::string doc_hash(const Json& doc) {
  return sha256_of_text(doc.dump(2, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace));
}

Json sample_json(const ScoredSample& s, const Group& group, const RecordContext& context) {
  Json components = Json::object();
  for (const auto& [name, value] : s.outcome.components) components[name] = value;
  const Json formed = context.form.empty() ? Json(nullptr) : Json(has_form(context.form, group.prompt, s.text));
  return {{"sample_index", s.record.sample_index},
          {"seed", context.seed},
          {"finish_reason", rollout::name_of(s.record.finish)},
          {"stop_text", s.record.stop_text},
          {"n_tokens", s.record.tokens.size()},
          {"extracted", s.outcome.extracted},
          {"status", reward::name_of(s.outcome.status)},
          {"reason", s.outcome.reason},
          {"detail", s.outcome.detail},
          {"correct", or_null(is_right(s.outcome))},
          {"well_formed", formed},
          {"value", s.outcome.has_value() ? Json(s.outcome.value) : Json(nullptr)},
          {"reward_components", components}};
}

std::optional<bool> optional_flag(const Json& value) {
  return value.is_null() ? std::nullopt : std::optional<bool>(value.get<bool>());
}

bool code_block(const std::string& text) {
  const size_t open = text.find("```");
  return open != std::string::npos && text.find("```", open + 3) != std::string::npos;
}

bool r1_zero_tags(const std::string& prompt, const std::string& completion) {
  reward::Settings settings;
  settings.name = "format";
  reward::Item item;
  item.prompt = prompt;
  item.completion = completion;
  const auto far = std::chrono::steady_clock::now() + std::chrono::hours(1);
  return reward::make_reward(settings)->score({item}, far).front().value >= 1;
}

}  // namespace

int64_t EvaluatedProblem::scored() const {
  return std::count_if(samples.begin(), samples.end(), [](const EvaluatedSample& s) { return s.correct.has_value(); });
}

int64_t EvaluatedProblem::right() const {
  return std::count_if(samples.begin(), samples.end(), [](const EvaluatedSample& s) { return s.correct.value_or(false); });
}

std::optional<double> EvaluatedProblem::share_right() const {
  const int64_t count = scored();
  if (count == 0) return std::nullopt;
  return static_cast<double>(right()) / static_cast<double>(count);
}

std::optional<bool> is_right(const reward::Outcome& outcome, const std::string& judge) {
  if (!outcome.has_value()) return std::nullopt;
  for (const auto& [name, value] : outcome.components)
    if (!judge.empty() && name == judge) return value >= 1.0;
  return outcome.status == reward::Status::scored && outcome.value >= 1.0;
}

bool has_form(const std::string& form, const std::string& prompt, const std::string& completion) {
  if (form == "box") return reward::last_box(completion).has_value();
  if (form == "answer_tags") return reward::last_tag(completion, "answer").has_value();
  if (form == "hashes") return reward::after_hashes(completion).has_value();
  if (form == "code") return code_block(completion);
  if (form == "r1-zero") return r1_zero_tags(prompt, completion);
  kernels::fail_usage("eval: \"{}\" is no form; the forms are box, answer_tags, hashes, code and r1-zero.", form);
}

std::string record_line(const EvalProblem& problem, const Group& group, const RecordContext& context) {
  Json completions = Json::array(), extracted = Json::array(), samples = Json::array();
  int64_t scored = 0, right = 0;
  for (const ScoredSample& s : group.samples) {
    completions.push_back(s.text);
    extracted.push_back(s.outcome.extracted);
    samples.push_back(sample_json(s, group, context));
    const auto verdict = is_right(s.outcome);
    scored += verdict.has_value();
    right += verdict.value_or(false);
  }
  const std::string metric = fmt::format("avg@{}", group.samples.size());
  Json line{{"doc_id", problem.doc_id},
            {"doc", problem.doc},
            {"target", problem.target},
            {"arguments", {{"gen_args_0", {{"arg_0", group.prompt}, {"arg_1", context.sampling}}}}},
            {"resps", Json::array({completions})},
            {"filtered_resps", group.samples.size() == 1 ? extracted : Json::array({extracted})},
            {"filter", "none"},
            {"metrics", Json::array({metric})},
            {"doc_hash", doc_hash(problem.doc)},
            {"prompt_hash", sha256_of_text(group.prompt)},
            {"target_hash", sha256_of_text(problem.target)},
            {metric, scored > 0 ? Json(static_cast<double>(right) / static_cast<double>(scored)) : Json(nullptr)},
            {"samples", samples},
            {"checkpoint_id", context.checkpoint_id},
            {"data_sha256", context.data_sha256}};
  return rollout::json_line(line);
}

EvaluatedProblem read_record(const std::string& line, const std::string& place) {
  try {
    const Json json = Json::parse(line);
    EvaluatedProblem problem;
    problem.doc_id = json.at("doc_id").get<int64_t>();
    problem.prompt = json.at("arguments").at("gen_args_0").at("arg_0").get<std::string>();
    problem.target = json.at("target").get<std::string>();
    problem.data_sha256 = json.at("data_sha256").get<std::string>();
    for (const char* hash : {"doc_hash", "prompt_hash", "target_hash"}) problem.hashes += json.at(hash).get<std::string>();
    const Json& completions = json.at("resps").at(0);
    for (const Json& s : json.at("samples")) {
      EvaluatedSample sample;
      sample.index = s.at("sample_index").get<int64_t>();
      sample.tokens = s.at("n_tokens").get<int64_t>();
      sample.completion = completions.at(problem.samples.size()).get<std::string>();
      sample.extracted = s.at("extracted").get<std::string>();
      sample.status = s.at("status").get<std::string>();
      sample.reason = s.at("reason").get<std::string>();
      sample.detail = s.at("detail").get<std::string>();
      sample.truncated = s.at("finish_reason").get<std::string>() == rollout::name_of(rollout::FinishReason::length);
      sample.correct = optional_flag(s.at("correct"));
      sample.well_formed = optional_flag(s.at("well_formed"));
      problem.samples.push_back(std::move(sample));
    }
    return problem;
  } catch (const Json::exception& error) {
    kernels::fail_usage("{}: is no line that `ponder eval` wrote ({}). Delete the folder and evaluate again.", place,
                        error.what());
  }
}

}  // namespace rl
