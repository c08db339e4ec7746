#include "rl/data/contamination.h"

#include <filesystem>
#include <fstream>

#include "kernels/error.h"
#include "rl/check.h"
#include "rl/data/test_sets.h"
#include "rl/data/words.h"
#include "rl/data/jsonl.h"
#include "tests/support/catch.h"
#include "tests/support/source_dir.h"

using Catch::Matchers::Contains;

namespace {

rl::TextFile texts(std::vector<std::string> rows) {
  rl::TextFile file{"rows", "question", {}};
  for (auto& row : rows) file.rows.push_back({static_cast<int64_t>(file.rows.size()) + 1, std::move(row)});
  return file;
}

std::string write(const std::string& name, const std::string& content) {
  const std::string file = (std::filesystem::temp_directory_path() / ("ponder_contamination_" + name)).string();
  std::ofstream(file, std::ios::binary) << content;
  return file;
}

std::string shipped(const std::string& name) { return testing::source_dir() + "/configs/data/" + name; }

const std::string apples = "Ann has 3 apples and buys 4 more. How many apples does she have?";
const std::string train_ride = "A train travels 60 miles in an hour and then it goes on for 2 hours more. How far is that?";

}  // namespace

TEST_CASE("the normal form keeps letters and digits of any script, in lower case", "[contamination]") {
  REQUIRE(rl::letters_and_digits("Find $2.4 \\div 6$.") == "find24div6");
  REQUIRE(rl::letters_and_digits("  \n!?") == "");
  REQUIRE(rl::letters_and_digits("\u00c9t\u00e9, \u0416\u0423\u041a \u2014 \u6c42\u3002") ==
          "\u00e9t\u00e9\u0436\u0443\u043a\u6c42");
  REQUIRE(rl::letters_and_digits("a\xff"
                                 "b") == "ab");
}

TEST_CASE("words are runs of letters and digits", "[contamination]") {
  const std::string text = "It's 3.5 km, (KM)!";
  const auto words = rl::words_of(text);
  std::vector<std::string> shown;
  for (const auto& word : words) shown.push_back(text.substr(word.begin, word.end - word.begin));
  REQUIRE(shown == std::vector<std::string>{"It", "s", "3", "5", "km", "KM"});
  REQUIRE(words[4].hash == words[5].hash);
  REQUIRE(words[2].hash != words[3].hash);
  REQUIRE(rl::words_of("").empty());
  REQUIRE(rl::words_of("last").size() == 1);
}

TEST_CASE("numbers that only look alike without their marks are told apart", "[contamination]") {
  REQUIRE_FALSE(rl::same_numbers("Compute $\\tan 22.5^\\circ.$", "Compute $\\tan 225^\\circ$."));
  REQUIRE_FALSE(rl::same_numbers("What is 12 - 3?", "What is 1 - 23?"));
  REQUIRE_FALSE(rl::same_numbers("What is 5 - 3?", "What is 5 + 3?"));  // few letters: signs count too
  REQUIRE(rl::same_numbers("What is 5 - 3?", "what is\n5-3?"));
  REQUIRE(rl::same_numbers("Compute $1.5+1$.", "Compute $1.5+1.$"));
  REQUIRE(rl::same_numbers("The y-intercepts and the positive x-axis, 2 of them", "The $y$-intercepts and the positive $x$-axis, 2 of them"));
  REQUIRE_FALSE(rl::same_numbers("Let $x^8 - 98x^4 + 1 = p(x) q(x)$ where p and q are monic",
                                 "Let $x^8 + 98x^4 + 1 = p(x) q(x)$ where p and q are monic"));
  REQUIRE(rl::same_numbers("Where is f(6)-f(2) = 12 a non-constant function?",
                           "Where is f(6) - f(2)=12 a non constant function?"));
  REQUIRE_FALSE(
      rl::same_numbers("Find the smallest value of x + y for real x, y", "Find the smallest value of x - y for real x, y"));
  REQUIRE(rl::same_numbers("A town of 1,000 people has 25 shops.", "a town of 1000 people has 25 shops"));
  REQUIRE_FALSE(rl::same_numbers("A town of 1,00 people has 25 shops.", "a town of 100 people has 25 shops"));
  REQUIRE_FALSE(rl::same_numbers("Use the numbers 3, 57 to make 42.", "Use the numbers 35, 7 to make 42."));
}

