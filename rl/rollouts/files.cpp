#include "rl/rollouts/files.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "model/files/mapped_file.h"
#include "rl/data/json_rows.h"
#include "rl/metrics.h"
#include "rollout/record_io.h"

namespace rl {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// "grpo-000012" -> grpo, 12.
std::optional<DumpedStep> step_of(const fs::path& file) {
  if (file.extension() != ".jsonl") return {};
  const std::string name = file.stem().string();
  const size_t dash = name.rfind('-');
  if (dash == std::string::npos) return {};
  DumpedStep out{name.substr(0, dash), 0, (file.parent_path() / file.stem()).string()};
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + dash + 1, end, out.step);
  if (error != std::errc() || stop != end) return {};
  return out;
}

DumpedSample sample_of(const Json& json) {
  DumpedSample s;
  s.prompt_id = json.at("prompt_id"), s.group_id = json.at("group_id"), s.sample_index = json.at("sample_index");
  s.prompt = json.at("prompt"), s.text = json.at("text"), s.answer = json.at("answer");
  s.data_source = json.at("data_source"), s.extra = json.value("extra", ""), s.dataset = json.value("dataset", "");
  s.left_out = json.value("left_out", false);
  s.status = json.at("status"), s.extracted = json.at("extracted"), s.reason = json.at("reason"), s.detail = json.at("detail");
  s.finish = json.at("finish_reason");
  if (json.at("reward").is_number()) s.reward = json["reward"].get<double>();
  if (json.at("advantage").is_number()) s.advantage = json["advantage"].get<double>();
  if (const auto parts = json.find("components"); parts != json.end())
    for (const auto& [name, value] : parts->items()) s.components.emplace_back(name, value.get<double>());
  s.tokens = json.at("tokens").get<std::vector<int32_t>>();
  s.trained.assign(s.tokens.size(), 0);
  for (const auto& run : json.at("trained")) {
    const int64_t first = run.at(0), length = run.at(1);
    for (int64_t t = first; t < first + length; ++t) s.trained.at(static_cast<size_t>(t)) = 1;
  }
  s.logprobs = json.at("logprobs").get<std::vector<double>>();
  if (const auto kept = json.find("kept"); kept != json.end()) s.kept = kept->get<std::vector<int64_t>>();
  if (!s.kept.empty() && s.kept.size() != s.logprobs.size())
    kernels::fail("{} counts of kept ids for {} log-probabilities", s.kept.size(), s.logprobs.size());
  if (static_cast<size_t>(std::count(s.trained.begin(), s.trained.end(), 1)) != s.logprobs.size())
    kernels::fail("{} log-probabilities for another number of trained tokens", s.logprobs.size());
  return s;
}

std::string list_of(const std::vector<DumpedStep>& steps) {
  std::string text;
  for (size_t i = 0; i < steps.size(); ++i) {
    if (i == 10 && steps.size() > 12) i = steps.size() - 2, text += ", ...";
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", steps[i].stage, steps[i].step);
  }
  return text;
}

}  // namespace

std::vector<DumpedStep> steps_with_samples(const std::string& run_directory) {
  std::vector<std::string> stages;
  for (const auto& line : read_metrics((fs::path(run_directory) / "metrics.jsonl").string()))
    if (stages.empty() || stages.back() != line.stage) stages.push_back(line.stage);
  std::vector<DumpedStep> steps;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(fs::path(run_directory) / "rollouts", none))
    if (auto step = step_of(entry.path())) steps.push_back(std::move(*step));
  const auto place = [&](const DumpedStep& s) { return std::find(stages.begin(), stages.end(), s.stage) - stages.begin(); };
  std::sort(steps.begin(), steps.end(), [&](const DumpedStep& a, const DumpedStep& b) {
    return std::make_tuple(place(a), a.stage, a.step) < std::make_tuple(place(b), b.stage, b.step);
  });
  return steps;
}

std::vector<DumpedStep> dumped_steps(const std::string& run_directory) {
  if (!fs::is_directory(run_directory)) kernels::fail_usage("{}: is no folder. Give the folder of a run.", run_directory);
  auto steps = steps_with_samples(run_directory);
  if (steps.empty())
    kernels::fail_usage("{}: has no samples in rollouts/. A run writes them with log.dump_rollouts_every = 1 (or every so many steps).",
                        run_directory);
  return steps;
}

DumpedStep find_step(const std::string& run_directory, const std::string& stage, int64_t step) {
  const auto steps = dumped_steps(run_directory);
  for (auto s = steps.rbegin(); s != steps.rend(); ++s)
    if (s->step == step && (stage.empty() || s->stage == stage)) return *s;
  kernels::fail_usage("{}: has no samples of {}step {}. There are: {}.", run_directory, stage.empty() ? "" : "stage " + stage + ", ", step,
                      list_of(steps));
}

std::vector<std::vector<DumpedSample>> read_samples(const DumpedStep& step) {
  std::vector<std::vector<DumpedSample>> groups;
  const std::string file = step.path + ".jsonl";
  for_each_row(file, [&](int64_t line, const Json& row) {
    try {
      DumpedSample sample = sample_of(row);
      if (groups.empty() || groups.back()[0].group_id != sample.group_id) groups.emplace_back();
      groups.back().push_back(std::move(sample));
    } catch (const std::exception& e) {
      kernels::fail_usage("{}:{}: is no sample of a run: {}.", file, line, e.what());
    }
    return true;
  });
  return groups;
}

std::vector<rollout::SampleRecord> read_records(const DumpedStep& step) {
  const model::MappedFile file(step.path + ".records");
  std::vector<rollout::SampleRecord> records;
  const auto* bytes = reinterpret_cast<const std::byte*>(file.data());
  const auto size = static_cast<size_t>(file.size());
  for (size_t at = 0, used = 0; at < size; at += used) records.push_back(rollout::read_record(bytes + at, size - at, used));
  return records;
}

}  // namespace rl
