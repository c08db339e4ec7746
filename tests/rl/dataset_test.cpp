#include "rl/dataset.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <set>

#include "kernels/error.h"
#include "reward/reward.h"
#include "rl/data/generators.h"
#include "rl/data/jsonl.h"
#include "tests/support/catch.h"
#include "tests/support/source_dir.h"

namespace {

rl::DataConfig arithmetic() {
  rl::DataConfig config;
  config.train = config.eval = "generator:arithmetic";
  return config;
}

std::string write_rows(int64_t count, const std::string& extra = "") {
  const std::string file = (std::filesystem::temp_directory_path() / "ponder_dataset_test.jsonl").string();
  std::ofstream out(file);
  for (int64_t i = 0; i < count; ++i) out << R"({"question": "q)" << i << R"(", "answer": )" << i << "}\n";
  out << extra;
  return file;
}

rl::DataConfig rows(int64_t count) {
  rl::DataConfig config;
  config.train = write_rows(count);
  return config;
}

std::vector<int64_t> ids(const rl::Dataset& data, int64_t first, int64_t count) {
  std::vector<int64_t> out;
  for (int64_t i = first; i < first + count; ++i) out.push_back(data.problem(i).prompt_id);
  return out;
}

std::string usage_error(const std::function<void()>& body) {
  try {
    body();
  } catch (const kernels::UsageError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("an arithmetic problem shows its running sum, or answers at once", "[dataset]") {
  auto config = arithmetic();
  for (const double share : {0.0, 1.0}) {
    config.worked_share = share;
    for (uint64_t i = 0; i < 50; ++i) {
      const auto problem = rl::arithmetic_problem(
          config, {.seed = 3, .purpose = kernels::Purpose::data, .step = 0, .group = i, .sample = 0, .position = 0});
      // "a+b+c+d+e=": the digits stand at 0, 2, 4, 6, 8.
      REQUIRE(problem.question.size() == 10);
      int sum = problem.question[0] - '0';
      std::string steps;
      for (int at = 2; at <= 8; at += 2) {
        const int digit = problem.question[at] - '0', next = (sum + digit) % 10;
        steps += (steps.empty() ? "" : ";") + std::to_string(sum) + "+" + std::to_string(digit) + "=" + std::to_string(next);
        sum = next;
      }
      REQUIRE(problem.answer == std::to_string(sum));
      REQUIRE(problem.completion ==
              "<think>" + (share == 1.0 ? steps : "") + "</think><answer>" + std::to_string(sum) + "</answer>");
    }
  }
}

TEST_CASE("wider numbers are summed modulo their width", "[dataset]") {
  auto config = arithmetic();
  config.digits = 2;
  config.terms = 2;
  config.worked_share = 1.0;
  bool wrapped = false;
  for (uint64_t i = 0; i < 50; ++i) {
    const auto problem = rl::arithmetic_problem(
        config, {.seed = 1, .purpose = kernels::Purpose::data, .step = 0, .group = i, .sample = 0, .position = 0});
    const int64_t a = std::stoll(problem.question), b = std::stoll(problem.question.substr(problem.question.find('+') + 1));
    REQUIRE(problem.answer == std::to_string((a + b) % 100));
    wrapped = wrapped || a + b >= 100;
  }
  REQUIRE(wrapped);
}

TEST_CASE("the share of worked completions is what the settings say", "[dataset]") {
  const auto data = rl::open_dataset(arithmetic(), 5);
  int64_t worked = 0;
  for (int64_t i = 0; i < 4000; ++i) worked += data->problem(i).completion.find("<think></think>") == std::string::npos;
  // 4000 draws at 0.3: mean 1200, standard deviation sqrt(4000 * 0.3 * 0.7) = 29. Five of them: 145.
  REQUIRE(std::abs(worked - 1200) < 145);
}

TEST_CASE("the i-th problem follows from the seed and i alone, so a resumed run goes on where it was", "[dataset]") {
  const auto first = rl::open_dataset(arithmetic(), 7), again = rl::open_dataset(arithmetic(), 7),
             other = rl::open_dataset(arithmetic(), 8);
  int64_t differs = 0;
  for (int64_t i = 199; i >= 0; --i) {
    REQUIRE(again->problem(i).question == first->problem(i).question);
    REQUIRE(again->problem(i).completion == first->problem(i).completion);
    REQUIRE(first->problem(i).prompt_id == i);
    differs += other->problem(i).question != first->problem(i).question;
  }
  REQUIRE(differs > 190);
}

TEST_CASE("held-back problems are the same for every seed, all different, and never drawn in training", "[dataset]") {
  auto config = arithmetic();
  config.terms = 3;  // 1000 sums, 256 of them held back: a draw would hit one quickly
  const auto data = rl::open_dataset(config, 1);
  const auto held_back = data->held_back(), other = rl::open_dataset(config, 2)->held_back();
  std::set<std::string> questions;
  for (size_t i = 0; i < held_back.size(); ++i) {
    questions.insert(held_back[i].question);
    REQUIRE(held_back[i].question == other[i].question);
  }
  REQUIRE(questions.size() == 256);
  for (int64_t i = 0; i < 3000; ++i) REQUIRE(questions.count(data->problem(i).question) == 0);
  // Without data.eval there is nothing to evaluate on, but the same problems stay out of training.
  config.eval = "";
  const auto quiet = rl::open_dataset(config, 1);
  REQUIRE(quiet->held_back().empty());
  for (int64_t i = 0; i < 100; ++i) REQUIRE(quiet->problem(i).question == data->problem(i).question);
}

TEST_CASE("more held-back problems than there are is an error, not an endless loop", "[dataset]") {
  auto config = arithmetic();
  config.terms = 2;  // 100 sums
  REQUIRE(usage_error([&] {
            rl::open_dataset(config, 0);
          }).rfind("data.eval_problems: is 256, but the generator has too few", 0) == 0);
}

TEST_CASE("every countdown problem is solved by the expression that it was made from", "[dataset]") {
  rl::DataConfig config;
  config.train = "generator:countdown";
  reward::Settings settings;
  settings.name = "countdown";
  const auto judge = reward::make_reward(settings);
  const auto data = rl::open_dataset(config, 11);
  std::vector<reward::Item> items;
  for (int64_t i = 0; i < 200; ++i) {
    const auto problem = data->problem(i);
    REQUIRE(judge->check_answer(problem.answer).empty());
    reward::Item item;
    item.prompt = problem.question;
    item.completion = problem.completion;
    item.answer = problem.answer;
    items.push_back(item);
  }
  const auto outcomes = judge->score(items, std::chrono::steady_clock::now() + std::chrono::seconds(10));
  for (size_t i = 0; i < items.size(); ++i) {
    INFO(items[i].prompt << " " << items[i].completion << " " << outcomes[i].detail);
    REQUIRE(outcomes[i].value == 1.0);
  }
}

TEST_CASE("each epoch of a file visits every row once, in an order of its own", "[dataset]") {
  const auto data = rl::open_dataset(rows(20), 4);
  REQUIRE(data->size() == 20);
  const auto first = ids(*data, 0, 20), second = ids(*data, 20, 20);
  std::vector<int64_t> all(20);
  std::iota(all.begin(), all.end(), 0);
  REQUIRE(std::is_permutation(first.begin(), first.end(), all.begin()));
  REQUIRE(std::is_permutation(second.begin(), second.end(), all.begin()));
  REQUIRE(first != all);
  REQUIRE(first != second);
  // Asked for out of order, and by another reader: the same.
  REQUIRE(ids(*rl::open_dataset(rows(20), 4), 20, 20) == second);
  REQUIRE(ids(*data, 0, 20) == first);
  REQUIRE(ids(*rl::open_dataset(rows(20), 5), 0, 20) != first);
  auto in_order = rows(20);
  in_order.shuffle = false;
  REQUIRE(ids(*rl::open_dataset(in_order, 4), 0, 20) == all);
}

TEST_CASE("a row whose question is held back does not train", "[dataset]") {
  auto config = rows(10);
  config.eval = config.train;
  config.eval_problems = 4;
  const auto data = rl::open_dataset(config, 0);
  REQUIRE(data->held_back().size() == 4);
  REQUIRE(data->size() == 6);
  for (int64_t i = 0; i < 12; ++i) REQUIRE(data->problem(i).prompt_id >= 4);
  config.eval_problems = 0;
  REQUIRE(usage_error([&] { rl::open_dataset(config, 0); }).find("every row is held back") != std::string::npos);
}

TEST_CASE("questions that do not fit are never drawn", "[dataset]") {
  const auto fits = [](const rl::Problem& problem) { return problem.question.find('7') == std::string::npos; };
  const auto file = rl::open_dataset(rows(20), 4, fits);  // rows 7 and 17 go
  REQUIRE(file->size() == 18);
  for (int64_t i = 0; i < 40; ++i) REQUIRE(fits(file->problem(i)));
  const auto generated = rl::open_dataset(arithmetic(), 4, fits);
  for (int64_t i = 0; i < 100; ++i) REQUIRE(fits(generated->problem(i)));
}

TEST_CASE("answers may be numbers, and empty lines are skipped", "[dataset]") {
  rl::DataConfig config;
  const std::string file = write_rows(1, "\n{\"question\": \"q\", \"answer\": 2.5, \"completion\": \"c\"}\n");
  const auto problems = rl::read_jsonl(file, config);
  REQUIRE(problems.size() == 2);
  REQUIRE(problems[0].answer == "0");
  REQUIRE(problems[0].completion.empty());
  REQUIRE(problems[1].answer == "2.5");
  REQUIRE(problems[1].completion == "c");
  REQUIRE(problems[1].prompt_id == 1);
  REQUIRE(rl::read_jsonl(file, config, 1).size() == 1);
}

TEST_CASE("a row names its data source, or the file does, or the settings; its other fields go along", "[dataset]") {
  rl::DataConfig config;
  const std::string file =
      write_rows(0, "{\"question\": \"q\", \"answer\": [\"1\", \"2\"], \"data_source\": \"math\", \"level\": 3}\n"
                    "{\"question\": \"r\", \"answer\": {\"tests\": \"t\"}}\n");
  auto problems = rl::read_jsonl(file, config);
  CHECK(problems.at(0).data_source == "math");
  CHECK(problems[0].extra == "{\"level\":3}");
  CHECK(problems[0].answer == "[\"1\",\"2\"]");
  CHECK(problems[1].data_source == std::filesystem::path(file).stem().string());
  CHECK(problems[1].extra.empty());
  CHECK(problems[1].answer == "{\"tests\":\"t\"}");
  config.name = "mine";
  config.source_key = "level";  // not text: not a name
  problems = rl::read_jsonl(file, config);
  CHECK(problems.at(0).data_source == "mine");
  CHECK(rl::open_dataset(arithmetic(), 4)->problem(0).data_source == "arithmetic");
}

TEST_CASE("a bad row is named by file and line", "[dataset]") {
  rl::DataConfig config;
  const std::string file = write_rows(1, "\n{\"ask\": \"q\", \"answer\": \"1\"}\n");
  REQUIRE(usage_error([&] { rl::read_jsonl(file, config); })
              .rfind(file + ":3: has no key \"question\"; its keys are: ask, answer. Set data.prompt_key to the right one.", 0) == 0);
  write_rows(2, "{\"question\": \n");
  REQUIRE(usage_error([&] { rl::read_jsonl(file, config); }).rfind(file + ":3: is not a JSON object.", 0) == 0);
  write_rows(0, "{\"question\": \"q\", \"answer\": " + std::string(300000, '[') + std::string(300000, ']') + "}\n");
  REQUIRE(usage_error([&] { rl::read_jsonl(file, config); }).rfind(file + ":1: is not a JSON object.", 0) == 0);
  write_rows(0, "{\"question\": {\"a\": 1}, \"answer\": 1}\n");
  REQUIRE(usage_error([&] { rl::read_jsonl(file, config); }).rfind(file + ":1: the value of \"question\" is not text", 0) == 0);
  write_rows(0, "{\"question\": [1], \"answer\": 1}\n");  // a list is a conversation
  REQUIRE(usage_error([&] { rl::read_jsonl(file, config); }) == file + ":1: message 1: is not an object.");
}

TEST_CASE("GSM8K ships whole", "[dataset]") {
  rl::DataConfig config;
  const std::string folder = testing::source_dir() + "/configs/data/gsm8k/";
  REQUIRE(rl::read_jsonl(folder + "train.jsonl", config).size() == 7473);
  const auto test = rl::read_jsonl(folder + "test.jsonl", config);
  REQUIRE(test.size() == 1319);
  REQUIRE(test[0].answer.substr(test[0].answer.size() - 7) == "#### 18");
}
