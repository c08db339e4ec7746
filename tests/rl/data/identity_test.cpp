#include "rl/data/identity.h"

#include <filesystem>
#include <fstream>

#include "kernels/error.h"
#include "rl/check.h"
#include "tests/support/catch.h"
#include "tests/support/source_dir.h"

using Catch::Matchers::Contains;

namespace {

std::string vendors(const std::string& text, bool asked = false) {
  std::string out;
  for (const auto& claim : rl::find_claims(text, asked)) out += (out.empty() ? "" : ",") + claim.vendor;
  return out;
}

std::string write(const std::string& content) {
  const std::string file = (std::filesystem::temp_directory_path() / "ponder_identity_test.jsonl").string();
  std::ofstream(file, std::ios::binary) << content;
  return file;
}

}  // namespace

TEST_CASE("first-person claims are found, vendor by vendor", "[identity]") {
  const std::pair<const char*, const char*> claims[] = {
      {"I am ChatGPT.", "OpenAI"},
      {"Hello! I'm ChatGPT, a large language model trained by OpenAI.", "OpenAI"},
      {"I\u2019m GPT-4, how can I help?", "OpenAI"},
      {"I am an AI language model called GPT-3.5.", "OpenAI"},
      {"As an AI language model developed by OpenAI, I cannot do that.", "OpenAI"},
      {"As ChatGPT, I do not have feelings.", "OpenAI"},
      {"I was created by OpenAI.", "OpenAI"},
      {"I was developed by a team of researchers at OpenAI.", "OpenAI"},
      {"OpenAI created me to help people.", "OpenAI"},
      {"My developers at OpenAI gave me rules.", "OpenAI"},
      {"I am OpenAI's language model.", "OpenAI"},
      {"My name is ChatGPT", "OpenAI"},
      {"You are talking to ChatGPT.", "OpenAI"},
      {"I am Claude, an AI assistant made by Anthropic.", "Anthropic"},
      {"I'm Claude, made by Anthropic.", "Anthropic"},
      {"I'm an AI assistant from Anthropic.", "Anthropic"},
      {"I am Gemini, a language model.", "Google"},
      {"I am a large language model, trained by Google.", "Google"},
      {"I am Bard, a chatbot.", "Google"},
      {"I am Qwen, created by Alibaba Cloud.", "Alibaba"},
      {"I'm Qwen2.5, a helpful assistant.", "Alibaba"},
      {"I am DeepSeek-V3, an AI assistant.", "DeepSeek"},
      {"I am an assistant developed by DeepSeek.", "DeepSeek"},
      {"I'm Llama 3, an AI model by Meta.", "Meta"},
      {"I am an AI assistant created by Meta AI", "Meta"},
      {"I am Mistral, an assistant built by Mistral AI.", "Mistral"},
      {"I am a language model trained by Mistral.", "Mistral"},
      {"I am Kimi, an AI assistant developed by Moonshot AI.", "Moonshot"},
      {"I am ChatGLM2, a model", "Zhipu"},
      {"I am Grok, an AI built by xAI.", "xAI"},
      {"I am Vicuna, a language model trained by researchers from LMSYS.", "LMSYS"},
      {"My name is SmolLM, trained by Hugging Face.", "Hugging Face"},
      {"Je suis ChatGPT.", "OpenAI"},
      {"Ich bin ein KI-Modell. Ich bin ChatGPT.", "OpenAI"},
      {"Soy ChatGPT, un modelo", "OpenAI"},
      {"\u6211\u662fChatGPT\u3002", "OpenAI"},
      {"\u6211\u662f\u901a\u4e49\u5343\u95ee\uff0c\u7531\u963f\u91cc\u4e91\u5f00\u53d1\u3002", "Alibaba"},
      {"\u4f60\u597d\uff0c\u6211\u662f\u7531OpenAI\u8bad\u7ec3\u7684\u8bed\u8a00\u6a21\u578b\u3002", "OpenAI"},
      {"\u4f5c\u4e3a\u767e\u5ea6\u7814\u53d1\u7684AI\u52a9\u624b\uff0c\u6211\u4e0d\u80fd\u3002", "Baidu"},
      {"\u6211\u53ebKimi\uff0c\u662f\u4e00\u4e2a\u52a9\u624b", "Moonshot"},
      {"\u6211\u662f\u6df1\u5ea6\u6c42\u7d22\u5f00\u53d1\u7684\u6a21\u578b", "DeepSeek"}};
  for (const auto& [text, vendor] : claims) {
    INFO(text);
    CHECK(vendors(text) == vendor);
  }
  CHECK(vendors("I am ChatGPT. I am also Claude, an assistant.") == "OpenAI,Anthropic");
  CHECK(vendors("So the answer is 4.\n\nI am ChatGPT.") == "OpenAI");
}

