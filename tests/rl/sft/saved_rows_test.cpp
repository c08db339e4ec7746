#include "rl/sft/saved_rows.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "rl/rollouts/files.h"
#include "tests/rl/sft/small_policy.h"
#include "tests/support/catch.h"

namespace fs = std::filesystem;

TEST_CASE("a step's rows are kept with text, ids and what of them is learnt, and are no samples to others", "[sft]") {
  const fs::path run = fs::temp_directory_path() / "ponder_saved_rows";
  fs::remove_all(run);
  fs::create_directories(run);
  rl::StageConfig stage;
  stage.kind = "sft", stage.data.shuffle = false, stage.chat_template.style = "plain";
  stage.data.train = (run / "train.jsonl").string();
  std::ofstream(stage.data.train) << R"({"prompt": "ab", "completion": "c"})" << "\n"
                                  << R"({"prompt": "de", "completion": "fg"})" << "\n";
  const auto tokenizer = model::Tokenizer::from_json(testing::small_tokenizer_json(), "test");
  const rl::SftTokenizer rows(tokenizer, stage, {31}, 64);
  const auto opened = rl::open_sft_rows(stage, 1, rows);
  rl::save_rows(run.string(), "warm", 3, *opened.data, {1, 3}, rows, *tokenizer);

  std::ifstream in(run / "rollouts" / "warm-000003.rows.jsonl");
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(nlohmann::json::parse(line));
  REQUIRE(lines.size() == 2);
  CHECK(lines[0]["row"] == 1);
  CHECK(lines[0]["prompt_id"] == 1);
  CHECK(lines[0]["line"] == 2);
  CHECK(lines[0]["text"] == "defg<eos>");
  CHECK(lines[0]["prompt"] == nlohmann::json({3, 4}));
  CHECK(lines[0]["tokens"] == nlohmann::json({5, 6, 31}));
  CHECK(lines[0]["trained"] == nlohmann::json({{0, 3}}));
  CHECK(lines[1]["prompt_id"] == 0);  // the next epoch's
  std::ofstream(run / "metrics.jsonl") << "";
  CHECK_THROWS_WITH(rl::dumped_steps(run.string()), Catch::Contains("has no samples in rollouts/"));
}
