#include "rl/sampling/rollout_pipeline.h"

#include <atomic>
#include <set>
#include <stdexcept>

#include "kernels/error.h"
#include "kernels/thread_pool.h"
#include "tests/rl/sampling/scripted_stage.h"
#include "tests/support/catch.h"
#include "tests/support/every_isa.h"

using rl::CollectedStep;
using rl::RolloutPipeline;
using Weights = RolloutPipeline::Weights;

namespace {

Weights weights(int64_t version) {
  auto set = std::make_shared<model::WeightSet>();
  set->version = version;
  return set;
}

// What was collected, in order: the step and the version of its weights.
using Drawn = std::vector<std::pair<int64_t, int64_t>>;

// A step says which it is by its draws, which version drew it by its next_group.
RolloutPipeline::Collect noted(Drawn* drawn) {
  return [drawn](int64_t step, Weights w) {
    if (drawn) drawn->emplace_back(step, w->version);
    CollectedStep out;
    out.state.draws = step;
    out.state.next_group = w->version;
    return out;
  };
}

std::shared_ptr<const CollectedStep> step(int64_t number, int64_t version) {
  CollectedStep s;
  s.state.draws = number, s.state.next_group = version;
  return std::make_shared<const CollectedStep>(std::move(s));
}

double unused = 0;

}  // namespace

TEST_CASE("a step is drawn with the weights of exactly `lag` steps before", "[pipeline]") {
  for (const int64_t lag : {0, 1, 2, 4}) {
    Drawn drawn;
    {
      RolloutPipeline pipeline(noted(&drawn), {0, 7, lag});
      for (int64_t s = 0; s < 7; ++s) {
        pipeline.publish(s, weights(s));
        const auto taken = pipeline.take(s, unused);
        CHECK(taken->state.draws == s);
        CHECK(taken->state.next_group == std::max<int64_t>(0, s - lag));
      }
    }
    REQUIRE(drawn.size() == 7);  // none beyond the last step
    for (int64_t s = 0; s < 7; ++s) CHECK(drawn[static_cast<size_t>(s)] == std::pair(s, std::max<int64_t>(0, s - lag)));
  }
}

TEST_CASE("drained, exactly `lag` steps are ahead, and none is begun before new weights", "[pipeline]") {
  Drawn drawn;
  RolloutPipeline pipeline(noted(&drawn), {0, 9, 2});
  pipeline.publish(0, weights(0));
  pipeline.take(0, unused);
  pipeline.drain();
  CHECK(drawn == Drawn{{0, 0}, {1, 0}, {2, 0}});
  REQUIRE(pipeline.ahead().size() == 2);
  CHECK(pipeline.ahead()[1]->state.draws == 2);
  pipeline.publish(1, weights(1));
  pipeline.drain();
  CHECK(drawn.back() == std::pair<int64_t, int64_t>(3, 1));
  CHECK(pipeline.ahead().size() == 3);
  pipeline.take(1, unused);
  pipeline.put_back();  // a step that was not trained on after all
  CHECK(pipeline.ahead().size() == 3);
  CHECK(pipeline.take(1, unused)->state.draws == 1);
  CHECK_THROWS_AS(pipeline.take(2, unused), kernels::Error);  // its weights are not published
}

TEST_CASE("what a checkpoint had collected ahead is taken first, and sampling goes on behind it", "[pipeline]") {
  Drawn drawn;
  {
    RolloutPipeline pipeline(noted(&drawn), {3, 8, 2}, {step(3, 1), step(4, 2)});
    for (int64_t s = 3; s < 8; ++s) {
      pipeline.publish(s, weights(s));
      CHECK(pipeline.take(s, unused)->state.next_group == s - 2);
    }
  }
  CHECK(drawn == Drawn{{5, 3}, {6, 4}, {7, 5}});
  RolloutPipeline shorter(noted(nullptr), {3, 4, 2}, {step(3, 1), step(4, 2)});
  CHECK(shorter.ahead().size() == 1);
}

TEST_CASE("what collecting throws comes out at the step that is missing", "[pipeline]") {
  for (const int64_t lag : {0, 1, 3}) {
    RolloutPipeline pipeline(
        [](int64_t s, Weights) -> CollectedStep {
          if (s == 2) throw std::runtime_error("the source is gone");
          return {};
        },
        {0, 9, lag});
    for (int64_t s = 0; s < 2; ++s) {
      pipeline.publish(s, weights(s));
      CHECK(pipeline.take(s, unused));
    }
    pipeline.publish(2, weights(2));
    pipeline.drain();
    CHECK_THROWS_WITH(pipeline.take(2, unused), "the source is gone");
  }
}

