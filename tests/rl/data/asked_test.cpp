#include "rl/data/asked.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "rl/data/mixture.h"
#include "rl/data/row_forms.h"
#include "rl/data/test_sets.h"
#include "tests/rl/sampling/data_files.h"
#include "tests/support/catch.h"

using Catch::Matchers::Contains;

namespace {

using Json = nlohmann::ordered_json;

rl::Problem problem_of(const std::string& row) {
  rl::Problem problem;
  rl::take_row(problem, Json::parse(row), {}, "d.jsonl:1");
  return problem;
}

std::string message(const std::string& role, const std::string& text) {
  return Json{{"role", role}, {"content", text}}.dump();
}

std::string chat(const std::string& second, const std::string& answer) {
  return R"({"messages": [)" + message("user", "Hi") + "," + message("assistant", "Hello!") + "," + message("user", second) +
         "," + message("assistant", answer) + "]}";
}

// An example, the same in all rows, then the question.
std::string few_shot(const std::string& question) {
  return R"({"prompt": [)" + message("user", "1+1") + "," + message("assistant", "2") + "," + message("user", question) +
         R"(], "completion": [)" + message("assistant", "5") + "]}";
}

std::string write(const std::string& name, const std::vector<std::string>& rows) {
  const std::string file = (std::filesystem::temp_directory_path() / ("ponder_asked_" + name + ".jsonl")).string();
  std::ofstream out(file);
  for (const auto& row : rows) out << row << "\n";
  return file;
}

}  // namespace

TEST_CASE("a conversation asks all that is said before its answer; the answer is not in it", "[asked]") {
  CHECK(rl::asked_of(problem_of(chat("How far?", "60"))) == "user: Hi\nassistant: Hello!\nuser: How far?\n");
  CHECK(rl::asked_of(problem_of(chat("How far?", "70"))) == rl::asked_of(problem_of(chat("How far?", "60"))));
  CHECK(rl::asked_of(problem_of(chat("How long?", "60"))) != rl::asked_of(problem_of(chat("How far?", "60"))));
  CHECK(rl::asked_of(problem_of(few_shot("2+3"))) == "user: 1+1\nassistant: 2\nuser: 2+3\n");
  CHECK(rl::questions_in(problem_of(few_shot("2+3"))) == std::vector<std::string>{"1+1", "2+3"});
}

TEST_CASE("a question asked alone is the same in every form of a row", "[asked]") {
  const std::string asked = message("user", "2+3"), answered = message("assistant", "5");
  const std::string parts = R"({"role": "user", "content": [{"type": "text", "text": "2+"}, {"type": "text", "text": "3"}]})";
  const std::vector<std::string> rows = {
      R"({"prompt": "2+3", "completion": "5"})",
      R"({"messages": [)" + asked + ", " + answered + "]}",
      R"({"prompt": [)" + asked + R"(], "completion": [)" + answered + "]}",
      R"({"prompt": [)" + parts + R"(], "answer": "5"})",
  };
  for (const std::string& row : rows) {
    INFO(row);
    CHECK(rl::asked_of(problem_of(row)) == "2+3");
    CHECK(problem_of(row).question == "2+3");
  }
  const std::string with_system = R"([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2+3"}])";
  const auto problem = problem_of(R"({"messages": )" + with_system + R"(, "completion": "5"})");
  CHECK(rl::asked_of(problem) == "system: Be brief.\nuser: 2+3\n");
  CHECK(rl::asked_text(Json::parse(with_system)) == "2+3");  // a test set has no system message
  CHECK(rl::asked_text(Json::parse(R"(["2+3"])")).empty());
}

TEST_CASE("parts of a message are learnt as its text", "[asked]") {
  const std::string parts = R"([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])";
  const std::string answer = R"({"role": "assistant", "content": )" + parts + "}";
  const auto problem = problem_of(R"({"messages": [)" + message("user", "q") + ", " + answer + "]}");
  CHECK(problem.completion == "ab");
}

TEST_CASE("chats that begin alike are not held back for one of them, and those that are, are counted", "[asked]") {
  rl::StageConfig stage;
  stage.kind = "sft";
  stage.data.train = write("train", {chat("How far?", "60"), chat("How long?", "2"), chat("How many?", "3"), few_shot("2+3"),
                                     few_shot("3+4")});
  stage.data.eval = write("eval", {chat("How long?", "another answer"), few_shot("3+4")});
  stage.data.eval_problems = 0;
  const auto alone = rl::open_stage_data(stage, 1);
  CHECK(alone->size() == 3);
  CHECK(alone->held_out() == 2);
  stage.datasets = {testing::dataset("a", 1, stage.data), testing::dataset("b", 1, stage.data)};
  stage.datasets[1].data.eval = "";
  const auto both = rl::open_stage_data(stage, 1);  // what one holds back, the other does not train on
  CHECK(both->set(1).data->size() == 3);
  CHECK(both->held_out() == 4);
}

TEST_CASE("chats that begin alike do not stand in each other's evaluation", "[asked]") {
  rl::DataConfig data;
  data.train = write("own_train", {chat("How far?", "60"), few_shot("2+3")});
  data.eval = write("own_eval", {chat("How long?", "2"), few_shot("3+4")});
  std::vector<rl::Problem> training{problem_of(chat("How far?", "60")), problem_of(few_shot("2+3"))};
  CHECK(rl::check_test_sets(data, training).errors.empty());
  training.push_back(problem_of(chat("How long?", "2")));
  const auto found = rl::check_test_sets(data, training);
  REQUIRE(found.errors.size() == 1);
  CHECK_THAT(found.errors[0].what, Contains("1 of 3 problems"));
}

TEST_CASE("a test problem that is asked late in a conversation is found", "[asked]") {
  const std::string problem =
      "A robe takes 2 bolts of blue fiber and half that much white fiber.  How many bolts in total does it take?";
  rl::DataConfig data;
  data.train = "train.jsonl";
  const auto found = rl::check_test_sets(data, {problem_of(few_shot(problem)), problem_of(few_shot("2+3"))});
  REQUIRE(found.errors.size() == 1);
  CHECK_THAT(found.errors[0].what, Contains("1 of 2 problems") && Contains("gsm8k/test"));
}
