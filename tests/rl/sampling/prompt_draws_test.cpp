#include "rl/sampling/prompt_draws.h"

#include <cmath>
#include <set>

#include "tests/rl/sampling/data_files.h"
#include "tests/support/catch.h"

using Ids = std::vector<int64_t>;

namespace {

struct Drawn {
  rl::StageConfig stage;
  std::unique_ptr<rl::Mixture> data;
  std::unique_ptr<rl::PromptDraws> draws;
  rl::SamplingState state;

  Drawn(const char* kind, int64_t rows, rl::CurriculumConfig curriculum = {}, uint64_t seed = 3) {
    stage.data = testing::rows_file("drawn", rows);
    stage.curriculum = curriculum;
    stage.curriculum.kind = kind;
    data = rl::open_stage_data(stage, seed);
    draws = std::make_unique<rl::PromptDraws>(*data, stage, seed);
    state.sets.resize(1);
  }
  Ids next(int64_t count, const std::vector<rl::PromptDraw>& asked = {}) {
    Ids ids;
    for (const auto& draw : draws->next(state, count, asked)) ids.push_back(data->problem_of(draw.set, draw.index).prompt_id);
    return ids;
  }
  // The problem was asked, and so many of its completions were right.
  void learn(int64_t id, int64_t right, int64_t of) {
    rl::Group group;
    group.problem.prompt_id = id;
    for (int64_t i = 0; i < of; ++i) group.samples.emplace_back().outcome.value = i < right ? 1 : 0;
    draws->learn(state, {group});
  }
  const rl::PromptRecord& record(int64_t id) { return state.sets[0].prompts.at(id); }
};

}  // namespace

TEST_CASE("without a curriculum problems come in the order of the data", "[curriculum]") {
  Drawn drawn("none", 3);
  CHECK(drawn.next(5) == Ids{0, 1, 2, 0, 1});
  drawn.learn(0, 4, 4);
  CHECK(drawn.state.sets[0].prompts.empty());
  CHECK(drawn.state.draws == 5);
}

TEST_CASE("a pass rate forgets older completions by the decay", "[curriculum]") {
  Drawn drawn("pass_rate", 3, {.decay = 0.5});
  drawn.next(3);
  drawn.learn(0, 4, 4);  // 4 / 4
  CHECK(drawn.record(0).pass_rate() == 1.0);
  drawn.learn(0, 1, 4);  // (0.5 * 4 + 1) / (0.5 * 4 + 4)
  CHECK(drawn.record(0).pass_rate() == 0.5);
  drawn.learn(0, 0, 4);  // (0.5 * 3 + 0) / (0.5 * 6 + 4) = 1.5 / 7
  CHECK(drawn.record(0).pass_rate() == 1.5 / 7);
  CHECK(drawn.record(0).visits == 3);
}

TEST_CASE("a solved problem is left out for some epochs and then asked again", "[curriculum]") {
  Drawn drawn("pass_rate", 3, {.drop_solved_above = 0.9, .return_after_epochs = 2});
  CHECK(drawn.next(3) == Ids{0, 1, 2});  // epoch 0
  drawn.learn(0, 2, 4);
  drawn.learn(1, 4, 4);                  // 1 > 0.9: dropped in epoch 0
  drawn.learn(2, 3, 4);
  CHECK(drawn.record(1).dropped_in == 0);
  CHECK(drawn.next(2) == Ids{0, 2});     // epoch 1
  CHECK(drawn.next(2) == Ids{0, 2});     // epoch 2
  CHECK(drawn.next(3) == Ids{0, 1, 2});  // epoch 3: back
  drawn.learn(1, 0, 4);                  // (0.5 * 4 + 0) / 6: a third
  CHECK(drawn.record(1).dropped_in == -1);
}

TEST_CASE("a problem is dropped for good, as hopeless, or only after some visits, when the settings say so", "[curriculum]") {
  Drawn for_good("pass_rate", 2, {.return_after_epochs = 0});
  for_good.next(2);
  for_good.learn(0, 4, 4);
  CHECK(for_good.next(4) == Ids{1, 1, 1, 1});
  Drawn hopeless("pass_rate", 2, {.drop_failed_below = 0.2});
  hopeless.next(2);
  hopeless.learn(0, 0, 4);
  CHECK(hopeless.next(2) == Ids{1, 1});
  Drawn patient("pass_rate", 2, {.min_visits = 2});
  patient.next(2);
  patient.learn(0, 4, 4);
  CHECK(patient.next(2) == Ids{0, 1});
  patient.learn(0, 4, 4);
  CHECK(patient.next(2) == Ids{1, 1});
}