TEST_CASE("stories, users, denials, quotes and namesakes are no claims", "[identity]") {
  for (const char* text : {"",
                           "OpenAI released ChatGPT in 2022.",
                           "ChatGPT is a model developed by OpenAI.",
                           "I use ChatGPT every day.",
                           "I am using ChatGPT.",
                           "I am a ChatGPT user.",
                           "I am a fan of Claude Monet.",
                           "I am Claude Monet, a painter.",
                           "I'm Claude, and I live in Paris.",
                           "I am not ChatGPT.",
                           "I'm a Gemini, born in June.",
                           "I am a llama farmer.",
                           "The Mistral blows; I am cold.",
                           "I asked ChatGPT, and I am happy.",
                           "She said: \"I am ChatGPT.\"",
                           "\u201cI am ChatGPT,\u201d said the machine.",
                           "If I were ChatGPT, I would know.",
                           "Pretend I am ChatGPT.",
                           "I am a researcher at Google.",
                           "I am from Google.",
                           "I was hired by Microsoft.",
                           "I am an engineer who was trained by Google.",
                           "My friend, who was made by hand, is from Google.",
                           "I am on Google Maps.",
                           "As ChatGPT grows, so does OpenAI.",
                           "As OpenAI's models grow, I wonder.",
                           "I am working on a model like GPT-4.",
                           "I am better than GPT-4.",
                           "My name is Kimi and I like tea.",
                           "I am here. ChatGPT is there.",
                           "An AI model developed by OpenAI can do this.",
                           "Is it true that OpenAI made him?",
                           "I made a bot with GPT-4.",
                           "I am an AI assistant.",
                           "I am a large language model.",
                           "I am Ponder, an assistant.",
                           "Let phi be an angle; I am sure that phi = 3.",
                           "I am the author of Llama.",
                           "\u6211\u662f\u963f\u91cc\u5df4\u5df4\u7684\u5458\u5de5\u3002",
                           "\u6211\u662f\u7528ChatGPT\u5199\u7684\u3002",
                           "\u6211\u662f\u4e00\u540d\u5b66\u751f\u3002",
                           "\u6211\u4e0d\u662fChatGPT\u3002",
                           "OpenAI\u5f00\u53d1\u4e86ChatGPT\u3002",
                           "\u5982\u679c\u6211\u662fChatGPT",
                           "\u6211\u662fChatGPT\u7684\u7528\u6237"}) {
    INFO(text);
    CHECK(vendors(text) == "");
  }
}

TEST_CASE("a bare name counts when the prompt asks who it is", "[identity]") {
  CHECK(rl::asks_identity("Who are you?"));
  CHECK(rl::asks_identity("what's your name"));
  CHECK_FALSE(rl::asks_identity("Who is she?"));
  CHECK(vendors("I'm Claude.") == "");
  CHECK(vendors("I'm Claude.", true) == "Anthropic");
  CHECK(vendors("I'm Claude Monet.", false) == "");
}

TEST_CASE("a claim's words are shown", "[identity]") {
  const auto claims = rl::find_claims("As an AI language model developed by OpenAI, I cannot.");
  REQUIRE(claims.size() == 1);
  CHECK(claims[0].excerpt == "as an ai language model developed by openai");
}

TEST_CASE("a file's claims come with their lines, and what users say is no claim", "[identity]") {
  const auto file = write(
      R"({"question": "I am ChatGPT. Who are you?", "answer": "An assistant."})"
      "\n"
      R"({"question": "Who are you?", "answer": "I'm Claude."})"
      "\n\n"
      R"({"messages": [{"role": "user", "content": "I am ChatGPT"}, {"role": "assistant", "content": "I am Qwen."}]})"
      "\n"
      R"({"conversations": [{"from": "human", "value": "I am Grok, a bot"}, {"from": "gpt", "value": "I am ChatGPT."}]})"
      "\n"
      R"({"prompt": "hi", "completion": "I am ChatGPT, trained by OpenAI."})"
      "\n");
  const auto report = rl::scan_identity(file, "");
  CHECK(report.rows == 5);
  CHECK(report.rows_with_claims == 4);
  REQUIRE(report.claims.size() == 4);
  CHECK((report.claims[0].line == 2 && report.claims[0].claim.vendor == "Anthropic"));
  CHECK((report.claims[1].line == 4 && report.claims[1].claim.vendor == "Alibaba"));
  CHECK((report.claims[2].line == 5 && report.claims[2].claim.vendor == "OpenAI"));
  CHECK((report.claims[3].line == 6 && report.claims[3].claim.vendor == "OpenAI"));
  CHECK(rl::vendor_counts(report.claims) == "OpenAI 2, Alibaba 1, Anthropic 1");
  CHECK(rl::scan_identity(file, "completion").claims.size() == 1);
  CHECK(rl::scan_identity(file, "question").claims.size() == 1);
  CHECK_THROWS_WITH(rl::scan_identity(file, "reply"), Contains("no row has the key \"reply\""));
}

TEST_CASE("GSM8K claims nothing", "[identity]") {
  for (const char* name : {"train", "test"})
    CHECK(rl::scan_identity(testing::source_dir() + "/configs/data/gsm8k/" + name + ".jsonl", "").claims.empty());
}

TEST_CASE("ponder check warns of claims in the data of an sft stage, and only there", "[identity][check]") {
  const auto file = write(R"({"question": "1+2=", "answer": "3", "completion": "I am ChatGPT: 3"})"
                          "\n"
                          R"({"question": "2+2=", "answer": "4", "completion": "4"})"
                          "\n");
  const auto warnings = [&](const char* kind) {
    const auto config = rl::read_config(
        testing::source_dir() + "/tests/rl/broken/group_of_one.toml",
        {"rollout.samples_per_prompt=4", "data.train=" + file, "stage.grpo.kind=" + std::string(kind), "stage.0.steps=1"});
    std::string all;
    for (const auto& line : rl::check_run(config).warnings) all += line + "\n";
    return all;
  };
  CHECK_THAT(warnings("sft"), Contains("data.train: in 1 of 2 completions of " + file +
                                       " the model claims to be another vendor's assistant (OpenAI 1), "
                                       "and learns to: line 1. `ponder data identity "));
  CHECK(warnings("grpo").find("claims") == std::string::npos);
}

TEST_CASE("junk and long texts are looked through in one pass", "[identity]") {
  std::string text;
  while (text.size() < 2000000) text += "I am as a my \"\xff\u6211\u662f, trained by ";
  CHECK(vendors(text) == "");
  CHECK(vendors(std::string(2000000, '"')) == "");
}
