#include "rl/data/mixture.h"

#include <cmath>
#include <set>

#include "rl/sampling/mixture_metrics.h"
#include "tests/rl/sampling/data_files.h"
#include "tests/support/catch.h"

using testing::dataset;
using testing::rows_file;

namespace {

rl::StageConfig two_sets(double first, double second) {
  rl::StageConfig stage;
  stage.datasets = {dataset("plus", first, rows_file("plus", 5)), dataset("minus", second, rows_file("minus", 3))};
  return stage;
}

rl::Group group_of(int64_t set, std::vector<std::pair<double, size_t>> rewards_and_lengths) {
  rl::Group group;
  group.problem.set = set;
  for (const auto& [reward, length] : rewards_and_lengths) {
    auto& sample = group.samples.emplace_back();
    sample.outcome.value = reward;
    sample.record.tokens.assign(length, 1);
  }
  return group;
}

}  // namespace

TEST_CASE("sets are drawn by weight, each in its own order and epochs", "[mixture]") {
  const auto data = rl::open_stage_data(two_sets(3, 1), 7);
  int64_t next[2] = {0, 0};
  for (int64_t draw = 0; draw < 4000; ++draw) {
    const rl::Problem problem = data->problem(draw);
    const int64_t rows = problem.set == 0 ? 5 : 3;
    REQUIRE(problem.prompt_id == next[problem.set]++ % rows);  // unshuffled: row after row, then again
    REQUIRE(problem.dataset == (problem.set == 0 ? "plus" : "minus"));
    REQUIRE(problem.data_source == problem.dataset);
  }
  // 3 of 4: 3000, with a standard deviation of sqrt(4000 * 0.75 * 0.25) = 27.4; four of them.
  CHECK(std::abs(static_cast<double>(next[0]) - 3000) < 110);
  CHECK(data->size() == 8);
}

TEST_CASE("a draw of a mixture follows from its number alone", "[mixture]") {
  const auto data = rl::open_stage_data(two_sets(1, 1), 7), again = rl::open_stage_data(two_sets(1, 1), 7);
  const auto other_seed = rl::open_stage_data(two_sets(1, 1), 8);
  bool differs = false;
  for (int64_t draw = 99; draw >= 0; --draw) {
    CHECK(again->problem(draw).question == data->problem(draw).question);
    CHECK(data->id_at(draw) == data->problem(draw).prompt_id);
    differs = differs || other_seed->set_of(draw) != data->set_of(draw);
  }
  CHECK(differs);
}

TEST_CASE("one set alone is drawn as without a mixture", "[mixture]") {
  rl::StageConfig stage;
  stage.data = rows_file("alone", 9);
  stage.data.shuffle = true;
  const auto data = rl::open_stage_data(stage, 5);
  const auto plain = rl::open_dataset(stage.data, 5);
  for (int64_t i = 0; i < 20; ++i) CHECK(data->problem(i).question == plain->problem(i).question);
  CHECK(data->problem(0).dataset.empty());
}

TEST_CASE("sets of one size are not shuffled alike", "[mixture]") {
  rl::StageConfig stage;
  stage.datasets = {dataset("a", 1, rows_file("same", 50)), dataset("b", 1, rows_file("same", 50))};
  for (auto& set : stage.datasets) set.data.shuffle = true;
  const auto data = rl::open_stage_data(stage, 5);
  int64_t same = 0;
  for (int64_t i = 0; i < 50; ++i) same += data->problem_of(0, i).prompt_id == data->problem_of(1, i).prompt_id;
  CHECK(same < 10);  // one in the mean
}

TEST_CASE("what one set holds back for evaluation no other trains on", "[mixture]") {
  rl::StageConfig stage = two_sets(1, 1);
  stage.datasets.push_back(dataset("both", 1, rows_file("plus", 5)));
  stage.datasets[0].data.eval = stage.datasets[0].data.train;
  stage.datasets[0].data.eval_problems = 2;  // plus0 and plus1
  const auto data = rl::open_stage_data(stage, 7);
  CHECK(data->set(0).data->size() == 3);
  CHECK(data->set(2).data->size() == 3);
  const auto held_back = data->held_back();
  REQUIRE(held_back.size() == 2);
  CHECK(held_back[1].question == "plus1");
  CHECK(held_back[1].dataset == "plus");
}

TEST_CASE("metrics of each set are of its own groups", "[mixture]") {
  const auto data = rl::open_stage_data(two_sets(1, 1), 7);
  // Three groups of "plus" and one of "minus": shares 0.75 and 0.25.
  const std::vector<rl::Group> groups = {group_of(0, {{1, 2}, {0, 4}}), group_of(0, {{1, 6}, {1, 8}}), group_of(0, {{0, 2}, {0, 2}}),
                                         group_of(1, {{0.5, 10}, {0, 20}})};
  rl::Metrics metrics;
  rl::append_mixture_metrics(metrics, groups, *data);
  const rl::Metrics expected = {{"mix/plus/share", 0.75}, {"mix/plus/reward", 0.5}, {"mix/plus/mean_length", 4},  // 24 / 6
                                {"mix/minus/share", 0.25}, {"mix/minus/reward", 0.25}, {"mix/minus/mean_length", 15}};
  CHECK(metrics == expected);
  for (const auto& [name, unused] : metrics) CHECK(rl::find_metric(name) != nullptr);
  rl::Metrics evaluation;
  rl::append_mixture_evaluation(evaluation, groups, *data, {"", ""});
  // "plus": shares right 1/2, 2/2 and 0/2; "minus": none reached 1.
  CHECK(evaluation == rl::Metrics{{"mix/plus/eval_accuracy", 0.5}, {"mix/plus/eval_mean_length", 4},
                                  {"mix/minus/eval_accuracy", 0}, {"mix/minus/eval_mean_length", 15}});
}
