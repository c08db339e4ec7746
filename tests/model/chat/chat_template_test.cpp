#include "model/chat/chat_template.h"

#include <fstream>

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
  CHECK(
      error_of([] { render_prompt(of("chatlm"), "x"); }) ==
      "template.style: is \"chatlm\", which is unknown. Did you mean chatml? Known: auto, model, plain, r1-zero, chatml, llama3, "
      "deepseek-r1, and model:NAME.");
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

namespace {

void write(const std::string& file, const std::string& text) { std::ofstream(file, std::ios::binary) << text; }

model::Messages talk(std::initializer_list<std::pair<const char*, const char*>> turns) {
  auto messages = model::Messages::array();
  for (const auto& [role, content] : turns) messages.push_back(model::message(role, content));
  return messages;
}

model::TemplateConfig resolved(const std::string& style, const std::string& folder, const std::string& fallback = "plain") {
  auto config = of(style);
  model::resolve_template(config, folder, fallback);
  return config;
}

}  // namespace

TEST_CASE("the folder's own template is used: jinja file, text, list of named ones, or chat_template.json", "[template]") {
  const golden::TemporaryFolder folder;
  CHECK(resolved("auto", folder.path(), "chatml").style == "chatml");
  CHECK_THAT(error_of([&] { resolved("model", folder.path()); }), Contains("has no chat template"));
  write(folder / "chat_template.json", R"({"chat_template": "json"})");
  CHECK(render_prompt(resolved("auto", folder.path()), "q") == "json");
  write(folder / "tokenizer_config.json", R"({"bos_token": {"content": "<s>"}, "chat_template": "{{ bos_token }}{{ messages[0].content }}"})");
  CHECK(render_prompt(resolved("model", folder.path()), "q") == "<s>q");
  write(folder / "tokenizer_config.json", R"({"chat_template": [{"name": "default", "template": "d"}, {"name": "tools", "template": "t"}]})");
  CHECK(render_prompt(resolved("model", folder.path()), "q") == "d");
  CHECK(render_prompt(resolved("model:tools", folder.path()), "q") == "t");
  CHECK_THAT(error_of([&] { resolved("model:rag", folder.path()); }),
             Contains("no chat template called \"rag\"; it has: default, tools."));
  write(folder / "chat_template.jinja", "jinja{{ messages[0].role }}\n");
  CHECK(render_prompt(resolved("auto", folder.path()), "q") == "jinjauser");
  write(folder / "chat_template.jinja", "\n{% if %}");
  CHECK_THAT(error_of([&] { resolved("auto", folder.path()); }), Contains("chat_template.jinja:2: expected an expression"));
}

TEST_CASE("template.options and template.date reach the template", "[template]") {
  auto config = of("model");
  config.chat = std::make_shared<const model::ChatTemplate>("{{ on }} {{ word }} {{ strftime_now('%d %b %Y') }}", "t");
  config.options = {"on=false", "word=hello there"};
  CHECK(render_prompt(config, "q") == "False hello there 26 Jul 2024");
  config.date = "2023-02-29";
  CHECK_THAT(error_of([&] { render_prompt(config, "q"); }), Contains("template.date: is \"2023-02-29\", which is no day"));
}

TEST_CASE("what is saved renders as the run did, system message and prefill included", "[template]") {
  auto config = of("chatml", "<think>\n", "Be \"brief\", it's\n{{ 1 }} é.");
  const std::string saved = model::chat_template_of(config);
  model::RenderOptions asking;
  asking.add_generation_prompt = true;
  const model::ChatTemplate again(saved, "saved");
  CHECK(again.render(talk({{"user", "Hi"}}), asking).text == render_prompt(config, "Hi"));
  CHECK(again.render(talk({{"system", "Other"}, {"user", "Hi"}}), asking).text.find("brief") == std::string::npos);
  // Nothing of its own: byte for byte.
  auto own = of("model");
  own.chat = std::make_shared<const model::ChatTemplate>("{{ messages }}\n\n", "t");
  CHECK(model::chat_template_of(own) == "{{ messages }}\n\n");
  CHECK(model::chat_template_of(of("plain")).empty());
}

TEST_CASE("a conversation is trained where the assistant speaks", "[template]") {
  const auto messages = talk({{"system", "S"}, {"user", "a"}, {"assistant", "b"}, {"user", "c"}, {"assistant", "d"}});
  const auto said = [](const model::TrainText& t) {
    std::vector<std::string> parts;
    for (const auto& s : t.trained)
      parts.push_back(t.text.substr(static_cast<size_t>(s.begin), static_cast<size_t>(s.end - s.begin)));
    return parts;
  };
  // chatml has no {% generation %}: by prefixes.
  CHECK(said(model::train_text(of("chatml"), messages)) == std::vector<std::string>{"b<|im_end|>\n", "d<|im_end|>\n"});
  CHECK(said(model::train_text(of("llama3"), messages)) == std::vector<std::string>{"b<|eot_id|>", "d<|eot_id|>"});
  CHECK(said(model::train_text(of("deepseek-r1"), messages)) == std::vector<std::string>{"d<｜end▁of▁sentence｜>"});
  auto unstable = of("model");
  unstable.chat =
      std::make_shared<const model::ChatTemplate>("{% for m in messages %}{{ loop.length }}{{ m.content }}{% endfor %}", "t");
  CHECK_THAT(error_of([&] { model::train_text(unstable, messages); }),
             Contains("t: message 3: the template writes a turn otherwise"));
  CHECK_THAT(error_of([&] { model::train_text(of("plain"), messages); }), Contains("cannot write a conversation"));
  CHECK_THAT(error_of([&] { model::train_text(of("chatml"), talk({{"user", "a"}})); }), Contains("no message of the assistant"));
}

TEST_CASE("a conversation that is none is refused with its place", "[template]") {
  const auto wrong = [](const char* json) {
    return error_of([&] { model::check_messages(nlohmann::ordered_json::parse(json), "data.jsonl:3"); });
  };
  CHECK(wrong(R"([{"role": "user", "content": "a"}])") == "no error");
  CHECK_THAT(wrong("{}"), Contains("data.jsonl:3: is no conversation"));
  CHECK(wrong(R"([{"content": "a"}])") == "data.jsonl:3: message 1: has no text \"role\", such as user or assistant.");
  CHECK_THAT(wrong(R"([{"role": "user", "content": [{"type": "image"}]}])"), Contains("images and sound"));
}
