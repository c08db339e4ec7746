#include "rl/rollouts/view.h"

#include <filesystem>
#include <fstream>

#include "kernels/error.h"
#include "rl/advantage/training_groups.h"
#include "rl/rollouts/dump.h"
#include "rl/rollouts/scored_groups.h"
#include "tests/support/catch.h"

namespace {

namespace fs = std::filesystem;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::shared_ptr<const model::Tokenizer> tokenizer() {
  static const auto made = model::Tokenizer::from_json(model::character_tokenizer_json("0123456789+=", {"<eos>"}), "test");
  return made;
}

rl::ScoredSample sample(int64_t group, int64_t index, const std::string& text, std::optional<double> reward) {
  rl::ScoredSample s;
  s.record.group_id = group, s.record.sample_index = index;
  s.record.prompt_tokens = tokenizer()->encode("1+1=");
  s.record.tokens = tokenizer()->encode(text);
  const auto n = static_cast<int64_t>(s.record.tokens.size());
  s.record.trained = {{0, n}};
  s.record.logprobs.assign(static_cast<size_t>(n), -0.25f);
  s.record.policy_versions.assign(static_cast<size_t>(n), 4);
  s.text = text;
  s.outcome.status = reward ? reward::Status::scored : reward::Status::infra_error;
  s.outcome.value = reward.value_or(0);
  return s;
}

rl::Group group(int64_t id, std::vector<std::optional<double>> rewards) {
  rl::Group g;
  g.problem.answer = std::string(1, '2');
  for (size_t i = 0; i < rewards.size(); ++i) g.samples.push_back(sample(id, static_cast<int64_t>(i), std::to_string(i + 2), rewards[i]));
  return g;
}

// A run folder with one step: group 7 of three samples, one without a value, and group 8, which was dropped.
std::string run_folder() {
  const auto folder = (fs::temp_directory_path() / "ponder_view_test").string();
  fs::remove_all(folder);
  const std::vector<rl::Group> groups{group(7, {1.0, std::nullopt, 0.0}), group(8, {0.5, 0.5, 0.5})};
  rl::TrainGroup trained;
  trained.group_id = 7;
  trained.sequences.resize(2);
  trained.sequences[0].sample = 0, trained.sequences[1].sample = 2;
  trained.sequences[0].advantage = 0.75, trained.sequences[1].advantage = -0.75;
  trained.sequences[1].sample = 2;
  rl::dump_rollouts(folder, "grpo", 3, groups, rl::advantages_of(groups, {trained}), *tokenizer());
  return folder;
}

}  // namespace

TEST_CASE("what a step dumps reads back: rewards, advantages, who took part", "[rollouts]") {
  const auto steps = rl::dumped_steps(run_folder());
  REQUIRE(steps.size() == 1);
  CHECK(steps[0].stage == "grpo");
  CHECK(steps[0].step == 3);
  const auto groups = rl::read_samples(steps[0]);
  REQUIRE(groups.size() == 2);
  REQUIRE(groups[0].size() == 3);
  CHECK(groups[0][0].advantage == 0.75);
  CHECK(groups[0][1].reward == std::nullopt);
  CHECK(groups[0][1].advantage == std::nullopt);
  CHECK(groups[0][2].advantage == -0.75);
  CHECK(groups[1][0].reward == 0.5);
  CHECK(groups[1][0].advantage == std::nullopt);
  CHECK(groups[0][2].logprobs == std::vector<double>{-0.25});
  const auto records = rl::read_records(steps[0]);
  REQUIRE(records.size() == 6);
  CHECK(records[5].group_id == 8);
  CHECK(records[0].policy_versions == std::vector<int32_t>{4});
}

TEST_CASE("a group that was left out, and the data set it is of, read back as they were scored", "[rollouts]") {
  auto out = group(7, {1, 0}), in = group(8, {0, 1});
  out.left_out = true, in.problem.dataset = "sums";
  const std::string folder = (fs::temp_directory_path() / "ponder_left_out_test").string();
  fs::remove_all(folder);
  rl::dump_rollouts(folder, "grpo", 1, {out, in}, {{0, 0}, {0, 0}}, *tokenizer());
  const auto read = rl::read_groups(rl::dumped_steps(folder).at(0));
  REQUIRE(read.size() == 2);
  REQUIRE((read[0].left_out && !read[1].left_out));
  REQUIRE((read[0].problem.dataset.empty() && read[1].problem.dataset == "sums"));
  REQUIRE(rl::training_groups(read, {}).dropped == 1);
}

TEST_CASE("a page shows the sample, its group and its numbers; keys move and stop at the ends", "[rollouts]") {
  const auto steps = rl::dumped_steps(run_folder());
  const auto groups = rl::read_samples(steps[0]);
  rl::ViewPlace place;
  const std::string page = rl::sample_page(steps, groups, place, tokenizer().get(), false);
  CHECK(contains(page, "grpo step 3   prompt 1 of 2   sample 1 of 3"));
  CHECK(contains(page, "1+1="));
  CHECK(contains(page, "infra_error"));
  CHECK(contains(page, "advantage +0.7500"));
  bool new_step = false;
  CHECK(rl::move(place, "p", steps, groups, &new_step));
  CHECK(place.sample == 0);
  for (int i = 0; i < 5; ++i) rl::move(place, "n", steps, groups, &new_step);
  CHECK(place.sample == 2);
  rl::move(place, "N", steps, groups, &new_step);
  CHECK(place.group == 1);
  CHECK(place.sample == 0);
  rl::move(place, "w", steps, groups, &new_step);   // the worst reward, 0, is the third of the first prompt
  CHECK(place.group == 0);
  CHECK(place.sample == 2);
  CHECK_FALSE(rl::move(place, "x", steps, groups, &new_step));
}

TEST_CASE("a run without samples, and a step that is not there, say what to do", "[rollouts]") {
  const std::string folder = run_folder();
  CHECK_THROWS_WITH(rl::find_step(folder, "", 9), Catch::Contains("no samples of step 9") && Catch::Contains("grpo 3"));
  fs::remove_all(fs::path(folder) / "rollouts");
  CHECK_THROWS_WITH(rl::dumped_steps(folder), Catch::Contains("log.dump_rollouts_every"));
  fs::remove_all(folder);
}

TEST_CASE("a damaged line names file and line", "[rollouts]") {
  const std::string folder = run_folder();
  const auto steps = rl::dumped_steps(folder);
  std::ofstream(steps[0].path + ".jsonl", std::ios::app) << "{\"prompt_id\": 1}\n";
  CHECK_THROWS_WITH(rl::read_samples(steps[0]), Catch::Contains(".jsonl:7: is no sample of a run"));
  fs::remove_all(folder);
}