TEST_CASE("no more than lag + 1 versions of the weights are alive", "[pipeline]") {
  for (const int64_t lag : {0, 1, 3}) {
    std::vector<std::weak_ptr<const model::WeightSet>> all;
    const auto alive = [&] {
      int64_t count = 0;
      for (const auto& w : all) count += !w.expired();
      return count;
    };
    const auto make = [&](int64_t version) {
      auto w = weights(version);
      all.push_back(w);
      return w;
    };
    RolloutPipeline pipeline(noted(nullptr), {0, 20, lag});
    Weights own = make(0), spare;
    for (int64_t s = 0; s < 20; ++s) {
      pipeline.publish(s, own);
      pipeline.take(s, unused);
      if (Weights retired = pipeline.retired(); retired && retired != own) spare = std::move(retired);
      // As Policy::apply does: over the present weights when nobody else holds them, else over the spare ones.
      Weights& over = own.use_count() == 1 ? own : spare;
      over = nullptr;
      own = make(s + 1);
      CHECK(alive() <= lag + 1);
    }
  }
}

TEST_CASE("a pipeline that is not needed any more ends while its thread works or waits", "[pipeline]") {
  std::atomic<bool> begun{false};
  {
    RolloutPipeline pipeline(
        [&](int64_t, Weights) {
          begun = true;
          std::this_thread::sleep_for(std::chrono::milliseconds(5));
          return CollectedStep{};
        },
        {0, 9, 4});
    pipeline.publish(0, weights(0));
    while (!begun) std::this_thread::yield();
  }
  RolloutPipeline idle(noted(nullptr), {0, 9, 4});
}

namespace {

// Its samples never finish. Once nobody wants them, it must not be asked again and again.
class Endless : public rollout::RolloutSource {
 public:
  void submit(rollout::Request) override {}
  std::optional<rollout::SampleRecord> next(std::chrono::steady_clock::time_point) override {
    begun = true;
    if (unwanted && ++asked_in_vain > 2) throw std::runtime_error("still asked");
    return std::nullopt;
  }
  void abort(int64_t) override {}
  void publish(Weights) override {}
  rollout::SourceStatistics statistics() const override { return {}; }
  int64_t live_samples() const override { return 1; }

  std::atomic<bool> begun{false}, unwanted{false};

 private:
  int64_t asked_in_vain = 0;
};

}  // namespace

TEST_CASE("a pipeline that goes does not wait for samples that never finish", "[pipeline]") {
  Endless source;
  testing::ScriptedStage scripted([](const rollout::Request&, int64_t) { return testing::ScriptedStage::Sample{}; });
  auto rollouts = scripted.open(source);
  std::string told;
  {
    const auto collect = [&](int64_t s, Weights w) {
      try {
        return rollouts.collect(s, std::move(w));
      } catch (const std::exception& error) {
        told = error.what();
        throw;
      }
    };
    RolloutPipeline pipeline(collect, {0, 9, 1}, {}, [&] { rollouts.cancel(), source.unwanted = true; });
    pipeline.publish(0, weights(0));
    while (!source.begun) std::this_thread::yield();
  }
  CHECK(told == "collect: cancelled before all groups were complete.");
}

TEST_CASE("a stage sampled ahead gives the samples of a stage sampled step by step", "[pipeline]") {
  const testing::KernelSettings saved;
  kernels::set_threads(2);
  const auto script = [](const rollout::Request& r, int64_t index) {
    return testing::ScriptedStage::Sample{.reward = static_cast<double>((r.group_id + index) % 2)};
  };
  testing::ScriptedStage plain(script), ahead(script);
  auto direct = plain.open();
  auto rollouts = ahead.open();
  RolloutPipeline pipeline([&](int64_t s, Weights w) { return rollouts.collect(s, std::move(w)); }, {0, 12, 3});
  std::atomic<int64_t> work{0};
  for (int64_t s = 0; s < 12; ++s) {
    pipeline.publish(s, weights(s));
    const auto taken = pipeline.take(s, unused);
    const auto expected = direct.collect(s, weights(s));
    kernels::parallel_for(40, [&](int64_t i) { work += i; });  // the trainer's
    CHECK(testing::group_ids(*taken) == testing::group_ids(expected));
    CHECK(testing::prompt_ids(*taken) == testing::prompt_ids(expected));
    CHECK(taken->groups[0].samples[1].outcome.value == expected.groups[0].samples[1].outcome.value);
    CHECK(taken->groups[0].samples[1].record.policy_versions[0] == std::max<int64_t>(0, s - 3));
  }
}