TEST_CASE("exact, normalised and overlapping rows are counted on both sides", "[contamination]") {
  const auto found = rl::compare_texts(
      texts({apples, "ANN has 3 apples, and buys 4 more; how many apples does she have",
             "At noon a train travels 60 miles in an hour and then it goes on for 2 hours, stops, and so on.",
             "A train travels 60 miles in an hour and then it stops.",  // eleven words in common
             "Compute $\\tan 225^\\circ$.", "Something else altogether."}),
      texts({train_ride, apples, "Compute $\\tan 22.5^\\circ.$", "Another problem."}));
  CHECK(found.train.rows == 6);
  CHECK(found.train.exact == 1);
  CHECK(found.train.normalised == 3);  // rows 1, 2 and 5
  CHECK(found.train.overlap == 1);     // row 3
  CHECK(found.uncertain == 1);         // row 5: 225 is not 22.5
  CHECK(found.test.rows == 4);
  CHECK(found.test.exact == 1);
  CHECK(found.test.normalised == 2);
  CHECK(found.test.overlap == 1);
  REQUIRE(found.hits.size() == 4);
  CHECK((found.hits[0].match == rl::Match::exact && found.hits[0].test_line == 2 && found.hits[0].certain));
  CHECK((found.hits[1].match == rl::Match::normalised && found.hits[1].test_line == 2 && found.hits[1].certain));
  CHECK((found.hits[2].match == rl::Match::normalised && found.hits[2].train_line == 5 && !found.hits[2].certain));
  CHECK((found.hits[3].match == rl::Match::overlap && found.hits[3].train_line == 3 && found.hits[3].test_line == 1));
  CHECK(found.hits[3].text == "a train travels 60 miles in an hour and then it goes on");
}

TEST_CASE("thirteen words that stand in more than ten rows are boilerplate", "[contamination]") {
  const std::string common = " can be written as m over n where m and n are relatively prime find m plus n";  // 18 words
  const auto overlaps = [&](int test_rows, int train_rows) {
    std::vector<std::string> test, train;
    for (int i = 0; i < test_rows; ++i) test.push_back("test" + std::to_string(i) + common);
    for (int i = 0; i < train_rows; ++i) train.push_back("train" + std::to_string(i) + common);
    return rl::compare_texts(texts(train), texts(test));
  };
  CHECK(overlaps(10, 10).train.overlap == 10);
  CHECK(overlaps(10, 10).test.overlap == 10);
  CHECK(overlaps(11, 1).train.overlap == 0);
  CHECK(overlaps(1, 11).train.overlap == 0);
  CHECK(overlaps(11, 1).boilerplate == 18 - 13 + 1);
}

TEST_CASE("texts without a letter are compared as they are", "[contamination]") {
  const auto found = rl::compare_texts(texts({"?", "!"}), texts({"?"}));
  CHECK(found.train.exact == 1);
  CHECK(found.train.normalised == 1);
}

TEST_CASE("texts are found under the usual keys, in lines, lists and messages", "[contamination]") {
  const auto lines =
      rl::read_texts(write("lines.jsonl", "\n{\"id\": \"7\", \"problem\": \"p\"}\n\n{\"problem\": \"q\"}\n"), "");
  CHECK(lines.key == "problem");
  REQUIRE(lines.rows.size() == 2);
  CHECK((lines.rows[1].line == 4 && lines.rows[1].text == "q"));
  const auto list = rl::read_texts(
      write("list.json", " [\n  {\"prompt\": \"a [ \\\" } b\",\n   \"tests\": [{\"x\": 1}]},\n  {\"prompt\": \"c\"} ]\n"),
      "");
  REQUIRE(list.rows.size() == 2);
  CHECK((list.rows[0].line == 2 && list.rows[0].text == "a [ \" } b"));
  CHECK((list.rows[1].line == 4 && list.rows[1].text == "c"));
  const auto messages = rl::read_texts(
      write("messages.jsonl", R"({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]})"),
      "");
  CHECK((messages.key == "messages" && messages.rows[0].text == "u"));
  CHECK(rl::read_texts(write("own.jsonl", R"({"question": "q", "other": "o"})"), "other").rows[0].text == "o");
}

TEST_CASE("a row that cannot be compared is named by file and line", "[contamination]") {
  const auto file = write("bad.jsonl", "{\"question\": \"q\"}\n{\"title\": \"t\"}\n");
  REQUIRE_THROWS_WITH(rl::read_texts(file, ""), Contains(file + ":2: has no text under \"question\"; its keys are: title."));
  REQUIRE_THROWS_WITH(rl::read_texts(write("none.jsonl", "{\"title\": \"t\"}\n"), ""),
                      Contains("under question, problem, prompt"));
  for (const char* broken : {"[{\"question\": \"q\"}, 3]", "[{\"question\": \"q\"}",
                             "[{\"question\": \"q\"} {\"question\": \"q\"}]", "[{\"question\": ]", "[1]", "[\n[]]"})
    CHECK_THROWS_WITH(rl::read_texts(write("broken.json", broken), ""), Contains("is not a JSON object"));
  CHECK_THROWS_WITH(rl::read_texts(write("empty.json", "[]"), ""), Contains("has no rows"));
}

TEST_CASE("a JSON list is read as problems too", "[dataset]") {
  rl::DataConfig keys;
  const auto problems = rl::read_jsonl(
      write("problems.json", "[{\"question\": \"q\", \"answer\": 1},\n {\"question\": \"r\", \"answer\": \"2\"}]"), keys);
  REQUIRE(problems.size() == 2);
  CHECK((problems[1].question == "r" && problems[1].answer == "2" && problems[1].line == 2 && problems[1].prompt_id == 1));
}

