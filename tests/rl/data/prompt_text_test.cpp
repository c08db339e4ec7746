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
  return chat;
}

}  // namespace

TEST_CASE("the prompt of a conversation is all of it up to the answer that the model shall give", "[prompt_text]") {
  const auto chatml = style("chatml");
  const std::string three =
      "<|im_start|>user\nfirst<|im_end|>\n<|im_start|>assistant\na<|im_end|>\n<|im_start|>user\nsecond<|im_end|>\n";
  const std::string open = R"([{"role": "user", "content": "first"}, {"role": "assistant", "content": "a"}, {"role": "user", "content": "second"})";
  CHECK(rl::prompt_text(chatml, conversation(open + "]")) == three + "<|im_start|>assistant\n");
  CHECK(rl::prompt_text(chatml, conversation(open + R"(, {"role": "assistant", "content": "b"}])")) == three + "<|im_start|>assistant\n");
  CHECK(rl::prompt_text(chatml, conversation(R"([{"role": "system", "content": "s"}, {"role": "user", "content": "first"}])")) ==
        "<|im_start|>system\ns<|im_end|>\n<|im_start|>user\nfirst<|im_end|>\n<|im_start|>assistant\n");
  rl::Problem question;
  question.question = "first";
  CHECK(rl::prompt_text(chatml, question) == "<|im_start|>user\nfirst<|im_end|>\n<|im_start|>assistant\n");
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
