// The experts in a sample's record: whose, from when, and for which requests.
#include "model/transformer.h"
#include "rollout/engine.h"
#include "tests/rollout/toy_models.h"
#include "tests/support/catch.h"

using kernels::Dtype;
using rollout::SampleRecord;

namespace {

// What each row of the sample's whole text chooses under some weights: [row][moe layer][active].
std::vector<int16_t> routes_under(const model::WeightSet& weights, const SampleRecord& r) {
  model::TokenBatch batch;
  batch.tokens = r.prompt_tokens;
  batch.tokens.insert(batch.tokens.end(), r.tokens.begin(), r.tokens.end());
  const int64_t rows = batch.rows();
  for (int64_t i = 0; i < rows; ++i) {
    batch.positions.push_back(static_cast<int32_t>(i));
    batch.key_rows.push_back(i);
    batch.groups.push_back(0);
  }
  batch.segments.push_back({0, rows, 0, 0, 0, {{0, 0, rows}}});
  const auto layers = model::forward_train(weights, batch, {.keep_tape = false, .keep_routes = true}).routes;
  std::vector<int16_t> routes;
  for (int64_t row = 0; row < rows; ++row)
    for (const at::Tensor& layer : layers)
      for (int64_t k = 0; layer.defined() && k < layer.size(1); ++k)
        routes.push_back(static_cast<int16_t>(kernels::i32(layer)[row * layer.size(1) + k]));
  return routes;
}

toy::Records sample(const model::ModelConfig& config, rollout::EngineConfig engine_config, std::vector<rollout::Request> requests,
                    std::shared_ptr<const model::WeightSet> newer = nullptr) {
  rollout::Engine engine(config, Dtype::float32, engine_config, nullptr);
  engine.publish(toy::weights(config, Dtype::float32));
  for (auto& r : requests) engine.submit(std::move(r));
  toy::Records records;
  if (newer) {
    auto first = *engine.next(toy::never());
    records[{first.request_id, first.sample_index}] = std::move(first);
    engine.publish(std::move(newer));
  }
  records.merge(toy::collect(engine));
  return records;
}

}  // namespace

TEST_CASE("a token keeps the experts of the weights that drew it, when its row is computed again with newer ones", "[engine][routes]") {
  for (const auto& config : {toy::gqa_moe(), toy::mla_moe()}) {
    const auto older = toy::weights(config, Dtype::float32), newer = toy::weights(config, Dtype::float32, 2, 18);
    rollout::EngineConfig engine;
    engine.update_running = true, engine.record_routes = true;
    const auto records = sample(config, engine, {toy::request(1, 12, 1, 5), toy::request(2, 33, 3, 30)}, newer);
    for (int64_t i = 0; i < 3; ++i) {
      const SampleRecord& r = records.at({2, i});
      REQUIRE((r.policy_versions[4] == 1 && r.policy_versions[5] == 2));
      const auto width = static_cast<int64_t>(r.routes.size() / r.tokens.size());
      REQUIRE(width == (config.family == "qwen3_moe" ? 4 : 2));
      const auto before = routes_under(*older, r), after = routes_under(*newer, r);
      REQUIRE(before != after);
      const auto row_of = [&](const std::vector<int16_t>& routes, int64_t row) {
        return std::vector<int16_t>(routes.begin() + row * width, routes.begin() + (row + 1) * width);
      };
      for (int64_t t = 0; t < 30; ++t)
        REQUIRE(row_of(r.routes, t) == row_of(r.policy_versions[static_cast<size_t>(t)] == 1 ? before : after, 33 + t - 1));
      if (i > 0) REQUIRE(r.prompt_routes.empty());  // the prompt's stand once in the group
      else REQUIRE(r.prompt_routes == std::vector<int16_t>(before.begin(), before.begin() + 33 * width));
    }
  }
}

TEST_CASE("routes are recorded of training samples, where they are asked for and there are experts", "[engine][routes]") {
  const auto recorded = [](const model::ModelConfig& config, bool asked, kernels::Purpose purpose) {
    rollout::EngineConfig engine;
    engine.record_routes = asked;
    auto request = toy::request(1, 12, 1, 5);
    request.purpose = purpose;
    return !sample(config, engine, {request}).at({1, 0}).routes.empty();
  };
  CHECK(recorded(toy::mla_moe(), true, kernels::Purpose::train));
  CHECK_FALSE(recorded(toy::mla_moe(), false, kernels::Purpose::train));
  CHECK_FALSE(recorded(toy::mla_moe(), true, kernels::Purpose::eval));
  CHECK_FALSE(recorded(toy::dense(), true, kernels::Purpose::train));
}