TEST_CASE("when every problem is dropped they are asked all the same", "[curriculum]") {
  Drawn drawn("pass_rate", 3);
  drawn.next(3);
  for (int64_t id = 0; id < 3; ++id) drawn.learn(id, 4, 4);
  CHECK(drawn.next(4) == Ids{0, 1, 2, 0});
}

TEST_CASE("completions that no reward could score say nothing about a problem", "[curriculum]") {
  Drawn drawn("pass_rate", 2);
  rl::Group group;
  group.samples.resize(2);
  for (auto& sample : group.samples) sample.outcome.status = reward::Status::timeout;
  drawn.draws->learn(drawn.state, {group});
  CHECK(drawn.state.sets[0].prompts.empty());
}

TEST_CASE("problems that fail are drawn more often, in proportion", "[curriculum]") {
  // Weights max(0.1, 1 - pass rate): 1 (never right), 0.5, 0.1 (always right), 1 (never asked); of 2.6.
  Drawn drawn("failure", 4, {.floor = 0.1});
  drawn.next(4);
  drawn.learn(0, 0, 4);
  drawn.learn(1, 2, 4);
  drawn.learn(2, 4, 4);
  const double n = 20000;
  std::vector<double> counts(4, 0);
  for (int64_t i = 0; i < n; ++i) counts[static_cast<size_t>(drawn.next(1)[0])] += 1;
  const double weights[] = {1, 0.5, 0.1, 1};
  for (size_t i = 0; i < 4; ++i) {
    const double p = weights[i] / 2.6;
    INFO(i << ": " << counts[i] << " of " << n);
    CHECK(std::abs(counts[i] - n * p) < 4 * std::sqrt(n * p * (1 - p)));
  }
}

TEST_CASE("a step asks no problem twice while others are left, in its further rounds too", "[curriculum]") {
  Drawn drawn("failure", 6);
  for (int64_t id = 1; id < 6; ++id) drawn.learn(id, 4, 4);  // one hard problem among solved ones
  for (int64_t step = 0; step < 50; ++step) {
    const auto first = drawn.draws->next(drawn.state, 4);
    std::set<int64_t> seen;
    for (const auto& draw : first) seen.insert(draw.index);
    for (const auto& draw : drawn.draws->next(drawn.state, 2, first)) seen.insert(draw.index);
    REQUIRE(seen.size() == 6);
  }
  CHECK(drawn.next(7).size() == 7);  // more than there are
}

TEST_CASE("prioritised draws follow from the state alone", "[curriculum]") {
  Drawn one("failure", 30), other("failure", 30), seed("failure", 30, {}, 4);
  one.next(3);
  other.state = rl::sampling_state_from(rl::to_json(one.state));
  const Ids expected = one.next(10);
  CHECK(other.next(10) == expected);
  seed.next(3);
  CHECK(seed.next(10) != expected);
}

TEST_CASE("a state with a curriculum reads back as itself", "[curriculum]") {
  rl::SamplingState state;
  state.draws = 12, state.next_group = 40;
  state.sets.resize(2);
  state.sets[0].next = 7;
  state.sets[1].next = 5;
  state.sets[1].prompts[3] = {1.0 / 3, 7.0 / 3, 2, -1};
  state.sets[1].prompts[1'000'000'007] = {4, 4, 1, 6};
  const auto again = rl::sampling_state_from(rl::to_json(state));
  CHECK(rl::to_json(again) == rl::to_json(state));
  CHECK(again.sets[1].prompts.at(3).right == 1.0 / 3);  // to the bit
  CHECK(again.sets[1].prompts.at(1'000'000'007).dropped_in == 6);
}

TEST_CASE("the curriculum's metrics are shares of the rows", "[curriculum]") {
  Drawn drawn("pass_rate", 4);
  drawn.next(4);
  drawn.learn(0, 4, 4);
  drawn.learn(1, 1, 4);
  rl::Metrics metrics;
  drawn.draws->append_metrics(metrics, drawn.state);
  // Two of four asked; pass rates 1 and 0.25; one dropped.
  CHECK(metrics == rl::Metrics{{"curriculum/asked_share", 0.5}, {"curriculum/pass_rate", 0.625}, {"curriculum/dropped_share", 0.25}});
  for (const auto& [name, unused] : metrics) CHECK(rl::find_metric(name) != nullptr);
}
