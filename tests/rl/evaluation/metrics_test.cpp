#include "rl/evaluation/metrics.h"

#include <cmath>

#include "kernels/error.h"
#include "rl/evaluate.h"
#include "tests/rl/evaluation/samples.h"
#include "tests/support/catch.h"

using Catch::Matchers::WithinAbs;
using eval_samples::problem;

namespace {

rl::SuiteMetrics metrics(const std::vector<rl::EvaluatedProblem>& problems, rl::MetricChoices choices = {}) {
  choices.resamples = 200;
  return rl::suite_metrics("toy", problems, choices);
}

double value(const rl::SuiteMetrics& m, const std::string& name) {
  const auto* found = m.find(name);
  INFO(name);
  REQUIRE(found != nullptr);
  return found->value;
}

}  // namespace

TEST_CASE("avg@k averages over samples first and then over problems", "[eval]") {
  // Shares 3/4 and 1/4: mean 1/2; deviation sqrt(2 (1/4)^2) = 1/sqrt(8), over sqrt(2): 1/4.
  const auto m = metrics({problem(0, "rrrw"), problem(1, "rwww")});
  REQUIRE(m.problems == 2);
  REQUIRE(m.samples == 4);
  REQUIRE(value(m, "avg@4") == 0.5);
  REQUIRE_THAT(m.find("avg@4")->standard_error, WithinAbs(0.25, 1e-15));
  // Runs: (r,r) 1, (r,w) 1/2, (r,w) 1/2, (w,w) 0: deviation sqrt((1/4 + 0 + 0 + 1/4)/3) = sqrt(1/6), over 2.
  REQUIRE_THAT(m.run_noise, WithinAbs(std::sqrt(1.0 / 6) / 2, 1e-15));
  // pass@2: 1 - C(1,2)/.. = 1 and 1 - C(3,2)/C(4,2) = 1/2; pass@4: both 1.
  REQUIRE_THAT(value(m, "pass@2"), WithinAbs(0.75, 1e-15));
  REQUIRE(value(m, "pass@4") == 1);
  REQUIRE(m.find("pass@3") == nullptr);
  REQUIRE(m.find("cons@4") == nullptr);  // only where answers can vote
}

TEST_CASE("a sample without a verdict is left out and never counts as wrong", "[eval]") {
  const auto m = metrics({problem(0, "ruuw"), problem(1, "uuuu"), problem(2, "rrrr")});
  REQUIRE(value(m, "avg@4") == 0.75);  // 1/2 and 1; problem 1 has no verdict
  REQUIRE(m.find("avg@4")->problems == 2);
  REQUIRE(m.unscored == 6);
  REQUIRE(value(m, "unscored") == 0.5);
  REQUIRE(m.find("pass@4")->problems == 1);  // only one problem has four verdicts
}

TEST_CASE("one greedy sample gets Wilson's interval, several the bootstrap's", "[eval]") {
  const auto one = metrics({problem(0, "r"), problem(1, "w")});
  REQUIRE(one.find("avg@1")->interval->low == rl::wilson_interval(0.5, 2).low);
  REQUIRE(one.run_noise == 0);
  const auto two = metrics({problem(0, "rr"), problem(1, "ww")});
  REQUIRE(two.find("avg@2")->interval->low == 0);
  REQUIRE(two.find("avg@2")->interval->high == 1);
  // Two failures of two: no resample differs, and yet 0 is not proven.
  const auto none = metrics({problem(0, "ww"), problem(1, "ww")});
  REQUIRE(none.find("avg@2")->interval->high == rl::wilson_interval(0, 2).high);
}

TEST_CASE("pass@k for a k that was asked stands beside the powers of two", "[eval]") {
  rl::MetricChoices choices;
  choices.pass_at = {3, 1};
  const auto m = metrics({problem(0, "rwww")}, choices);
  REQUIRE_THAT(value(m, "pass@1"), WithinAbs(0.25, 1e-15));
  REQUIRE_THAT(value(m, "pass@3"), WithinAbs(0.75, 1e-15));  // 1 - C(3,3)/C(4,3)
  choices.pass_at = {5};
  REQUIRE_THROWS_AS(metrics({problem(0, "rwww")}, choices), kernels::UsageError);
}

