#include "rl/evaluation/results.h"

#include <fmt/core.h>

#include <algorithm>

#include "rl/data/sha256.h"

namespace rl {
namespace {

using Json = nlohmann::ordered_json;

bool is_count(const EvalMetric& metric) { return metric.name.find("tokens") != std::string::npos; }

// One column a character, so that padding counts what is seen.
int64_t width_of(const std::string& text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
}

Json suite_values(const SuiteResult& result) {
  Json out{{"alias", result.suite.name}};
  for (const auto& metric : result.metrics.metrics) {
    out[metric.name + ",none"] = metric.value;
    out[metric.name + "_stderr,none"] = metric.name == "p95_tokens" ? Json("N/A") : Json(metric.standard_error);
  }
  return out;
}

Json suite_config(const SuiteResult& result, const EvalRun& run) {
  const Suite& suite = result.suite;
  Json metrics = Json::array();
  for (const auto& metric : result.metrics.metrics)
    metrics.push_back({{"metric", metric.name}, {"aggregation", "mean"}, {"higher_is_better", metric.higher_is_better}});
  return {{"task", suite.name},
          {"dataset_path", result.data_file},
          {"output_type", "generate_until"},
          {"doc_to_text", result.wording},
          {"doc_to_target", suite.gold},
          {"num_fewshot", 0},
          {"repeats", run.samples},
          {"metric_list", metrics},
          {"generation_kwargs", run.sampling}};
}

Json suite_details(const SuiteResult& result) {
  Json intervals = Json::object();
  for (const auto& metric : result.metrics.metrics)
    if (metric.interval) intervals[metric.name] = {metric.interval->low, metric.interval->high};
  Json options = Json::object();
  for (const auto& [key, value] : result.suite.reward.options) options[key] = value;
  return {{"title", result.suite.title},
          {"data", result.data_file},
          {"data_sha256", result.data_sha256},
          {"source", result.suite.source},
          {"licence", result.suite.licence},
          {"reward", {{"name", result.suite.reward.name}, {"options", options}}},
          {"problems", result.metrics.problems},
          {"samples", result.metrics.samples},
          {"unscored_samples", result.metrics.unscored},
          {"run_noise", result.metrics.run_noise},
          {"intervals_95", intervals},
          {"notes", result.notes}};
}

// As lm-eval: the sum over the hashes of all lines.
std::string task_hash(const SuiteResult& result) {
  std::string all;
  for (const auto& problem : result.problems) all += problem.hashes;
  return sha256_of_text(all);
}

std::string sanitized(const std::string& name) {
  std::string out;
  for (const char c : name) out += c == '/' ? std::string("__") : std::string(1, c);
  return out;
}

}  // namespace

Json results_json(const EvalRun& run) {
  Json results = Json::object(), subtasks = Json::object(), configs = Json::object(), versions = Json::object(),
       shots = Json::object();
  Json higher = Json::object(), counts = Json::object(), hashes = Json::object(), details = Json::object();
  for (const auto& result : run.suites) {
    const std::string& name = result.suite.name;
    results[name] = suite_values(result);
    subtasks[name] = Json::array();
    configs[name] = suite_config(result, run);
    versions[name] = 1;
    shots[name] = 0;
    for (const auto& metric : result.metrics.metrics) higher[name][metric.name] = metric.higher_is_better;
    counts[name] = {{"original", result.rows}, {"effective", result.metrics.problems}};
    hashes[name] = task_hash(result);
    details[name] = suite_details(result);
  }
  return {{"results", results},
          {"group_subtasks", subtasks},
          {"configs", configs},
          {"versions", versions},
          {"n-shot", shots},
          {"higher_is_better", higher},
          {"n-samples", counts},
          {"config",
           {{"model", "ponder"},
            {"model_args", {{"pretrained", run.model}, {"dtype", run.dtype}}},
            {"model_dtype", run.dtype},
            {"model_sha", run.checkpoint_id},
            {"batch_size", "auto"},
            {"device", "cpu"},
            {"limit", run.limit > 0 ? Json(run.limit) : Json(nullptr)},
            {"bootstrap_iters", 10000},
            {"gen_kwargs", run.sampling},
            {"random_seed", run.seed}}},
          {"date", run.begun},
          {"task_hashes", hashes},
          {"model_source", "ponder"},
          {"model_name", run.model},
          {"model_name_sanitized", sanitized(run.model)},
          {"system_instruction", run.system.empty() ? Json(nullptr) : Json(run.system)},
          {"chat_template", run.suites.empty() ? Json(nullptr) : Json(run.suites.front().template_style)},
          {"max_length", run.max_positions},
          {"total_evaluation_time_seconds", fmt::format("{:.3f}", run.seconds)},
          {"ponder",
           {{"version", run.version},
            {"checkpoint_id", run.checkpoint_id},
            {"settings", run.settings},
            {"sampled_tokens", run.sampled_tokens},
            {"tokens_per_second", run.seconds > 0 ? Json(static_cast<double>(run.sampled_tokens) / run.seconds) : Json(nullptr)},
            {"suites", details}}}};
}

bool worth_a_row(const EvalMetric& metric) {
  return metric.value > 0 || (metric.name != "unscored" && metric.name != "verifier_limit");
}

std::string metric_text(const EvalMetric& metric, double value) {
  return is_count(metric) ? fmt::format("{:.1f}", value) : fmt::format("{:.4f}", value);
}

std::string markdown_table(const std::vector<std::vector<std::string>>& rows, const std::vector<bool>& right) {
  std::vector<int64_t> widths(right.size(), 3);
  for (const auto& row : rows)
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], width_of(row[c]));
  std::string out;
  for (size_t r = 0; r < rows.size(); ++r) {
    out += "|";
    for (size_t c = 0; c < rows[r].size(); ++c) {
      const std::string space(static_cast<size_t>(widths[c] - width_of(rows[r][c])), ' ');
      out += right[c] ? " " + space + rows[r][c] + " |" : " " + rows[r][c] + space + " |";
    }
    out += "\n";
    if (r > 0) continue;
    out += "|";
    for (size_t c = 0; c < right.size(); ++c)
      out += std::string(static_cast<size_t>(widths[c]) + 1, '-') + (right[c] ? ":|" : "-|");
    out += "\n";
  }
  return out;
}

