#include "rl/evaluation/metrics.h"

#include <algorithm>
#include <functional>

#include "kernels/error.h"
#include "reward/extract.h"
#include "reward/math/verify.h"

namespace rl {
namespace {

using Problems = std::vector<EvaluatedProblem>;

// A metric from one value a problem; problems without one are left out.
EvalMetric over_problems(const std::string& name, const char* meaning, const Problems& problems,
                         const std::function<std::optional<double>(const EvaluatedProblem&)>& value,
                         std::vector<double>* values = nullptr) {
  std::vector<double> all;
  for (const auto& problem : problems)
    if (const auto one = value(problem)) all.push_back(*one);
  EvalMetric metric;
  metric.name = name;
  metric.meaning = meaning;
  metric.value = mean(all);
  metric.standard_error = standard_error(all);
  metric.problems = static_cast<int64_t>(all.size());
  if (values) *values = std::move(all);
  return metric;
}

EvalMetric share_of_samples(const std::string& name, const char* meaning, const Problems& problems,
                            const std::function<bool(const EvaluatedSample&)>& holds) {
  auto metric = over_problems(name, meaning, problems, [&](const EvaluatedProblem& p) -> std::optional<double> {
    if (p.samples.empty()) return std::nullopt;
    return static_cast<double>(std::count_if(p.samples.begin(), p.samples.end(), holds)) / static_cast<double>(p.samples.size());
  });
  metric.higher_is_better = false;
  return metric;
}

double noise_of_runs(const Problems& problems, int64_t samples) {
  std::vector<double> runs;
  for (int64_t j = 0; j < samples; ++j) {
    std::vector<double> verdicts;
    for (const auto& problem : problems) {
      if (const auto& right = problem.samples.at(static_cast<size_t>(j)).correct) verdicts.push_back(*right);
    }
    if (!verdicts.empty()) runs.push_back(mean(verdicts));
  }
  return within_run_noise(runs);
}

std::vector<int64_t> ks_of(int64_t samples, std::vector<int64_t> ks) {
  for (const int64_t k : ks) {
    if (k < 1 || k > samples)
      kernels::fail_usage("eval: pass@{} needs {} samples of each problem; there are {}. Raise --samples.", k, k, samples);
  }
  for (int64_t k = 2; k <= samples; k *= 2) ks.push_back(k);
  std::sort(ks.begin(), ks.end());
  ks.erase(std::unique(ks.begin(), ks.end()), ks.end());
  return ks;
}

// Nothing to resample where all problems came out alike: eight failures of eight do not prove 0.
Interval shares_interval(const std::vector<double>& values, const MetricChoices& choices) {
  const bool alike = std::all_of(values.begin(), values.end(), [&](double value) { return value == values.front(); });
  if (alike && !values.empty()) return wilson_interval(values.front(), static_cast<int64_t>(values.size()));
  return bootstrap_interval(values, choices.seed, choices.resamples);
}

void add_tokens(const Problems& problems, SuiteMetrics& out) {
  auto tokens = over_problems("mean_tokens", "tokens of a completion, its end token included", problems,
                              [](const EvaluatedProblem& p) -> std::optional<double> {
                                std::vector<double> counts;
                                for (const auto& s : p.samples) counts.push_back(static_cast<double>(s.tokens));
                                return mean(counts);
                              });
  tokens.higher_is_better = false;
  std::vector<double> all;
  for (const auto& problem : problems)
    for (const auto& s : problem.samples) all.push_back(static_cast<double>(s.tokens));
  EvalMetric longest = tokens;
  longest.name = "p95_tokens";
  longest.meaning = "95 % of the completions have at most so many tokens";
  longest.value = percentile(std::move(all), 0.95);
  longest.standard_error = 0;
  out.metrics.push_back(tokens);
  out.metrics.push_back(longest);
}

void add_shares(const Problems& problems, SuiteMetrics& out) {
  using Sample = EvaluatedSample;
  out.metrics.push_back(share_of_samples("no_answer", "share of completions in which no answer was found", problems,
                                         [](const Sample& s) { return s.status == name_of(reward::Status::no_answer); }));
  out.metrics.push_back(share_of_samples("truncated", "share of completions that ran into max_new_tokens", problems,
                                         [](const Sample& s) { return s.truncated; }));
  const bool any_form = std::any_of(problems.begin(), problems.end(), [](const EvaluatedProblem& p) {
    return std::any_of(p.samples.begin(), p.samples.end(), [](const Sample& s) { return s.well_formed.has_value(); });
  });
  if (any_form) {
    out.metrics.push_back(share_of_samples("well_formed", "share of completions in the form that was asked for", problems,
                                           [](const Sample& s) { return s.well_formed.value_or(false); }));
    out.metrics.back().higher_is_better = true;
  }
  out.metrics.push_back(share_of_samples("unscored", "share of completions without a verdict: not counted as wrong", problems,
                                         [](const Sample& s) { return !s.correct.has_value(); }));
  out.metrics.push_back(
      share_of_samples("verifier_limit", "share of completions at which the judge met one of its limits", problems, hit_limit));
}

}  // namespace

const EvalMetric* SuiteMetrics::find(const std::string& name) const {
  const auto found = std::find_if(metrics.begin(), metrics.end(), [&](const EvalMetric& m) { return m.name == name; });
  return found == metrics.end() ? nullptr : &*found;
}

SuiteMetrics suite_metrics(const std::string& suite, const Problems& problems, const MetricChoices& choices) {
  SuiteMetrics out;
  out.suite = suite;
  out.problems = static_cast<int64_t>(problems.size());
  out.samples = problems.empty() ? 0 : static_cast<int64_t>(problems.front().samples.size());
  for (const auto& problem : problems) out.unscored += static_cast<int64_t>(problem.samples.size()) - problem.scored();
  std::vector<double> values;
  const auto with_bootstrap = [&](EvalMetric metric) {
    metric.interval = shares_interval(values, choices);
    out.metrics.push_back(std::move(metric));
  };
  auto average = over_problems(
      fmt::format("avg@{}", out.samples), "share of right completions, mean over problems", problems,
      [](const EvaluatedProblem& p) { return p.share_right(); }, &values);
  if (out.samples == 1) {
    average.interval = wilson_interval(average.value, average.problems);
    out.metrics.push_back(average);
  } else {
    with_bootstrap(average);
    out.run_noise = noise_of_runs(problems, out.samples);
  }
  for (const int64_t k : ks_of(out.samples, choices.pass_at)) {
    with_bootstrap(over_problems(
        fmt::format("pass@{}", k), "chance that one of k completions is right", problems,
        [k](const EvaluatedProblem& p) -> std::optional<double> {
          if (p.scored() < k) return std::nullopt;
          return pass_at_k(p.scored(), p.right(), k);
        },
        &values));
  }
  if (choices.votes && out.samples > 1)
    with_bootstrap(over_problems(
        fmt::format("cons@{}", out.samples), "share of problems whose most frequent answer is right", problems,
        [](const EvaluatedProblem& p) -> std::optional<double> {
          if (p.scored() == 0) return std::nullopt;
          return consensus(p);
        },
        &values));
  add_shares(problems, out);
  add_tokens(problems, out);
  return out;
}

bool same_answer(const std::string& a, const std::string& b) {
  static const reward::math::Verifier verifier;
  const auto match = [](const std::string& answer, const std::string& gold) {
    return verifier.compare(answer, gold).status == reward::math::Status::match;
  };
  return reward::trim(a) == reward::trim(b) || match(a, b) || match(b, a);
}

double consensus(const EvaluatedProblem& problem) {
  struct Class {
    const EvaluatedSample* first;
    int64_t votes = 0;
  };
  std::vector<Class> classes;
  for (const auto& sample : problem.samples) {
    if (!sample.correct || sample.extracted.empty() || sample.status == name_of(reward::Status::no_answer)) continue;
    auto found = std::find_if(classes.begin(), classes.end(),
                              [&](const Class& c) { return same_answer(c.first->extracted, sample.extracted); });
    if (found == classes.end()) found = classes.insert(classes.end(), {&sample, 0});
    ++found->votes;
  }
  int64_t most = 0;
  for (const auto& c : classes) most = std::max(most, c.votes);
  double right = 0, tied = 0;
  for (const auto& c : classes) {
    if (c.votes < most) continue;
    tied += 1;
    right += *c.first->correct;
  }
  return tied > 0 ? right / tied : 0;
}

bool hit_limit(const EvaluatedSample& sample) {
  if (sample.status == name_of(reward::Status::timeout)) return true;
  return sample.reason == "limit" || sample.reason.starts_with("too_");
}

}  // namespace rl
