#include "rl/report/report.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "rl/report/line_chart.h"
#include "tests/support/catch.h"

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

rl::Evaluation evaluation(double accuracy, double length) {
  rl::Evaluation out;
  out.problems = 256;
  out.accuracy = accuracy;
  out.mean_length = length;
  return out;
}

rl::RunSummary example_summary() {
  rl::RunSummary summary;
  summary.name = "quickstart";
  summary.output_dir = "runs/quickstart";
  summary.model = "deepseek_v3, 3 layers, width 128, 1.5M parameters";
  summary.machine = "2 threads";
  summary.version = "0.1.0";
  summary.seconds = 130;
  rl::StageSummary cold{"cold-start", "sft", 300, 900000, 80, "", {}, {}, {}, {}, {}, {}, {}, {}};
  cold.greedy_after = evaluation(0.1, 6);
  rl::StageSummary grpo{"grpo", "grpo", 50, 250000, 40, "exact: builtin", {}, {}, {}, {}, {}, {}, {}, {}};
  grpo.greedy_before = evaluation(0.1, 6);
  grpo.greedy_after = evaluation(0.996, 29);
  grpo.sampled_before = evaluation(0.37, 13.7);
  grpo.sampled_after = evaluation(0.99, 28.8);
  summary.stages = {cold, grpo};
  summary.before = rl::ShownSample{"before grpo", "3+9+1+7+4=", "<think></think><answer>2</answer>", "4", 0, 6};
  summary.after =
      rl::ShownSample{"after grpo", "3+9+1+7+4=", "<think>3+9=2;2+1=3;3+7=0;0+4=4</think><answer>4</answer>", "4", 1, 29};
  return summary;
}

std::vector<rl::MetricsLine> example_metrics() {
  std::vector<rl::MetricsLine> lines;
  for (int64_t step = 1; step <= 300; ++step)
    lines.push_back({"cold-start",
                     step,
                     {{"loss", 2.5 * std::exp(-0.02 * step) + 0.3},
                      {"grad_norm", 1.0 + 0.2 * std::sin(step)},
                      {"learning_rate", 2e-3 * std::min(1.0, step / 50.0)},
                      {"moe/load_min_share", 0.08},
                      {"moe/load_max_share", 0.2}}});
  for (int64_t step = 1; step <= 50; ++step) {
    const double x = 1 / (1 + std::exp(-0.2 * (step - 20)));
    lines.push_back({"grpo",
                     step,
                     {{"reward", 0.37 + 0.61 * x},
                      {"reward_std", 0.4 * (1 - x)},
                      {"frac_reward_zero_std", x},
                      {"rewards/exact/mean", 0.37 + 0.61 * x},
                      {"rewards/format/mean", 0.99},
                      {"completions/mean_length", 13 + 16 * x},
                      {"completions/max_length", 30},
                      {"completions/mean_terminated_length", 13 + 16 * x},
                      {"completions/clipped_ratio", 0.01},
                      {"entropy", 0.5 - 0.4 * x},
                      {"clip_ratio/low_mean", 0.0},
                      {"clip_ratio/high_mean", 0.0},
                      {"clip_ratio/region_mean", 0.0},
                      {"grad_norm", step == 7 ? std::nan("") : 0.5},
                      {"sampling/sampling_logp_difference/mean", 0.0},
                      {"sampling/sampling_logp_difference/max", 0.0},
                      {"timing/step_seconds", 0.8},
                      {"timing/rollout_seconds", 0.3},
                      {"timing/train_seconds", 0.4},
                      {"timing/rollout_tokens_per_second", 18000.0 + 100 * std::sin(step)}}});
  }
  return lines;
}

}  // namespace

TEST_CASE("the report stands alone: nothing is loaded from anywhere", "[report]") {
  const std::string html = rl::report_html(example_summary(), example_metrics(), "[run]\nname = \"<quick>\"\n");
  for (const char* part : {"http:", "https:", "<script", "<link", "src=", "href=", "url(", "@import"}) {
    INFO(part);
    REQUIRE(!contains(html, part));
  }
  // Text of models and settings is data, never markup.
  REQUIRE(contains(html, "&lt;think&gt;3+9=2;2+1=3"));
  REQUIRE(contains(html, "name = &quot;&lt;quick&gt;&quot;"));
  REQUIRE(!contains(html, "<think>"));
  REQUIRE(contains(html, "10.0%</span> <span class=\"to\">→</span> 99.6%"));
  REQUIRE(contains(html, "prefers-color-scheme:dark"));
  REQUIRE(contains(html, "name=\"viewport\""));
}

TEST_CASE("every metric with a chart is drawn, in the section of its stage", "[report]") {
  const std::string html = rl::report_html(example_summary(), example_metrics(), "");
  for (const char* name : {"Reward", "Rewards by name", "Completion length", "Entropy", "Sampler against trainer",
                           "Expert load", "Seconds a step"}) {
    INFO(name);
    REQUIRE(contains(html, "aria-label=\"" + std::string(name) + "\""));
  }
  // The RL stage comes before the cold start: Reward's chart before the expert loads, which only the cold start has.
  REQUIRE(html.find("aria-label=\"Reward\"") < html.find("aria-label=\"Expert load\""));
  REQUIRE(!contains(html, "aria-label=\"KL to the reference\""));  // never logged
  REQUIRE(!contains(html, "nan"));
}

