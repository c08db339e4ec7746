#include "rl/data/prompt_text.h"

#include "kernels/error.h"
#include "tests/support/catch.h"

using Catch::Matchers::Contains;

namespace {

rl::Problem conversation(const std::string& messages) {
  rl::Problem problem;
  problem.question = "first";
  problem.messages = messages;
  problem.line = 3;
  return problem;
}

model::TemplateConfig style(const char* name) {
  model::TemplateConfig chat;
  chat.style = name;
  chat.system = "Be brief.";  // where the conversation has none of its own
  return chat;
}

}  // namespace

TEST_CASE("the prompt of a conversation is all of it up to the answer that the model shall give", "[prompt_text]") {
  const auto chatml = style("chatml");
  const std::string system = "<|im_start|>system\nBe brief.<|im_end|>\n", first = "<|im_start|>user\nfirst<|im_end|>\n";
  const std::string opens = "<|im_start|>assistant\n";
  const std::string two = system + first + opens + "a<|im_end|>\n<|im_start|>user\nsecond<|im_end|>\n" + opens;
  const std::string turns =
      R"([{"role": "user", "content": "first"}, {"role": "assistant", "content": "a"}, {"role": "user", "content": "second"})";
  CHECK(rl::prompt_text(chatml, conversation(turns + "]")) == two);
  CHECK(rl::prompt_text(chatml, conversation(turns + R"(, {"role": "assistant", "content": "b"}])")) == two);
  const std::string own = R"([{"role": "system", "content": "s"}, {"role": "user", "content": "first"}])";
  CHECK(rl::prompt_text(chatml, conversation(own)) == "<|im_start|>system\ns<|im_end|>\n" + first + opens);
  rl::Problem question;
  question.question = "first";
  CHECK(rl::prompt_text(chatml, question) == system + first + opens);
}

TEST_CASE("a conversation that cannot be asked is refused with its line", "[prompt_text]") {
  const auto asked = [](const char* name, const char* messages) { return rl::prompt_text(style(name), conversation(messages)); };
  CHECK(asked("plain", R"([{"role": "user", "content": "first"}, {"role": "assistant", "content": "a"}])") == "first");
  CHECK_THROWS_WITH(
      asked("plain", R"([{"role": "system", "content": "s"}, {"role": "user", "content": "first"}])"),
      Contains("line 3: template.style: is plain, which asks one question and cannot write a conversation of 2 messages"));
  CHECK_THROWS_WITH(asked("chatml", R"([{"role": "assistant", "content": "a"}])"),
                    Contains("line 3: the conversation has nothing that the assistant could answer"));
}
