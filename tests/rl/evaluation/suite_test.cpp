#include "rl/evaluation/suite.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

#include "kernels/error.h"
#include "rl/data/sha256.h"
#include "tests/support/catch.h"
#include "tests/support/source_dir.h"

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string temporary(const std::string& name, const std::string& text) {
  const auto file = fs::temp_directory_path() / ("ponder_eval_suite_" + name);
  std::ofstream(file, std::ios::binary) << text;
  return file.string();
}

std::string error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const kernels::UsageError& error) {
    return error.what();
  }
  return "";
}

// Without the user's own folder of data.
struct NoData {
  NoData() { unsetenv("PONDER_DATA"); }
};

}  // namespace

TEST_CASE("SHA-256 gives what sha256sum gives, at every length around a block", "[eval]") {
  // FIPS 180-4's own examples, and lengths at which the padding takes one block more.
  REQUIRE(rl::sha256_of_text("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  REQUIRE(rl::sha256_of_text("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  REQUIRE(rl::sha256_of_text(std::string(55, 'a')) == "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
  REQUIRE(rl::sha256_of_text(std::string(56, 'a')) == "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a");
  REQUIRE(rl::sha256_of_text(std::string(64, 'a')) == "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
  rl::Sha256 pieces;  // 1000 letters in uneven pieces
  for (int i = 0; i < 1000; i += 40) pieces.add(std::string(40, 'a'));
  REQUIRE(pieces.hex() == "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3");
}

TEST_CASE("every suite says where its data is from, under which licence, how to ask and who judges", "[eval]") {
  const std::vector<std::string> known = {"aime24", "aime25",  "amc23", "countdown", "gsm8k",        "humaneval",
                                          "math",   "math500", "mbpp",  "minerva",   "olympiadbench"};
  const auto names = rl::suite_names();
  for (const auto& name : known) {
    INFO(name);
    REQUIRE(std::find(names.begin(), names.end(), name) != names.end());
  }
  for (const auto& name : names) {
    INFO(name);
    const rl::Suite suite = rl::find_suite(name);
    CHECK(!suite.title.empty());
    CHECK(!suite.source.empty());
    CHECK(!suite.licence.empty());
    CHECK(!suite.reward.name.empty());
    CHECK(suite.problems > 0);
    CHECK(suite.max_new_tokens > 0);
    CHECK((suite.sha256.size() == 64 || contains(suite.data, "generator:")));
    CHECK(contains(suite.prompt, "{{"));
    CHECK(!contains(suite.source, "://"));
  }
}

TEST_CASE("the data that ships is byte for byte what its suite was written for, and all of it is read", "[eval]") {
  const NoData no_data;
  for (const char* name : {"gsm8k", "math500", "humaneval", "mbpp", "countdown"}) {
    INFO(name);
    const rl::Suite suite = rl::find_suite(name);
    const auto data = rl::read_suite_problems(suite, rl::find_data(suite), "plain", 0);
    CHECK((suite.sha256.empty() || data.sha256 == suite.sha256));
    CHECK(static_cast<int64_t>(data.problems.size()) == suite.problems);
    CHECK(data.rows == suite.problems);
    for (const auto& problem : data.problems) {
      REQUIRE(!problem.question.empty());
      REQUIRE(!problem.target.empty());
    }
  }
}

TEST_CASE("a limit takes the first problems and remembers how many there are", "[eval]") {
  const rl::Suite suite = rl::find_suite("gsm8k");
  const auto data = rl::read_suite_problems(suite, rl::find_data(suite), "chatml", 3);
  REQUIRE(data.problems.size() == 3);
  REQUIRE(data.rows == 1319);
  REQUIRE(data.problems[2].doc_id == 2);
  REQUIRE(contains(data.problems[0].question, "\n\nPlease reason step by step, and put your final answer within \\boxed{}."));
  // r1-zero says itself where the answer goes.
  REQUIRE(!contains(rl::read_suite_problems(suite, rl::find_data(suite), "r1-zero", 1).problems[0].question, "boxed"));
}

TEST_CASE("HumanEval asks with the function's text and hides its tests in the gold", "[eval]") {
  const rl::Suite suite = rl::find_suite("humaneval");
  const auto data = rl::read_suite_problems(suite, rl::find_data(suite), "plain", 1);
  const auto& problem = data.problems.front();
  REQUIRE(problem.question == problem.doc["prompt"].get<std::string>());
  const Json gold = Json::parse(problem.target);
  REQUIRE(gold["entry_point"] == "has_close_elements");
  REQUIRE(contains(gold["tests"].get<std::string>(), "def check(candidate):"));
  REQUIRE(gold["prompt"] == problem.doc["prompt"]);
  REQUIRE(gold.size() == 3);
  REQUIRE(suite.template_style == "plain");
  REQUIRE(contains(rl::read_suite_problems(suite, rl::find_data(suite), "chatml", 1).problems[0].question, "```python\n"));
}

TEST_CASE("MBPP asks the 257 test tasks after three worked ones, with its tests as a list", "[eval]") {
  const rl::Suite suite = rl::find_suite("mbpp");
  const auto data = rl::read_suite_problems(suite, rl::find_data(suite), "plain", 0);
  const auto& problem = data.problems.front();
  REQUIRE(problem.doc["task_id"] == 11);
  REQUIRE(data.problems.back().doc["task_id"].get<int64_t>() <= 510);
  // The worked tasks are none of those that are asked.
  for (const char* shot : {"similar_elements", "is_not_prime", "heap_queue_largest"}) REQUIRE(contains(problem.question, shot));
  REQUIRE(problem.question.substr(problem.question.size() - 8) == "[BEGIN]\n");
  const Json gold = Json::parse(problem.target);
  REQUIRE(gold["tests"].is_array());
  REQUIRE(gold["tests"].size() == problem.doc["test_list"].size());
  const auto sphere =
      std::find_if(data.problems.begin(), data.problems.end(), [](const auto& p) { return p.doc["task_id"] == 82; });
  REQUIRE(Json::parse(sphere->target)["setup"] == "import math");
}

TEST_CASE("data that does not ship is found in the folder that PONDER_DATA names", "[eval]") {
  const NoData no_data;
  const rl::Suite suite = rl::find_suite("minerva");
  const std::string missing = error_of([&] { rl::find_data(suite); });
  REQUIRE(contains(missing, "QwenLM/Qwen2.5-Math, evaluation/data/minerva_math/test.jsonl"));
  REQUIRE(contains(missing, "PONDER_DATA"));
  REQUIRE(contains(missing, "--data FILE"));
  const auto folder = fs::temp_directory_path() / "ponder_eval_suite_data";
  fs::create_directories(folder / "minerva_math");
  std::ofstream(folder / "minerva_math" / "test.jsonl")
      << R"({"problem": "p", "solution": "so \\boxed{1} or \\boxed{\\frac{1}{2}}."})";
  setenv("PONDER_DATA", folder.c_str(), 1);
  const auto data = rl::read_suite_problems(suite, rl::find_data(suite), "plain", 0);
  unsetenv("PONDER_DATA");
  fs::remove_all(folder);
  REQUIRE(data.problems.size() == 1);
  REQUIRE(data.problems[0].target == "\\frac{1}{2}");  // the last box of the solution
  REQUIRE(data.sha256 != suite.sha256);
}

TEST_CASE("the data of all suites is read where it lies beside the checkout", "[eval]") {
  const auto shared = fs::path(testing::source_dir()) / ".." / "shared" / "data";
  if (!fs::exists(shared)) {
    WARN("skipped: ../shared/data is not here");
    return;
  }
  setenv("PONDER_DATA", shared.c_str(), 1);
  for (const char* name : {"math", "aime24", "aime25", "amc23", "minerva", "olympiadbench"}) {
    INFO(name);
    const rl::Suite suite = rl::find_suite(name);
    const auto data = rl::read_suite_problems(suite, rl::find_data(suite), "chatml", 0);
    CHECK(data.sha256 == suite.sha256);
    CHECK(static_cast<int64_t>(data.problems.size()) == suite.problems);
  }
  unsetenv("PONDER_DATA");
}

TEST_CASE("mistakes in a suite, a name or a data file are told with their place", "[eval]") {
  REQUIRE(
      contains(error_of([] { rl::find_suite("gsm9k"); }), "\"gsm9k\" is no suite. Did you mean gsm8k? The suites are aime24, "));
  const std::string good = "title='t'\ndata='d'\nsource='s'\nlicence='l'\nprompt='{{q}}'\ngold='{{a}}'\n[reward]\nname='math'\n";
  const std::string file = temporary("a.toml", good);
  REQUIRE(rl::read_suite(file).question == "{{q}}");
  const auto with = [&](const std::string& line) {
    return error_of([&] { rl::read_suite(temporary("b.toml", line + "\n" + good)); });
  };
  REQUIRE(contains(with("vote = true"), "b.toml:1: vote: unknown key. Did you mean votes?"));
  REQUIRE(contains(with("votes = 3"), "b.toml:1: votes: is 3, which is an integer."));
  REQUIRE(contains(with("form = 'bocks'"), "b.toml:1: form: is none of box, answer_tags, hashes, code."));
  REQUIRE(contains(error_of([] { rl::read_suite(temporary("c.toml", "title='t'")); }), "the key data is missing"));

  const rl::Suite suite = rl::read_suite(file);
  const auto reading = [&](const std::string& text) {
    return error_of([&] { rl::read_suite_problems(suite, temporary("d.jsonl", text), "plain", 0); });
  };
  REQUIRE(contains(reading("{\"q\": \"x\", \"a\": 1}\n{\"q\": \"x\"}\n"), "d.jsonl:2: has no key \"a\"; its keys are: q."));
  REQUIRE(contains(reading("[{\"q\": null, \"a\": 1}]"), "d.jsonl:1: the value of \"q\" is null"));
  REQUIRE(contains(reading("\n"), "has no rows"));
  REQUIRE(contains(reading("7\n"), "d.jsonl:1: is not a JSON object"));
  REQUIRE(contains(error_of([&] { rl::read_suite_problems(suite, "/no/such", "plain", 0); }),
                   "/no/such: the data file cannot be read."));
  REQUIRE(reading("[{\"q\": \"x\", \"a\": [\"one\"]}]").empty());  // a list of one is that one
}

TEST_CASE("countdown is the same problems in every run", "[eval]") {
  const rl::Suite suite = rl::find_suite("countdown");
  const auto one = rl::read_suite_problems(suite, suite.data, "plain", 5),
             other = rl::read_suite_problems(suite, suite.data, "plain", 5);
  REQUIRE(one.sha256 == other.sha256);
  REQUIRE(one.problems.size() == 5);
  REQUIRE(contains(one.problems[0].question, "inside <answer> </answer>."));
  REQUIRE(contains(one.problems[0].target, "numbers="));
}