TEST_CASE("GSM8K's training problems are not in its test set", "[contamination]") {
  const auto found =
      rl::compare_texts(rl::read_texts(shipped("gsm8k/train.jsonl"), ""), rl::read_texts(shipped("gsm8k/test.jsonl"), ""));
  CHECK((found.train.rows == 7473 && found.test.rows == 1319));
  CHECK((found.train.exact == 0 && found.train.normalised == 0));
}

TEST_CASE("shipped test sets are found by name", "[contamination]") {
  CHECK_THAT(rl::test_set_file("gsm8k/test"), Contains("gsm8k/test.jsonl"));
  CHECK(rl::test_set_file(shipped("gsm8k/train.jsonl")) == shipped("gsm8k/train.jsonl"));
  CHECK_THROWS_WITH(
      rl::test_set_file("gsm9k"),
      Contains("\"gsm9k\" is no file and names no test set. The sets that ship are: ") && Contains("gsm8k/test"));
}

TEST_CASE("training on a test set is an error that names the lines, unless it is allowed by name", "[contamination]") {
  const auto test = rl::read_texts(shipped("gsm8k/test.jsonl"), "");
  std::string rows = R"({"question": "an innocent problem", "answer": "1"})"
                     "\n";
  for (const size_t i : {3, 7})
    rows += "{\"question\": " + std::string("\"  ") + test.rows[i].text + "\", \"answer\": \"1\"}\n";
  rl::DataConfig data;
  data.train = write("train.jsonl", rows);
  const auto check = [&] { return rl::check_test_sets(data, rl::read_jsonl(data.train, data)); };
  auto found = check();
  REQUIRE(found.errors.size() == 1);
  CHECK(found.errors[0].path == "data.train");
  CHECK_THAT(found.errors[0].what, Contains("2 of 3 problems of " + data.train + " stand in the test set gsm8k/test (") &&
                                       Contains("): lines 2, 3. ") &&
                                       Contains("data.allow_contamination = [\"gsm8k/test\"]"));
  data.allow_contamination = {"gsm8k/test"};
  found = check();
  CHECK(found.errors.empty());
  CHECK_THAT(found.report, Contains("gsm8k/test 2"));
  data.allow_contamination = {"gsm8k/tset"};
  found = check();
  REQUIRE(found.errors.size() == 2);
  CHECK(found.errors[0].path == "data.allow_contamination");
  CHECK_THAT(found.errors[0].what, Contains("\"gsm8k/tset\" names no test set. Did you mean gsm8k/test?"));
}

TEST_CASE("a run's own evaluation file is a test set too, unless it is the training file itself", "[contamination]") {
  rl::DataConfig data;
  data.train = write("own_train.jsonl", R"({"question": "Ann has 3 apples and eats one. How many?", "answer": "2"})"
                                        "\n"
                                        R"({"question": "What is 12 - 3?", "answer": "9"})"
                                        "\n");
  data.eval = write("own_eval.jsonl", R"({"question": "ann has 3 apples, and eats one: how many", "answer": "2"})"
                                      "\n"
                                      R"({"question": "What is 1 - 23?", "answer": "-22"})"
                                      "\n");
  const auto check = [&] { return rl::check_test_sets(data, rl::read_jsonl(data.train, data)); };
  auto found = check();
  REQUIRE(found.errors.size() == 1);
  CHECK_THAT(found.errors[0].what,
             Contains("1 of 2 problems of ") && Contains("in the test set eval (" + data.eval + "): line 1."));
  data.allow_contamination = {"eval"};
  CHECK(check().errors.empty());
  data.allow_contamination.clear();
  data.eval = data.train;  // its first rows are held back, and left out of training
  CHECK(check().errors.empty());
}

TEST_CASE("generated problems are counted and never an error", "[contamination]") {
  rl::DataConfig data;
  data.train = "generator:arithmetic";
  data.eval = write("sums.jsonl", R"({"question": "1+2+3+4+5=", "answer": "5"})"
                                  "\n");
  rl::Problem problem;
  problem.question = "1+2+3+4+5=";
  const auto found = rl::check_test_sets(data, {problem});
  CHECK(found.errors.empty());
  CHECK_THAT(found.report, Contains("gsm8k/test 0") && Contains("eval 1"));
}

TEST_CASE("ponder check refuses a test set as training data", "[contamination][check]") {
  const auto config = rl::read_config(
      testing::source_dir() + "/tests/rl/broken/group_of_one.toml",
      {"rollout.samples_per_prompt=4", "data.train=configs/data/gsm8k/test.jsonl", "reward.exact.name=math"});
  std::string all;
  for (const auto& line : rl::check_run(config).errors) all += line + "\n";
  CHECK_THAT(all, Contains("--set data.train=configs/data/gsm8k/test.jsonl: data.train: 1319 of 1319 problems of "
                           "configs/data/gsm8k/test.jsonl "
                           "stand in the test set gsm8k/test (") &&
                      Contains("): lines 1, 2, 3, 4, 5 and 1314 more. Scores"));
}
