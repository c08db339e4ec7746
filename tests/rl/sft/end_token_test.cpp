// What ends a row: the token that the template ends a turn with, whichever end tokens the model names.
#include "rl/sft/end_token.h"

#include "rl/sft/sequence.h"
#include "tests/support/catch.h"

namespace {

// 28 characters, then <end> 28, <turn> 29 and <gone> 30.
const std::shared_ptr<const model::Tokenizer>& tokenizer() {
  static const std::shared_ptr<const model::Tokenizer> one = model::Tokenizer::from_json(
      model::character_tokenizer_json("abcdefghijklmnopqrstuvwxyz: ", {"<end>", "<turn>", "<gone>"}), "test");
  return one;
}

model::TemplateConfig chat(const std::string& after_answer) {
  model::TemplateConfig config;
  config.style = "model";
  config.chat = std::make_shared<model::ChatTemplate>(
      "{% for m in messages %}{% if m['role'] == 'user' %}u:{{ m['content'] }}<turn>{% else %}a:{{ m['content'] }}" +
          after_answer + "{% endif %}{% endfor %}{% if add_generation_prompt %}a:{% endif %}", "test");
  return config;
}

rl::StageConfig stage_of(const model::TemplateConfig& style) {
  rl::StageConfig stage;
  stage.kind = "sft", stage.data.train = "d.jsonl", stage.chat_template = style;
  return stage;
}

// The learnt tokens of a prompt with its completion, and of the same as a conversation.
std::pair<std::string, std::string> learnt(const model::TemplateConfig& style, const std::vector<int32_t>& stops) {
  rl::Problem pair, conversation;
  pair.question = "q", pair.completion = "x";
  conversation.messages = R"([{"role": "user", "content": "q"}, {"role": "assistant", "content": "x"}])";
  const rl::SftTokenizer rows(tokenizer(), stage_of(style), stops, 64);
  std::string out[2];
  for (int i = 0; i < 2; ++i) {
    const auto row = rows.sequence(i == 0 ? pair : conversation).value();
    for (size_t t = 0; t < row.tokens.size(); ++t)
      if (row.trained[t]) out[i] += tokenizer()->decode({row.tokens[t]});
  }
  return {out[0], out[1]};
}

}  // namespace

TEST_CASE("the end of a turn is the first special token after the answer's words", "[sft]") {
  CHECK(rl::end_token_of(chat("<turn>"), *tokenizer()) == 29);
  CHECK(rl::end_token_of(chat(" <turn> <end>"), *tokenizer()) == 29);
  CHECK_FALSE(rl::end_token_of(chat(" b"), *tokenizer()));
  CHECK_FALSE(rl::end_token_of(chat("\n<turn>"), *tokenizer()));  // a line's end is no token here
  model::TemplateConfig plain;
  plain.style = "plain";
  CHECK_FALSE(rl::end_token_of(plain, *tokenizer()));
}

TEST_CASE("a prompt's row and a conversation end alike, whatever end tokens the model names", "[sft]") {
  using Both = std::pair<std::string, std::string>;
  CHECK(learnt(chat("<turn>"), {29}) == Both("x<turn>", "x<turn>"));
  CHECK(learnt(chat("<turn>"), {28, 29}) == Both("x<turn>", "x<turn>"));  // as Llama 3's, which name <|end_of_text|> first
  CHECK(learnt(chat("<turn> b"), {28}) == Both("x<turn>", "x<turn>"));    // as a base model's: what follows is not learnt
  CHECK(learnt(chat(" b"), {28}).first == "x<end>");
}

TEST_CASE("what sft stages teach as an end also ends samples, and is told where the model does not name it", "[sft]") {
  rl::Config config;
  config.stages = {stage_of(chat("<turn>")), stage_of(chat("<gone>"))};
  config.stages[1].kind = "grpo";
  CHECK(rl::taught_ends(config, *tokenizer(), {28}) == std::vector<int32_t>{29});
  CHECK(rl::taught_ends(config, *tokenizer(), {28, 29}).empty());
  CHECK(rl::end_token_warning(chat("<turn>"), *tokenizer(), {28}).find("ends a turn with <turn> (29)") != std::string::npos);
  CHECK(rl::end_token_warning(chat("<turn>"), *tokenizer(), {28, 29}).empty());
  CHECK(rl::end_token_warning(chat(" b"), *tokenizer(), {28}).empty());
}
