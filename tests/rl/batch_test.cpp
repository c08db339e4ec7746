#include "rl/batch.h"

#include <cmath>

#include "kernels/error.h"
#include "tests/support/catch.h"
#include "tests/support/compare.h"

namespace {

rl::TrainSequence sequence(std::vector<int32_t> tokens, std::vector<uint8_t> trained = {}) {
  rl::TrainSequence s;
  s.trained = trained.empty() ? std::vector<uint8_t>(tokens.size(), 1) : trained;
  for (size_t i = 0; i < tokens.size(); ++i) s.logprobs.push_back(-0.5f * static_cast<float>(tokens[i]));
  s.tokens = std::move(tokens);
  s.advantage = 1.5;
  s.token_weight = 0.25;
  return s;
}

// Prompt 10 11 12 with completions 20 21 22 (rows 20 21) and 30 31 (row 30), the second one's 31 not trained.
rl::TrainGroup small_group() { return {7, {10, 11, 12}, {sequence({20, 21, 22}), sequence({30, 31}, {1, 0})}}; }

std::vector<bool> mask_of(const rl::MicroBatch& batch) {
  const bool* m = static_cast<const bool*>(batch.mask.data_ptr());
  return std::vector<bool>(m, m + batch.mask.numel());
}

using Rows = std::vector<int64_t>;

}  // namespace

TEST_CASE("lists of kept ids follow their tokens to the head rows, padding and other sequences without", "[batch]") {
  rl::TrainGroup g = small_group();
  const std::vector<std::vector<int32_t>> lists{{20, 90}, {21}, {22, 70}};
  for (const auto& ids : lists) g.sequences[0].kept.add(ids);
  const auto batch = rl::pack({g}, 0, 1, 0.5f);
  REQUIRE(batch.tokens.kept.rows() == batch.tokens.head_count());
  //                                                     20 21 22 pad 30 31
  REQUIRE(batch.tokens.kept.sizes == std::vector<int32_t>{2, 1, 2, 0, 0, 0});
  REQUIRE(batch.tokens.kept.words == std::vector<int32_t>{20, 90, 21, 22, 70});
  REQUIRE(rl::pack({small_group()}, 0, 1, 0.5f).tokens.kept.empty());
}

TEST_CASE("a group is its prompt once, then its branches, each padded to an even count of rows", "[batch]") {
  const auto batch = rl::pack({small_group()}, 0, 1, 0.5f);
  const auto& t = batch.tokens;
  //                                             prompt    pad  first   second  pad
  REQUIRE(t.tokens == std::vector<int32_t>{10, 11, 12, 0, 20, 21, 30, 0});
  REQUIRE(t.positions == std::vector<int32_t>{0, 1, 2, 0, 3, 4, 3, 0});
  REQUIRE(t.groups == Rows{0, 0, 0, -1, 0, 0, 0, -1});
  REQUIRE(t.key_rows == Rows{0, 1, 2, 3, 4, 5, 6, 7});
  REQUIRE(rl::rows_of(small_group()) == 8);

  REQUIRE(t.segments.size() == 3);
  REQUIRE(t.segments[0].spans.size() == 1);
  const auto& second = t.segments[2];
  REQUIRE((second.first_row == 6 && second.rows == 1 && second.first_position == 3));
  REQUIRE(second.spans.size() == 2);
  REQUIRE((second.spans[0].first_key_row == 0 && second.spans[0].first_position == 0 && second.spans[0].length == 3));
  REQUIRE((second.spans[1].first_key_row == 6 && second.spans[1].first_position == 3 && second.spans[1].length == 1));
}

TEST_CASE("each completion's first token is asked of the prompt's last row, the others of the row before them", "[batch]") {
  const auto batch = rl::pack({small_group()}, 0, 1, 0.5f);
  //                                      20 21 22 pad 30 31
  REQUIRE(batch.tokens.head_rows == Rows{2, 4, 5, -1, 2, 6});
  REQUIRE(batch.tokens.targets == std::vector<int32_t>{20, 21, 22, -1, 30, 31});
  REQUIRE(batch.tokens.inverse_temperature == std::vector<float>(6, 0.5f));
  REQUIRE(mask_of(batch) == std::vector<bool>{true, true, true, false, true, false});
  REQUIRE(testing::values(batch.sampler_logprobs) == std::vector<float>{-10, -10.5, -11, 0, -15, 0});
  REQUIRE(testing::values(batch.advantages) == std::vector<float>{1.5, 1.5, 1.5, 0, 1.5, 0});
  REQUIRE(testing::values(batch.token_weights) == std::vector<float>{0.25, 0.25, 0.25, 0, 0.25, 0});
}

