#include "rl/sft/sequence.h"

#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "rl/data/jsonl.h"
#include "rl/data/row_forms.h"
#include "tests/rl/sft/small_policy.h"
#include "tests/support/catch.h"

namespace {

using Json = nlohmann::ordered_json;

const std::shared_ptr<const model::Tokenizer>& tokenizer() {
  static const std::shared_ptr<const model::Tokenizer> one = model::Tokenizer::from_json(testing::small_tokenizer_json(), "test");
  return one;
}

// Turns are "u:TEXT " and "a:TEXT<eos>".
model::TemplateConfig chat() {
  model::TemplateConfig config;
  config.style = "model";
  config.chat = std::make_shared<model::ChatTemplate>(
      "{% for m in messages %}{% if m['role'] == 'user' %}u:{{ m['content'] }} {% else %}a:{{ m['content'] }}<eos>{% endif %}{% endfor %}"
      "{% if add_generation_prompt %}a:{% endif %}",
      "test");
  return config;
}

rl::Problem problem_of(const std::string& row, const rl::DataConfig& keys = {}) {
  rl::Problem problem;
  rl::take_row(problem, Json::parse(row), keys, "d.jsonl:3");
  problem.line = 3;
  return problem;
}

rl::SftSequence sequence_of(const rl::Problem& problem, const std::string& train_on, const model::TemplateConfig& style) {
  rl::StageConfig stage;
  stage.kind = "sft", stage.data.train = "d.jsonl", stage.sft.train_on = train_on, stage.chat_template = style;
  return rl::SftTokenizer(tokenizer(), stage, {31}, 64).sequence(problem).value();
}

model::TemplateConfig plain() {
  model::TemplateConfig config;
  config.style = "plain";
  return config;
}

// The prompt, a bar, then the tokens; those that are not learnt in brackets.
std::string shown(const rl::SftSequence& row) {
  std::string out = tokenizer()->decode(row.prompt, false) + "|";
  for (size_t t = 0; t < row.tokens.size(); ++t) {
    const std::string text = tokenizer()->decode({row.tokens[t]}, false);
    out += row.trained[t] ? text : "[" + text + "]";
  }
  return out;
}

const std::string two_turns =
    R"({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "x"},
                     {"role": "user", "content": "r"}, {"role": "assistant", "content": "y"}]})";
const std::string split_turns =
    R"({"prompt": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "x"}, {"role": "user", "content": "r"}],
        "completion": [{"role": "assistant", "content": "y"}]})";

}  // namespace

TEST_CASE("a prompt and its completion: only the completion is learnt, with the end token", "[sft]") {
  const auto problem = problem_of(R"({"prompt": "ab", "completion": "cd"})");
  REQUIRE(problem.answer.empty());
  REQUIRE(shown(sequence_of(problem, "completion", plain())) == "ab|cd<eos>");
  REQUIRE(shown(sequence_of(problem, "assistant", plain())) == "ab|cd<eos>");
  REQUIRE(shown(sequence_of(problem, "all", plain())) == "a|bcd<eos>");
  REQUIRE(shown(sequence_of(problem, "completion", chat())) == "u:ab a:|cd<eos>");
}

TEST_CASE("a conversation: each of the assistant's turns is learnt with its end token", "[sft]") {
  const auto problem = problem_of(two_turns);
  REQUIRE(problem.question == "q");
  REQUIRE(shown(sequence_of(problem, "completion", chat())) == "u:q a:|x<eos>[u][:][r][ ][a][:]y<eos>");
  REQUIRE(shown(sequence_of(problem, "assistant", chat())) == "u:q a:|x<eos>[u][:][r][ ][a][:]y<eos>");
  REQUIRE(shown(sequence_of(problem, "all", chat())) == "u|:q a:x<eos>u:r a:y<eos>");
}

TEST_CASE("a prompt of several messages: what the assistant says in it is learnt only when asked for", "[sft]") {
  const auto problem = problem_of(split_turns);
  REQUIRE(problem.prompt_messages == 3);
  REQUIRE(problem.completion == "y");
  REQUIRE(shown(sequence_of(problem, "completion", chat())) == "u:q a:x<eos>u:r a:|y<eos>");
  REQUIRE(shown(sequence_of(problem, "assistant", chat())) == "u:q a:|x<eos>[u][:][r][ ][a][:]y<eos>");
  const auto text = problem_of(R"({"prompt": [{"role": "user", "content": "q"}], "completion": "y"})");
  REQUIRE(shown(sequence_of(text, "completion", chat())) == "u:q a:|y<eos>");
}

TEST_CASE("an instruction is asked in Alpaca's words, or in those of the settings", "[sft]") {
  const auto with = problem_of(R"({"instruction": "Add.", "input": "1 {instruction} 2", "output": "3"})");
  REQUIRE(with.question ==
          "Below is an instruction that describes a task, paired with an input that provides further context. Write a response that "
          "appropriately completes the request.\n\n### Instruction:\nAdd.\n\n### Input:\n1 {instruction} 2\n\n### Response:");
  REQUIRE(with.completion == "3");
  for (const char* row : {R"({"instruction": "Say hi.", "input": "", "output": "hi"})", R"({"instruction": "Say hi.", "output": "hi"})",
                          R"({"instruction": "Say hi.", "input": null, "output": "hi"})"})
    REQUIRE(problem_of(row).question ==
            "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
            "### Instruction:\nSay hi.\n\n### Response:");
  rl::DataConfig own;
  own.instruction_prompt = "{input}:{instruction}";
  own.instruction_prompt_no_input = "{instruction}";
  REQUIRE(shown(sequence_of(problem_of(R"({"instruction": "add", "input": "1", "output": "b"})", own), "completion", plain())) ==
          "1:add|b<eos>");
  REQUIRE(problem_of(R"({"instruction": "add", "output": "b"})", own).question == "add");
}

