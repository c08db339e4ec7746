#include "rl/sft/rows.h"

#include <filesystem>
#include <fstream>
#include <map>

#include "kernels/error.h"
#include "rl/config.h"
#include "tests/rl/sampling/data_files.h"
#include "tests/rl/sft/small_policy.h"
#include "tests/rl/config_error.h"
#include "tests/support/catch.h"

namespace {

namespace fs = std::filesystem;

// Seven rows: the completion of row i is i + 1 times "a".
rl::StageConfig stage() {
  rl::StageConfig stage;
  stage.kind = "sft";
  stage.data.train = (fs::temp_directory_path() / "ponder_sft_rows.jsonl").string();
  stage.data.prompt_key = "prompt";
  stage.chat_template.style = "plain";
  stage.sequences_per_step = 4;
  std::ofstream out(stage.data.train);
  for (int i = 0; i < 7; ++i) out << R"({"prompt": "q)" << std::string(1, static_cast<char>('a' + i)) << R"(:", "completion": ")" << std::string(static_cast<size_t>(i) + 1, 'a') << "\"}\n";
  return stage;
}

rl::SftTokenizer tokenizer_of(const rl::StageConfig& stage) {
  return rl::SftTokenizer(model::Tokenizer::from_json(testing::small_tokenizer_json(), "test"), stage, {31}, 64);
}