TEST_CASE("a completion of one token has a head and no row", "[batch]") {
  const rl::TrainGroup group{0, {10, 11}, {sequence({20}), sequence({30, 31})}};
  const auto batch = rl::pack({group}, 0, 1, 1.0f);
  REQUIRE(batch.tokens.tokens == std::vector<int32_t>{10, 11, 30, 0});
  REQUIRE(batch.tokens.head_rows == Rows{1, -1, 1, 2});
  REQUIRE(batch.tokens.segments.size() == 2);
}

TEST_CASE("a micro-batch numbers its groups from 0 and takes the ones asked for", "[batch]") {
  auto other = small_group();
  other.prompt = {13};
  const auto batch = rl::pack({small_group(), other, small_group()}, 1, 3, 1.0f);
  REQUIRE(batch.tokens.tokens[0] == 13);
  REQUIRE(batch.tokens.groups == Rows{0, -1, 0, 0, 0, -1, 1, 1, 1, -1, 1, 1, 1, -1});
  REQUIRE(batch.tokens.head_count() == 12);
}

TEST_CASE("an empty prompt is refused by its group", "[batch]") {
  REQUIRE_THROWS_WITH(rl::pack({{42, {}, {sequence({1})}}}, 0, 1, 1.0f), Catch::Contains("group 42"));
}

// Groups of 8 rows.
TEST_CASE("micro-batches are runs of whole groups under the budget, or one group", "[batch]") {
  using Ranges = std::vector<std::pair<size_t, size_t>>;
  const std::vector<rl::TrainGroup> groups(5, small_group());
  REQUIRE(rl::split_micro_batches(groups, 16) == Ranges{{0, 2}, {2, 4}, {4, 5}});
  REQUIRE(rl::split_micro_batches(groups, 15) == Ranges{{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5}});
  REQUIRE(rl::split_micro_batches(groups, 1) == Ranges{{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 5}});
  REQUIRE(rl::split_micro_batches(groups, 40) == Ranges{{0, 5}});
  REQUIRE(rl::split_micro_batches({}, 40).empty());
}

// Trained tokens 3, 1 (of 2) and 2: 6 in all, in 3 sequences.
TEST_CASE("each token's share of the loss, by hand", "[batch]") {
  const auto weights = [](const char* aggregation) {
    std::vector<rl::TrainGroup> groups{small_group(), {8, {10}, {sequence({40, 41})}}};
    rl::LossConfig config;
    config.aggregation = aggregation;
    config.constant_length = 50;
    REQUIRE(rl::weigh_tokens(groups, config) == 6);
    return std::vector<double>{groups[0].sequences[0].token_weight, groups[0].sequences[1].token_weight,
        groups[1].sequences[0].token_weight};
  };
  REQUIRE(weights("token_mean") == std::vector<double>{1.0 / 6, 1.0 / 6, 1.0 / 6});
  REQUIRE(weights("seq_mean") == std::vector<double>{1.0 / 9, 1.0 / 3, 1.0 / 6});  // 1 / (3 * own)
  // Dr. GRPO, arXiv:2503.20783: one constant for every completion, 1 / (3 * 50).
  REQUIRE(weights("constant") == std::vector<double>{1.0 / 150, 1.0 / 150, 1.0 / 150});
}

TEST_CASE("a completion without a trained token counts for nothing", "[batch]") {
  std::vector<rl::TrainGroup> groups{{1, {10}, {sequence({20, 21}), sequence({30, 31}, {0, 0})}}};
  rl::LossConfig config;
  config.aggregation = "seq_mean";
  REQUIRE(rl::weigh_tokens(groups, config) == 2);
  REQUIRE(groups[0].sequences[0].token_weight == 0.5);  // one sequence, two tokens
}
