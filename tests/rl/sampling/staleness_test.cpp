#include "rl/sampling/staleness.h"

#include "tests/support/catch.h"

namespace {

rl::TrainSequence drawn_with(std::vector<int32_t> versions, std::vector<uint8_t> trained) {
  rl::TrainSequence sequence;
  sequence.tokens.resize(versions.size());
  sequence.versions = std::move(versions), sequence.trained = std::move(trained);
  return sequence;
}

}  // namespace

TEST_CASE("staleness is of the tokens that are trained", "[sampling]") {
  rl::Metrics metrics;
  rl::TrainGroup group;
  group.sequences = {drawn_with({7, -1, 9}, {1, 0, 1}), drawn_with({1, 1}, {0, 0}), drawn_with({-1}, {1})};
  // At version 9: 2 and 0 updates; a token of a tool, a masked completion and a token of no known version do not count.
  rl::append_staleness(metrics, {group}, 9);
  rl::append_staleness(metrics, {}, 9);
  CHECK(metrics == rl::Metrics{{"sampling/staleness_mean", 1}, {"sampling/staleness_max", 2}, {"sampling/staleness_mean", 0},
                               {"sampling/staleness_max", 0}});
}