std::string error_of(const std::string& stages) {
  return testing::config_error("[model]\npath = \"m\"\n[[reward]]\nname = \"exact\"\n[data]\ntrain = \"t.jsonl\"\n" + stages);
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

// Three times seven rows in steps of four: 21 / 4 = 5.25, so six steps, and the last one takes one row.
TEST_CASE("epochs train on each row so often, and the last step takes what is left", "[sft]") {
  rl::StageConfig config = stage();
  config.epochs = 3;
  const auto rows = rl::open_sft_rows(config, 1, tokenizer_of(config));
  REQUIRE((rows.data->size() == 7 && rows.left_out == 0));
  REQUIRE(rl::sft_steps(config, 7) == 6);
  std::map<int64_t, int> seen;
  std::vector<int64_t> sizes;
  for (int64_t step = 0; step < 6; ++step) {
    const auto range = rl::rows_of_step(config, step, 7);
    sizes.push_back(range.end - range.first);
    for (int64_t i = range.first; i < range.end; ++i) ++seen[rows.data->problem(i).prompt_id];
  }
  REQUIRE(sizes == std::vector<int64_t>{4, 4, 4, 4, 4, 1});
  REQUIRE(seen.size() == 7);
  for (const auto& [unused, times] : seen) REQUIRE(times == 3);
  config.epochs = 0, config.steps = 9;
  REQUIRE(rl::sft_steps(config, 7) == 9);
  REQUIRE(rl::rows_of_step(config, 8, 7).end == 36);
}

// Prompts of 3 tokens, completions of 1 to 7 and the end token: rows of 5 to 11 tokens.
TEST_CASE("rows over sft.max_tokens are left out, cut, or an error with their place", "[sft]") {
  rl::StageConfig config = stage();
  config.sft.max_tokens = 9;
  config.sft.overlong = "drop";
  auto rows = rl::open_sft_rows(config, 1, tokenizer_of(config));
  REQUIRE((rows.data->size() == 5 && rows.left_out == 2));
  config.sft.overlong = "truncate";
  rows = rl::open_sft_rows(config, 1, tokenizer_of(config));
  REQUIRE((rows.data->size() == 7 && rows.left_out == 0));
  for (int64_t i = 0; i < 7; ++i) REQUIRE(tokenizer_of(config).sequence(rows.data->problem(i))->length() <= 9);
  config.sft.overlong = "error";
  REQUIRE_THROWS_WITH(rl::open_sft_rows(config, 1, tokenizer_of(config)),
                      Catch::Contains("ponder_sft_rows.jsonl:6: has 10 tokens") && Catch::Contains("sft.max_tokens is 9"));
  config.sft.max_tokens = 3;  // the prompt alone fills it: no learnt token is left
  config.sft.overlong = "truncate";
  REQUIRE_THROWS_WITH(rl::open_sft_rows(config, 1, tokenizer_of(config)), Catch::Contains("nothing is left to train on"));
}

TEST_CASE("rows with an empty completion are left out and counted apart", "[sft]") {
  rl::StageConfig config = stage();
  std::ofstream(config.data.train, std::ios::app) << R"({"prompt": "x:", "completion": ""})" << "\n"
                                                  << R"({"instruction": "y:", "output": ""})" << "\n";
  const auto rows = rl::open_sft_rows(config, 1, tokenizer_of(config));
  REQUIRE((rows.data->size() == 7 && rows.left_out == 0 && rows.blank == 2));
}

// Two epochs of seven rows and of three: each row twice, once in the first ten and once in the rest, and the sets mixed.
TEST_CASE("epochs train on each row of several data sets equally often", "[sft]") {
  rl::StageConfig config = stage();
  auto few = config.data;
  few.train = (fs::temp_directory_path() / "ponder_sft_few_rows.jsonl").string();
  std::ofstream(few.train) << R"({"prompt": "x:", "completion": "x"})" << "\n" << R"({"prompt": "y:", "completion": "y"})" << "\n"
                           << R"({"prompt": "z:", "completion": "z"})" << "\n";
  config.datasets = {testing::dataset("many", 1, config.data), testing::dataset("few", 1, few)};
  for (auto& set : config.datasets) set.chat_template = config.chat_template;
  config.epochs = 2;
  const auto tokenizer = tokenizer_of(config);
  const auto rows = rl::open_sft_rows(config, 1, tokenizer), again = rl::open_sft_rows(config, 1, tokenizer);
  REQUIRE(rows.data->size() == 10);
  REQUIRE(rl::sft_steps(config, 10) == 5);
  for (int64_t epoch = 0; epoch < 2; ++epoch) {
    std::map<std::string, int> seen;
    int64_t changes = 0;
    for (int64_t i = 10 * epoch; i < 10 * epoch + 10; ++i) {
      ++seen[rows.data->problem(i).question];
      changes += i % 10 > 0 && rows.data->problem(i).dataset != rows.data->problem(i - 1).dataset;
    }
    REQUIRE(seen.size() == 10);
    REQUIRE(changes > 1);
  }
  for (int64_t i = 19; i >= 0; --i) REQUIRE(again.data->problem(i).question == rows.data->problem(i).question);
}

TEST_CASE("epochs beside steps, for rewards or without an end are refused", "[sft]") {
  REQUIRE(error_of("[[stage]]\nkind = \"sft\"\nepochs = 2\n").empty());
  REQUIRE(contains(error_of("[[stage]]\nkind = \"sft\"\n"), "Set steps or epochs in this [[stage]]."));
  REQUIRE(contains(error_of("[[stage]]\nkind = \"sft\"\nepochs = 2\nsteps = 5\n"), ":9: stage.epochs: is 2, but steps is 5"));
  const std::string sets = R"([stage.data]
train = ""
[[stage.dataset]]
name = "a"
train = "a"
weight = 2
[[stage.dataset]]
name = "b"
train = "b"
)";
  REQUIRE(contains(error_of("[[stage]]\nkind = \"sft\"\nepochs = 2\n" + sets), "the weight of a is 2. Remove the weights"));
  REQUIRE(error_of("[[stage]]\nkind = \"sft\"\nsteps = 2\n" + sets).empty());
  REQUIRE(contains(error_of("[[stage]]\nkind = \"grpo\"\nepochs = 2\nsteps = 5\n"), "a grpo stage is counted in steps"));
  REQUIRE(contains(error_of("[[stage]]\nkind = \"sft\"\nepochs = 2\n[stage.data]\ntrain = \"generator:arithmetic\"\n"), "has no end. Set steps."));
}
