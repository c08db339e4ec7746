#include "rl/evaluation/compare.h"

#include "kernels/error.h"
#include "rl/evaluation/page.h"
#include "rl/evaluation/results.h"
#include "tests/rl/evaluation/samples.h"
#include "tests/support/catch.h"

using Catch::Matchers::WithinAbs;
using eval_samples::problem;

namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

rl::EvalRun example_run() {
  rl::EvalRun run;
  run.date = "2026-05-01T12-34-56.789012";
  run.model = "models/<toy>";
  run.model_name = "<toy>";
  run.checkpoint_id = "0123456789abcdef";
  run.version = "0.1.0";
  run.samples = 2;
  run.seconds = 2;
  run.sampled_tokens = 100;
  run.sampling = {{"temperature", 0.6}, {"top_p", 1.0}, {"top_k", 0}};
  rl::SuiteResult result;
  result.suite.name = "toy";
  result.suite.title = "A toy";
  result.data_file = "toy.jsonl";
  result.template_style = "plain";
  result.data_sha256 = std::string(64, 'a');
  result.rows = 9;
  result.problems = {problem(0, "rw"), problem(1, "nn"), problem(2, "ru")};
  result.problems[0].samples[1].completion = "</script><script>alert(1)</script>";
  result.metrics = rl::suite_metrics("toy", result.problems, {{}, true, 0, 200});
  result.notes = {"1 golds <cannot> be judged"};
  run.suites.push_back(result);
  return run;
}

}  // namespace

TEST_CASE("two checkpoints are compared on the problems that both have a verdict on", "[eval]") {
  const std::vector<rl::EvaluatedProblem> a = {problem(0, "rw"), problem(1, "ww"), problem(2, "uu"), problem(3, "rr")};
  const std::vector<rl::EvaluatedProblem> b = {problem(0, "rr"), problem(1, "rw"), problem(2, "rr"), problem(4, "rr")};
  // Problems 0 and 1: 1/2 -> 1 and 0 -> 1/2. d = 1/2, 1/2; two of four sign patterns reach |1|.
  const auto c = rl::compare_suites("toy", a, b);
  REQUIRE(c.pairs.problems == 2);
  REQUIRE(c.only_a == 2);
  REQUIRE(c.only_b == 2);
  REQUIRE(c.a == 0.25);
  REQUIRE(c.b == 0.75);
  REQUIRE(c.pairs.difference == 0.5);
  REQUIRE(c.pairs.standard_error == 0);
  REQUIRE(c.pairs.better == 1);
  REQUIRE_THAT(c.pairs.p_value, WithinAbs(0.5, 1e-15));
  REQUIRE(c.same_prompts);
}

TEST_CASE("results on different data files are not compared", "[eval]") {
  auto other = problem(0, "r");
  other.data_sha256 = "d2";
  try {
    rl::compare_suites("toy", {problem(0, "r")}, {other});
    FAIL("compared");
  } catch (const kernels::UsageError& error) {
    REQUIRE(contains(error.what(), "toy was measured on different data files (sha256 d1 and d2)"));
  }
}

TEST_CASE("other prompts on the same problems are told", "[eval]") {
  auto other = problem(0, "r");
  other.prompt = "asked otherwise";
  REQUIRE(!rl::compare_suites("toy", {problem(0, "r")}, {other}).same_prompts);
}

TEST_CASE("a folder without an evaluation is named in the error", "[eval]") {
  REQUIRE_THROWS_AS(rl::comparison_text("/no/such/a", "/no/such/b"), kernels::UsageError);
}

TEST_CASE("the results have lm-eval's shape, with our own under one key", "[eval]") {
  const auto json = rl::results_json(example_run());
  REQUIRE(json["results"]["toy"]["alias"] == "toy");
  REQUIRE(json["results"]["toy"]["avg@2,none"] == 0.5);
  REQUIRE(json["results"]["toy"].contains("avg@2_stderr,none"));
  REQUIRE(json["results"]["toy"]["cons@2,none"].is_number());
  REQUIRE(json["higher_is_better"]["toy"]["avg@2"] == true);
  REQUIRE(json["higher_is_better"]["toy"]["truncated"] == false);
  REQUIRE(json["n-samples"]["toy"]["original"] == 9);
  REQUIRE(json["n-samples"]["toy"]["effective"] == 3);
  REQUIRE(json["group_subtasks"]["toy"].is_array());
  REQUIRE(json["config"]["model_args"]["pretrained"] == "models/<toy>");
  REQUIRE(json["ponder"]["suites"]["toy"]["data_sha256"] == std::string(64, 'a'));
  REQUIRE(json["ponder"]["suites"]["toy"]["intervals_95"]["avg@2"].size() == 2);
  REQUIRE(json["ponder"]["suites"]["toy"]["unscored_samples"] == 1);
  REQUIRE(json["ponder"]["tokens_per_second"] == 50.0);
}

TEST_CASE("the table is Markdown whose columns stand under each other", "[eval]") {
  const std::string table = rl::markdown_table({{"a", "± n"}, {"long name", "1"}}, {false, true});
  REQUIRE(table ==
          "| a         | ± n |\n"
          "|-----------|----:|\n"
          "| long name |   1 |\n");
  const std::string text = rl::results_table(example_run());
  REQUIRE(contains(text, "| toy   | avg@2"));
  REQUIRE(contains(text, "noise of the runs"));
  REQUIRE(!contains(text, "verifier_limit"));  // nothing met one
  REQUIRE(contains(rl::results_heading(example_run()),
                   "toy: 3 of 9 problems × 2 samples, template plain, toy.jsonl (sha256 aaaaaaaaaaaa)"));
}

TEST_CASE("the page stands alone, and what a model wrote stays text", "[eval]") {
  const std::string html = rl::evaluation_page(example_run());
  for (const char* part : {"http:", "https:", "<link", "src=", "href=", "url(", "@import", "innerHTML", "eval("}) {
    INFO(part);
    REQUIRE(!contains(html, part));
  }
  REQUIRE(contains(html, "prefers-color-scheme:dark"));
  REQUIRE(contains(html, "\\u003c/script>\\u003cscript>alert(1)"));
  REQUIRE(!contains(html, "<script>alert"));
  REQUIRE(contains(html, "&lt;toy&gt;"));
  REQUIRE(!contains(html, "<toy>"));
  REQUIRE(contains(html, "1 golds &lt;cannot&gt; be judged"));
}

TEST_CASE("a page of very many samples holds the first and says how many are elsewhere", "[eval]") {
  const std::string html = rl::evaluation_page(example_run(), /*sample_bytes=*/60);
  REQUIRE(contains(html, "The page holds 1 problems; 2 more are in the samples files."));
}
