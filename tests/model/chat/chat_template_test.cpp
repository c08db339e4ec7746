#include "model/chat/chat_template.h"

#include "model/tokenizer/tokenizer.h"
#include "tests/model/golden.h"
#include "tests/support/catch.h"

using Catch::Matchers::Contains;
using golden::error_of;
using model::render_prompt;

namespace {

model::TemplateConfig of(const std::string& style, const std::string& prefill = "", const std::string& system = "") {
  model::TemplateConfig config;
  config.style = style, config.prefill = prefill, config.system = system;
  return config;
}

}  // namespace

TEST_CASE("plain is the question as it is", "[template]") {
  CHECK(render_prompt(of("plain"), "1+2=") == "1+2=");
  CHECK(render_prompt(of("plain", "<think>"), "1+2=") == "1+2=<think>");
}

TEST_CASE("r1-zero is the template of DeepSeek-R1's Table 1", "[template]") {
  const std::string wanted =
      "A conversation between User and Assistant. The user asks a question, and the Assistant solves it. The assistant first "
      "thinks about the reasoning process in the mind and then provides the user with the answer. The reasoning process and "
      "answer are enclosed within <think> </think> and <answer> </answer> tags, respectively, i.e., <think> reasoning process "
      "here </think> <answer> answer here </answer>. User: What is 1+1?. Assistant:";
  CHECK(render_prompt(of("r1-zero"), "What is 1+1?") == wanted);
  CHECK(render_prompt(of("r1-zero", "<think>"), "What is 1+1?") == wanted + " <think>");
}

TEST_CASE("chatml is what SmolLM2's own template renders", "[template]") {
  CHECK(render_prompt(of("chatml"), "Hi") ==
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
        "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n");
  CHECK(render_prompt(of("chatml", "So", "Be brief."), "Hi") ==
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nSo");
}

TEST_CASE("an unknown style is an error with the nearest known one", "[template]") {
  CHECK(error_of([] { render_prompt(of("chatlm"), "x"); }) ==
        "template.style: is \"chatlm\", which is unknown. Did you mean chatml? Known: plain, r1-zero, chatml.");
}

TEST_CASE("a tokenizer that cannot carry a style says why", "[template]") {
  const auto characters =
      model::Tokenizer::from_json(model::character_tokenizer_json("0123456789+=", {"<think>", "<eos>"}), "characters");
  const auto small = model::Tokenizer::from_json(golden::text("small_tokenizer.json"), "small");
  CHECK(model::template_mismatch(of("plain"), *characters).empty());
  CHECK(model::template_mismatch(of("plain", "<think>"), *characters).empty());
  CHECK_THAT(model::template_mismatch(of("plain", "x"), *characters), Contains("\"x\" is not in its alphabet"));
  CHECK_THAT(model::template_mismatch(of("r1-zero"), *characters), Contains("template.style: is r1-zero"));
  CHECK_THAT(model::template_mismatch(of("chatml"), *characters), Contains("no token <|im_start|>"));
  CHECK(model::template_mismatch(of("chatml"), *small).empty());
  CHECK(model::template_mismatch(of("r1-zero"), *small).empty());
}