TEST_CASE("a row's form goes by its keys, data.prompt_key first, or by data.format", "[sft]") {
  rl::DataConfig keys;
  REQUIRE(problem_of(R"({"question": "a", "prompt": "b", "completion": "c"})").question == "a");
  REQUIRE(problem_of(R"({"messages": [{"role": "user", "content": "m"}], "instruction": "i", "output": "o"})").question == "m");
  keys.format = "prompt";
  REQUIRE(problem_of(R"({"messages": [{"role": "user", "content": "m"}], "prompt": "b", "completion": "c"})", keys).question == "b");
  keys.format = "instruction";
  keys.instruction_prompt_no_input = "{instruction}";
  REQUIRE(problem_of(R"({"question": "a", "instruction": "i", "output": "o"})", keys).question == "i");
  REQUIRE(problem_of(R"({"question": "a", "answer": 5})").answer == "5");
}

TEST_CASE("a row of no form is one error with its place, its keys and the forms there are", "[sft]") {
  const auto error = [](const std::string& row, const char* format = "auto") {
    rl::DataConfig keys;
    keys.format = format;
    try {
      problem_of(row, keys);
    } catch (const kernels::UsageError& failure) {
      return std::string(failure.what());
    }
    return std::string();
  };
  REQUIRE(error(R"({"text": "a", "source": "b"})") ==
          "d.jsonl:3: has no key \"question\"; its keys are: text, source. Set data.prompt_key to the right one. A row may also hold "
          "\"messages\", \"prompt\" and \"completion\", or \"instruction\" and \"output\" (data.format).");
  REQUIRE(error(R"({"instruction": "a"})").find("d.jsonl:3: has no key \"output\"") == 0);
  REQUIRE(error(R"({"prompt": "a"})").find("d.jsonl:3: has no key \"answer\"") == 0);
  REQUIRE(error(R"({"prompt": "a", "completion": "b"})", "messages").find("d.jsonl:3: has no key \"messages\"") == 0);
  REQUIRE(error(R"({"messages": "hello"})").find("d.jsonl:3") == 0);
}

TEST_CASE("a row without a completion is an error with its place", "[sft]") {
  rl::StageConfig stage;
  stage.data.train = "d.jsonl", stage.chat_template = plain();
  const rl::SftTokenizer made(tokenizer(), stage, {31}, 64);
  REQUIRE_THROWS_WITH(made.whole(problem_of(R"({"question": "a", "answer": "b"})")), Catch::Contains("d.jsonl:3: has no completion"));
  rl::StageConfig with_chat = stage;
  with_chat.chat_template = chat();
  const rl::SftTokenizer talking(tokenizer(), with_chat, {31}, 64);
  REQUIRE_THROWS_WITH(talking.whole(problem_of(R"({"messages": [{"role": "user", "content": "m"}]})")), Catch::Contains("d.jsonl:3: "));
}

TEST_CASE("a row with an empty completion is left out, in every form", "[sft]") {
  rl::StageConfig stage;
  stage.data.train = "d.jsonl", stage.chat_template = chat();
  const rl::SftTokenizer made(tokenizer(), stage, {31}, 64);
  for (const char* row : {R"({"prompt": "ab", "completion": ""})", R"({"instruction": "add", "output": ""})",
                          R"({"prompt": [{"role": "user", "content": "q"}], "completion": ""})"}) {
    INFO(row);
    const auto problem = problem_of(row);
    REQUIRE(problem.blank_completion);
    REQUIRE_FALSE(made.sequence(problem));
  }
  REQUIRE_FALSE(problem_of(R"({"prompt": "ab", "completion": "cd"})").blank_completion);
}

// A prompt of 2 tokens, a completion of 4 with its end: 6 tokens.
TEST_CASE("what does not fit is cut at the end, and its last learnt token need not be the end token", "[sft]") {
  rl::StageConfig stage;
  stage.data.train = "d.jsonl", stage.chat_template = plain(), stage.sft.overlong = "truncate", stage.sft.max_tokens = 4;
  const auto problem = problem_of(R"({"prompt": "ab", "completion": "cde"})");
  REQUIRE(shown(*rl::SftTokenizer(tokenizer(), stage, {31}, 64).sequence(problem)) == "ab|cd");
  stage.sft.max_tokens = 0;
  REQUIRE(shown(*rl::SftTokenizer(tokenizer(), stage, {31}, 4).sequence(problem)) == "ab|cde");  // the fifth token needs no position
  stage.sft.train_on = "all", stage.sft.max_tokens = 3;
  REQUIRE(shown(*rl::SftTokenizer(tokenizer(), stage, {31}, 64).sequence(problem)) == "a|bc");
  stage.data.max_prompt_tokens = 1, stage.data.overlong_prompt = "truncate_left";
  REQUIRE(shown(*rl::SftTokenizer(tokenizer(), stage, {31}, 64).sequence(problem)) == "b|cd");
  stage.data.overlong_prompt = "drop";
  REQUIRE_FALSE(rl::SftTokenizer(tokenizer(), stage, {31}, 64).sequence(problem));
}