TEST_CASE("a chart maps the lowest and highest values to the ends of its axes", "[report]") {
  // y ticks 0, 0.5, 1 span bottom 210 to top 12; x runs from 1 at 52 to 3 at 468. 0.5 lies in the middle: 111.
  const std::string svg = rl::svg_line_chart({"t", "", {{"a", {1, 2, 3}, {0, 0.5, 1}}}});
  REQUIRE(contains(svg, "points=\"52.0,210.0 260.0,111.0 468.0,12.0\""));
  // A gap cuts the line in two; a single point is a dot.
  const std::string gap = rl::svg_line_chart({"t", "", {{"a", {1, 2, 3, 4}, {0, 1, std::nan(""), 1}}}});
  REQUIRE(contains(gap, "<polyline class=\"line s0\" points=\"52.0,210.0 190.7,12.0\"/>"));
  REQUIRE(contains(gap, "<circle class=\"dot s0\" cx=\"468.0\" cy=\"12.0\""));
  // A constant is drawn against zero.
  REQUIRE(contains(rl::svg_line_chart({"t", "", {{"a", {1, 2}, {2, 2}}}}), "points=\"52.0,12.0 468.0,12.0\""));
  REQUIRE(rl::svg_line_chart({"t", "", {{"a", {1}, {std::nan("")}}}}).empty());
}

TEST_CASE("ticks are round and cover the range", "[report]") {
  REQUIRE(rl::ticks(0, 10, 5) == std::vector<double>{0, 2, 4, 6, 8, 10});
  REQUIRE(rl::ticks(1, 50, 5) == std::vector<double>{0, 10, 20, 30, 40, 50});
  REQUIRE(rl::ticks(-0.5, 0.5, 2) == std::vector<double>{-0.5, 0, 0.5});
  const auto tiny = rl::ticks(0, 3e-6, 3);
  REQUIRE(tiny.size() == 4);
  REQUIRE(tiny.back() == Approx(3e-6));
}

TEST_CASE("summary.json holds each stage before and after", "[summary]") {
  auto summary = example_summary();
  summary.after->completion += "\xff";  // a completion cut inside a character is still written
  const auto json = nlohmann::json::parse(rl::summary_json(summary));
  REQUIRE(json["stages"].size() == 2);
  REQUIRE(json["stages"][0]["greedy_before"].is_null());
  REQUIRE(json["stages"][1]["greedy_before"]["accuracy"] == 0.1);
  REQUIRE(json["stages"][1]["greedy_after"]["mean_length"] == 29.0);
  REQUIRE(json["stages"][1]["sampled_after"]["accuracy"] == 0.99);
  REQUIRE(json["stages"][1]["steps"] == 50);
  REQUIRE(json["sample_before"]["reward"] == 0.0);
}

TEST_CASE("the closing lines tell accuracy and length before and after, and show one sample of each", "[summary]") {
  const std::string text = rl::closing_text(example_summary(), {0.4, 0.9}, /*colour=*/false);
  REQUIRE(contains(text, "greedy   accuracy 0.100 → 0.996    length   6.0 →  29.0 tokens"));
  REQUIRE(contains(text, "sampled  accuracy 0.370 → 0.990    length  13.7 →  28.8 tokens"));
  REQUIRE(contains(text, "before grpo (reward 0.00, 6 tokens)\n    <think></think><answer>2</answer>"));
  REQUIRE(contains(text, "after grpo (reward 1.00, 29 tokens)\n    <think>3+9=2"));
  REQUIRE(contains(text, "reward by step"));
  REQUIRE(contains(text, "done in 2m 10s; all of it in runs/quickstart/report.html"));
  REQUIRE(!contains(text, "\033"));
  REQUIRE(contains(rl::closing_text(example_summary(), {}, true), "\033[1m"));
}

TEST_CASE("write_report reads the metrics beside it", "[report]") {
  const auto folder = std::filesystem::temp_directory_path() / "ponder_report_test";
  std::filesystem::remove_all(folder);
  rl::MetricsLog log(folder.string(), false);
  for (const auto& line : example_metrics()) log.log(line.stage, line.step, line.values);
  rl::write_report(folder.string(), example_summary(), "");
  REQUIRE(std::filesystem::file_size(folder / "report.html") > 20000);

  // A disk that refused all samples leaves an empty folder, one that a kill cut a damaged file.
  std::filesystem::create_directories(folder / "rollouts");
  rl::write_report(folder.string(), example_summary(), "");
  REQUIRE(std::filesystem::file_size(folder / "report.html") > 20000);
  std::ofstream(folder / "rollouts" / "grpo-000003.jsonl") << "{\"prompt_id\":";
  rl::write_report(folder.string(), example_summary(), "");
  REQUIRE(std::filesystem::file_size(folder / "report.html") > 20000);
}