std::string results_table(const EvalRun& run) {
  std::vector<std::vector<std::string>> rows = {{"suite", "metric", "value", "± s.e.", "95 % interval", "problems"}};
  for (const auto& result : run.suites) {
    std::string name = result.suite.name;
    for (const auto& metric : result.metrics.metrics) {
      if (!worth_a_row(metric)) continue;
      const std::string interval =
          metric.interval ? metric_text(metric, metric.interval->low) + " to " + metric_text(metric, metric.interval->high) : "";
      rows.push_back({name, metric.name, metric_text(metric, metric.value),
                      metric.name == "p95_tokens" ? "" : metric_text(metric, metric.standard_error), interval,
                      std::to_string(metric.problems)});
      name.clear();
      if (rows.back()[1] == fmt::format("avg@{}", result.metrics.samples) && result.metrics.samples > 1)
        rows.push_back({"", "  noise of the runs", "", fmt::format("{:.4f}", result.metrics.run_noise), "", ""});
    }
  }
  return markdown_table(rows, {false, false, true, true, true, true});
}

std::string results_heading(const EvalRun& run) {
  std::string out = fmt::format("{} (checkpoint {:.12}), {}\n", run.model, run.checkpoint_id, run.sampling.dump());
  for (const auto& result : run.suites) {
    const std::string of = result.rows > result.metrics.problems ? fmt::format(" of {}", result.rows) : "";
    out += fmt::format("{}: {}{} problems × {} samples, template {}, {} (sha256 {:.12})\n", result.suite.name,
                       result.metrics.problems, of, run.samples, result.template_style, result.data_file, result.data_sha256);
    for (const auto& note : result.notes) out += "  note: " + note + "\n";
  }
  return out;
}

}  // namespace rl
