#include "rl/report/summary.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "model/files/safetensors.h"
#include "rl/report/terminal.h"

namespace rl {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const std::optional<Evaluation>& evaluation) {
  if (!evaluation) return nullptr;
  return {{"problems", evaluation->problems},
          {"samples", evaluation->samples},
          {"accuracy", evaluation->accuracy},
          {"standard_error", evaluation->standard_error},
          {"mean_length", evaluation->mean_length},
          {"no_answer_share", evaluation->no_answer_share},
          {"truncated_share", evaluation->truncated_share}};
}

Json to_json(const std::optional<HeldOutLoss>& loss) {
  if (!loss) return nullptr;
  return {{"rows", loss->rows},
          {"tokens", loss->tokens},
          {"loss", loss->loss},
          {"perplexity", loss->perplexity},
          {"token_accuracy", loss->token_accuracy}};
}

Json to_json(const std::optional<ShownSample>& sample) {
  if (!sample) return nullptr;
  return {{"stage", sample->stage},   {"prompt", sample->prompt}, {"completion", sample->completion},
          {"answer", sample->answer}, {"reward", sample->reward}, {"tokens", sample->tokens}};
}

Json to_json(const StageSummary& stage) {
  const auto per_point = cost_per_point(stage);
  return {{"name", stage.name},
          {"kind", stage.kind},
          {"steps", stage.steps},
          {"tokens", stage.tokens},
          {"seconds", stage.seconds},
          {"rewards", stage.rewards},
          {"greedy_before", to_json(stage.greedy_before)},
          {"greedy_after", to_json(stage.greedy_after)},
          {"sampled_before", to_json(stage.sampled_before)},
          {"sampled_after", to_json(stage.sampled_after)},
          {"loss_before", to_json(stage.loss_before)},
          {"loss_after", to_json(stage.loss_after)},
          {"stopped", stage.stopped},
          {"cost", to_json(stage.cost)},
          {"cost_per_accuracy_point", per_point ? to_json(*per_point) : Json(nullptr)}};
}

std::string change(const char* label, const std::optional<Evaluation>& before, const std::optional<Evaluation>& after) {
  if (!before && !after) return "";
  const auto accuracy = [](const std::optional<Evaluation>& e) {
    return e ? fmt::format("{:.3f}", e->accuracy) : std::string("-");
  };
  const auto length = [](const std::optional<Evaluation>& e) {
    return e ? fmt::format("{:.1f}", e->mean_length) : std::string("-");
  };
  return fmt::format("    {:<8} accuracy {:>5} → {:>5}    length {:>5} → {:>5} tokens\n", label, accuracy(before),
                     accuracy(after), length(before), length(after));
}

std::string change(const std::optional<HeldOutLoss>& before, const std::optional<HeldOutLoss>& after) {
  if (!before && !after) return "";
  const auto part = [&](auto member, const char* format) {
    const auto text = [&](const std::optional<HeldOutLoss>& e) { return e ? fmt::format(fmt::runtime(format), (*e).*member) : std::string("-"); };
    return text(before) + " → " + text(after);
  };
  return fmt::format("    held back  loss {}    perplexity {}    tokens right {}\n", part(&HeldOutLoss::loss, "{:.3f}"),
                     part(&HeldOutLoss::perplexity, "{:.3g}"), part(&HeldOutLoss::token_accuracy, "{:.3f}"));
}

std::string costs(const StageSummary& stage, const std::string& currency) {
  if (stage.cost.seconds == 0) return "";
  std::string out = fmt::format("    cost     {}\n", cost_text(stage.cost, currency));
  if (const auto point = cost_per_point(stage))
    out += fmt::format("    a point of accuracy: {}\n", cost_text(*point, currency));
  return out;
}

std::string shortened(const std::string& text, size_t limit) {
  if (text.size() <= limit) return text;
  size_t end = limit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not inside a character
  return text.substr(0, end) + " ...";
}

std::string indented(const std::string& text, const std::string& margin) {
  std::string out = margin;
  for (const char c : text) {
    out += c;
    if (c == '\n') out += margin;
  }
  return out;
}

std::string shown(const ShownSample& sample) {
  constexpr size_t longest = 1200;
  return fmt::format("  {} (reward {:.2f}, {} tokens)\n{}\n", sample.stage, sample.reward, sample.tokens,
                     indented(shortened(sample.completion, longest), "    "));
}

}  // namespace

std::optional<Cost> cost_per_point(const StageSummary& stage) {
  if (!stage.greedy_before || !stage.greedy_after) return std::nullopt;
  return cost_per_point(stage.cost, stage.greedy_before->accuracy, stage.greedy_after->accuracy);
}

std::string summary_json(const RunSummary& summary) {
  Json json = {{"name", summary.name},
               {"config", summary.config_file},
               {"output_dir", summary.output_dir},
               {"model", summary.model},
               {"machine", summary.machine},
               {"version", summary.version},
               {"seed", summary.seed},
               {"seconds", summary.seconds},
               {"peak_memory_mb", summary.peak_memory_mb},
               {"interrupted", summary.interrupted},
               {"stages", Json::array()}};
  Cost cost;
  for (const auto& stage : summary.stages) {
    json["stages"].push_back(to_json(stage));
    cost.add(stage.cost);
  }
  json["cost"] = to_json(cost);
  json["currency"] = summary.currency;
  json["best"] = summary.best ? to_json(*summary.best) : Json(nullptr);
  json["sample_before"] = to_json(summary.before);
  json["sample_after"] = to_json(summary.after);
  // Text that a model cut inside a character must not stop the summary.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

void write_summary(const std::string& file, const RunSummary& summary) {
  model::write_file_atomically(file, summary_json(summary));
}

std::string closing_text(const RunSummary& summary, const std::vector<double>& reward_curve, bool colour) {
  const auto bold = [&](const std::string& text) { return colour ? "\033[1m" + text + "\033[0m" : text; };
  std::string out = "\n";
  if (reward_curve.size() >= 2) out += text_curve(reward_curve, 60, 8, "reward by step") + "\n";
  for (const auto& stage : summary.stages) {
    out += bold(fmt::format("  {}", stage.name)) + fmt::format("  {} steps, {} tokens, {}\n", stage.steps,
                                                               count_text(static_cast<double>(stage.tokens)),
                                                               duration_text(stage.seconds));
    out += change("greedy", stage.greedy_before, stage.greedy_after);
    out += change("sampled", stage.sampled_before, stage.sampled_after);
    out += change(stage.loss_before, stage.loss_after);
    if (!stage.stopped.empty()) out += fmt::format("    ended early: {}\n", stage.stopped);
    out += costs(stage, summary.currency);
  }
  if (summary.best)
    out += fmt::format("  best     {} {:.4g} at step {} of {}: {}\n", summary.best->metric, summary.best->value, summary.best->step,
                       summary.best->stage, best_folder(summary.output_dir));
  if (summary.before || summary.after) {
    const ShownSample& sample = summary.before ? *summary.before : *summary.after;
    out +=
        fmt::format("\n{}  {}\n  answer  {}\n", bold("  prompt"), shortened(sample.prompt, 600), shortened(sample.answer, 200));
    if (summary.before) out += shown(*summary.before);
    if (summary.after) out += shown(*summary.after);
  }
  out += fmt::format("\n  {} in {}; all of it in {}/report.html\n", summary.interrupted ? "interrupted after saving," : "done",
                     duration_text(summary.seconds), summary.output_dir);
  return out;
}

}  // namespace rl
