#include <algorithm>

#include "kernels/tensor.h"
#include "rl/sft/held_out_loss.h"
#include "tests/rl/sft/small_policy.h"
#include "tests/support/catch.h"

namespace {

// Seven rows with prompts and completions of odd and even lengths; the third learns only a part of its tokens.
std::vector<rl::SftSequence> seven_rows() {
  std::vector<rl::SftSequence> rows;
  for (int32_t i = 0; i < 7; ++i) {
    rl::SftSequence row;
    for (int32_t t = 0; t < 2 + i % 3; ++t) row.prompt.push_back(2 + (5 * i + 3 * t) % 30);
    for (int32_t t = 0; t < 1 + (4 * i) % 7; ++t) row.tokens.push_back(2 + (7 * i + 11 * t) % 30);
    row.tokens.push_back(1);
    row.trained.assign(row.tokens.size(), 1);
    rows.push_back(row);
  }
  std::fill_n(rows[2].trained.begin(), 2, 0);
  return rows;
}

std::vector<rl::TrainGroup> groups_of(const std::vector<rl::SftSequence>& rows) {
  std::vector<rl::TrainGroup> groups;
  for (size_t i = 0; i < rows.size(); ++i) groups.push_back(rl::group_of(rows[i], static_cast<int64_t>(i)));
  rl::weigh_tokens(groups, rl::LossConfig());
  return groups;
}

struct Gradient {
  std::vector<float> values;
  double loss = 0;
  size_t micro_batches = 0;
};

Gradient gradient_of(rl::Policy& policy, const std::vector<rl::TrainGroup>& groups, int64_t max_rows) {
  rl::StageConfig stage;
  stage.kind = "sft";
  Gradient out;
  out.micro_batches = rl::split_micro_batches(groups, max_rows).size();
  out.loss = policy.accumulate(groups, stage, {max_rows, 0}).sums.loss;
  policy.store().complete_gradient();
  const at::Tensor& g = policy.store().gradient;
  out.values.assign(kernels::f32(g), kernels::f32(g) + g.numel());
  policy.discard_gradient();
  return out;
}

}  // namespace

// All in one batch, one row at a time, and something between: no row sees another, so neither loss nor gradient moves by a bit.
TEST_CASE("rows packed together are rows one by one, bit for bit", "[sft]") {
  rl::Policy policy = testing::small_policy();
  const auto groups = groups_of(seven_rows());
  const Gradient packed = gradient_of(policy, groups, 1000), some = gradient_of(policy, groups, 24), single = gradient_of(policy, groups, 1);
  REQUIRE((packed.micro_batches == 1 && some.micro_batches > 1 && some.micro_batches < 7 && single.micro_batches == 7));
  REQUIRE(packed.loss > 1);
  REQUIRE(std::any_of(packed.values.begin(), packed.values.end(), [](float x) { return x != 0; }));
  for (const Gradient* other : {&some, &single}) {
    REQUIRE(other->loss == packed.loss);
    REQUIRE(other->values == packed.values);
  }
}

TEST_CASE("the held-out loss is the training loss of the same rows, however they are packed", "[sft]") {
  rl::Policy policy = testing::small_policy();
  const auto rows = seven_rows();
  const double trained = gradient_of(policy, groups_of(rows), 1000).loss;
  double flops = 0, flops_single = 0;
  const auto together = rl::held_out_loss(*policy.weights(), rows, 1000, flops);
  const auto single = rl::held_out_loss(*policy.weights(), rows, 1, flops_single);
  REQUIRE(together.rows == 7);
  int64_t tokens = 0;
  for (const auto& row : rows) tokens += row.trained_tokens();
  REQUIRE(together.tokens == tokens);
  REQUIRE(together.loss == Approx(trained).epsilon(1e-6));  // weights of 1 / tokens are rounded to float32 in training
  REQUIRE(together.perplexity == Approx(std::exp(trained)).epsilon(1e-6));
  REQUIRE((single.loss == together.loss && single.token_accuracy == together.token_accuracy));
  REQUIRE(flops == flops_single);
  REQUIRE(flops > 0);
}

// The likeliest token after each place, asked for by hand: a row of those has an accuracy of 1, and of others 0.
TEST_CASE("token accuracy counts the likeliest tokens", "[sft]") {
  rl::Policy policy = testing::small_policy();
  const std::vector<int32_t> prompt{5, 9};
  std::vector<std::pair<double, int32_t>> losses;
  double flops = 0;
  for (int32_t token = 0; token < 32; ++token)
    losses.emplace_back(rl::held_out_loss(*policy.weights(), {{prompt, {token}, {1}}}, 10, flops).loss, token);
  std::sort(losses.begin(), losses.end());
  for (size_t i = 0; i < losses.size(); ++i)
    REQUIRE(rl::held_out_loss(*policy.weights(), {{prompt, {losses[i].second}, {1}}}, 10, flops).token_accuracy == (i == 0 ? 1.0 : 0.0));
}