TEST_CASE("the most frequent answer wins the vote, by meaning and not by luck", "[eval]") {
  REQUIRE(rl::consensus(problem(0, "rrw")) == 1);
  REQUIRE(rl::consensus(problem(0, "rww")) == 0);
  REQUIRE(rl::consensus(problem(0, "rw")) == 0.5);  // a tie is shared
  REQUIRE(rl::consensus(problem(0, "nnnr")) == 1);  // no answer, no vote
  REQUIRE(rl::consensus(problem(0, "uuur")) == 1);  // and no verdict, no vote
  REQUIRE(rl::consensus(problem(0, "nn")) == 0);
  auto split = problem(0, "rrwww");
  split.samples[2].extracted = "a";
  split.samples[3].extracted = "b";
  split.samples[4].extracted = "c";
  REQUIRE(rl::consensus(split) == 1);  // three wrong ones that disagree
  auto spelled = problem(0, "rwwww");
  const char* answers[] = {"\\frac{1}{2}", "3", "3.0", "4", "5"};
  for (size_t i = 0; i < 5; ++i) spelled.samples[i].extracted = answers[i];
  REQUIRE(rl::consensus(spelled) == 0);  // 3 and 3.0 are one answer with two votes
  REQUIRE(rl::same_answer("\\frac12", "0.5"));
  REQUIRE(!rl::same_answer("0.5", "0.6"));
  rl::MetricChoices choices;
  choices.votes = true;
  REQUIRE(value(metrics({problem(0, "rrww"), problem(1, "wwwr")}, choices), "cons@4") == 0.25);
}

TEST_CASE("the shares of silent, cut, well-formed and limited completions are counted over samples", "[eval]") {
  auto first = problem(0, "rn"), second = problem(1, "wu");
  first.samples[1].truncated = true;
  for (auto* p : {&first, &second})
    for (auto& s : p->samples) s.well_formed = s.index == 0;
  second.samples[1].status = "timeout";
  const auto m = metrics({first, second});
  REQUIRE(value(m, "no_answer") == 0.25);
  REQUIRE(value(m, "truncated") == 0.25);
  REQUIRE(value(m, "well_formed") == 0.5);
  REQUIRE(value(m, "verifier_limit") == 0.25);
  REQUIRE(value(m, "mean_tokens") == 15);
  REQUIRE(value(m, "p95_tokens") == 20);
  REQUIRE(metrics({problem(0, "r")}).find("well_formed") == nullptr);  // no form was asked for
}

TEST_CASE("a limit of the judge is told from a limit of the program that it judged", "[eval]") {
  rl::EvaluatedSample sample;
  sample.status = "scored";
  for (const char* reason : {"limit", "too_deep", "too_many_tokens"}) {
    INFO(reason);
    sample.reason = reason;
    REQUIRE(rl::hit_limit(sample));
  }
  for (const char* reason : {"", "rational", "output_limit", "timeout_wall"}) {
    INFO(reason);
    sample.reason = reason;
    REQUIRE(!rl::hit_limit(sample));
  }
}

TEST_CASE("a wrong answer in perfect form is wrong, and a right one in poor form is right", "[eval]") {
  reward::Outcome outcome;
  outcome.value = 1.1;  // format 1 * 1.1, math 0
  outcome.components = {{"format", 1.0}, {"math", 0.0}};
  REQUIRE(rl::is_right(outcome, "math") == false);
  outcome.value = 0.9;  // math 1 * 0.9, format 0
  outcome.components = {{"format", 0.0}, {"math", 1.0}};
  REQUIRE(rl::is_right(outcome, "math") == true);
  outcome.status = reward::Status::timeout;
  REQUIRE(!rl::is_right(outcome, "math").has_value());
  reward::Outcome alone;
  alone.status = reward::Status::no_answer;
  REQUIRE(rl::is_right(alone) == false);
}

TEST_CASE("the judge is the first reward that looks at the gold", "[eval]") {
  const auto named = [](const char* name) {
    reward::Settings settings;
    settings.name = name;
    return settings;
  };
  REQUIRE(rl::judge_of({named("format"), named("math"), named("exact")}) == "math");
  REQUIRE(rl::judge_of({named("countdown")}) == "countdown");
  REQUIRE(rl::judge_of({named("format")}).empty());
}
