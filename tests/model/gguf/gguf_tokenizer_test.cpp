// Golden files come from the PyPI libraries `gguf` and `tokenizers`: tests/support/make_gguf_golden.py.
#include "model/gguf/gguf_import.h"

#include "model/tokenizer/tokenizer.h"
#include "tests/model/gguf/support.h"

using Catch::Matchers::Contains;
using golden::error_of;
using namespace gguf_test;

TEST_CASE("the imported tokenizer splits digits one by one and knows its special tokens", "[gguf]") {
  const auto gguf = parse(golden::text("tiny.gguf"));
  const auto t = model::Tokenizer::from_json(model::gguf_tokenizer_json(gguf.metadata, "f.gguf"), "f.gguf");
  CHECK(t->size() == 280);
  CHECK(t->encode("<|im_end|>") == std::vector<int32_t>{2});
  CHECK(t->is_special(2));
  CHECK(t->encode("12").size() == 2);
  CHECK(t->decode(t->encode("the cats, 12\n")) == "the cats, 12\n");
}

TEST_CASE("pre-tokenizers are known by name, and an unknown one is refused", "[gguf]") {
  auto metadata = parse(golden::text("tiny.gguf")).metadata;
  const auto pre = [&](const char* name) {
    metadata["tokenizer.ggml.pre"] = name;
    return model::Tokenizer::from_json(model::gguf_tokenizer_json(metadata, "f.gguf"), "f.gguf");
  };
  for (const char* name : {"default", "gpt-2", "smollm", "llama-bpe", "qwen2", "deepseek-r1-qwen", "deepseek-llm",
                           "deepseek-coder", "deepseek-v3", "tekken"})
    CHECK(pre(name)->decode(pre(name)->encode("it's 1234")) == "it's 1234");
  CHECK(pre("qwen2")->encode("e\u0301") == pre("qwen2")->encode("\u00e9"));  // NFC
  CHECK(pre("smollm")->encode("e\u0301") != pre("smollm")->encode("\u00e9"));
  CHECK(error_of([&] { pre("falcon"); }) ==
        "f.gguf: tokenizer.ggml.pre: is \"falcon\", but must be a supported pre-tokenizer: default, gpt-2, smollm, llama-bpe, "
        "llama3, llama-v3, qwen2, deepseek-r1-qwen, deepseek-llm, deepseek-coder, deepseek-v3, tekken.");
  metadata["tokenizer.ggml.model"] = "bert";
  CHECK_THAT(error_of([&] { pre("smollm"); }), Contains("must be a tokenizer that is imported: gpt2 (byte-level BPE), llama"));
}

TEST_CASE("tekken cuts where lower case turns to upper case, and joins whole pieces of the vocabulary", "[gguf]") {
  auto metadata = parse(golden::text("tiny.gguf")).metadata;
  metadata["tokenizer.ggml.pre"] = "tekken";
  metadata["tokenizer.ggml.tokens"].push_back("aB");  // no merge makes it
  metadata["tokenizer.ggml.tokens"].push_back("Ab");
  metadata["tokenizer.ggml.token_type"].push_back(1);
  metadata["tokenizer.ggml.token_type"].push_back(1);
  const auto t = model::Tokenizer::from_json(model::gguf_tokenizer_json(metadata, "f.gguf"), "f.gguf");
  CHECK(t->encode("Ab") == std::vector<int32_t>{t->id_of("Ab")});
  CHECK(t->encode("aB") == std::vector<int32_t>{t->id_of("a"), t->id_of("B")});
}

TEST_CASE("a token that starts every text is written for transformers, and left out by encode", "[gguf]") {
  auto metadata = parse(golden::text("tiny.gguf")).metadata;
  metadata["tokenizer.ggml.add_bos_token"] = true;
  const auto text = model::gguf_tokenizer_json(metadata, "f.gguf");
  CHECK(nlohmann::json::parse(text)["post_processor"]["special_tokens"]["<|im_start|>"]["ids"] == nlohmann::json::array({1}));
  const auto ids = model::Tokenizer::from_json(text, "f.gguf")->encode("x");
  CHECK(ids.size() == 1);
}

TEST_CASE("llama-bpe starts with the begin token unless the file says not", "[gguf]") {
  auto metadata = parse(golden::text("tiny.gguf")).metadata;
  const auto post = [&] { return nlohmann::json::parse(model::gguf_tokenizer_json(metadata, "f.gguf"))["post_processor"]; };
  CHECK(post().is_null());
  metadata["tokenizer.ggml.pre"] = "llama-bpe";
  CHECK(post()["single"][0]["SpecialToken"]["id"] == "<|im_start|>");
  metadata["tokenizer.ggml.add_bos_token"] = false;
  CHECK(post().is_null());
  metadata["tokenizer.ggml.add_eos_token"] = true;
  CHECK(post()["single"][1]["SpecialToken"]["id"] == "<|im_end|>");
}

TEST_CASE("SentencePiece scores become the merges that transformers derives", "[gguf]") {
  const auto metadata = parse(golden::text("tiny_mistral.gguf")).metadata;
  const auto expected = golden::json("tiny_mistral_tokenizer.json");
  const auto text = model::gguf_tokenizer_json(metadata, "f.gguf");
  const auto json = nlohmann::json::parse(text);
  CHECK(json["model"]["merges"] == expected["merges"]);
  CHECK(json["model"]["unk_token"] == "<unk>");
  CHECK(json["added_tokens"].size() == 4);
  CHECK(json["added_tokens"][3]["special"] == false);  // <tool> is the user's
  CHECK(json["post_processor"]["single"][0]["SpecialToken"]["id"] == "<s>");
}

TEST_CASE("an imported SentencePiece tokenizer gives the ids of the tokenizers library", "[gguf]") {
  const auto metadata = parse(golden::text("tiny_mistral.gguf")).metadata;
  const auto t = model::Tokenizer::from_json(model::gguf_tokenizer_json(metadata, "f.gguf"), "f.gguf");
  for (const auto& c : golden::json("tiny_mistral_tokenizer.json")["texts"]) {
    INFO(c["text"]);
    const auto ids = t->encode(c["text"].get<std::string>());
    CHECK(ids == c["ids"].get<std::vector<int32_t>>());
    CHECK(t->decode(ids) == c["decoded"]);
  }
}

TEST_CASE("a broken vocabulary is refused by name", "[gguf]") {
  const auto error = [&](const char* file, const char* key, const nlohmann::json& value) {
    auto metadata = parse(golden::text(file)).metadata;
    metadata[key] = value;
    return error_of([&] { model::gguf_tokenizer_json(metadata, "f.gguf"); });
  };
  const auto list = [](std::initializer_list<nlohmann::json> values) { return nlohmann::json(nlohmann::json::array_t(values)); };
  CHECK_THAT(error("tiny.gguf", "tokenizer.ggml.tokens", list({"a", "a"})), Contains("tokenizer.ggml.token_type: is"));
  CHECK_THAT(error("tiny.gguf", "tokenizer.ggml.token_type", list({1})), Contains("must be a list, one a token"));
  CHECK_THAT(error("tiny.gguf", "tokenizer.ggml.merges", list({"\xff"})), Contains("must be a list of UTF-8 strings"));
  CHECK_THAT(error("tiny_mistral.gguf", "tokenizer.ggml.scores", list({1.0})), Contains("a list of numbers, one a token"));
  CHECK_THAT(error("tiny_mistral.gguf", "tokenizer.ggml.remove_extra_whitespaces", true), Contains("must be false"));
}
