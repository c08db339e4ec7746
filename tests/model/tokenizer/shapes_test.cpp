// Tokenizers in the shapes of well-known families, trained small: tests/support/make_tokenizer_golden.py and
// tokenizer_shapes.py make them, and their golden values, with the PyPI library `tokenizers`.
#include "kernels/thread_pool.h"
#include "model/tokenizer/bpe_trainer.h"
#include "model/tokenizer/tokenizer.h"
#include "model/tokenizer/utf8.h"
#include "tests/model/golden.h"
#include "tests/support/catch.h"

using Catch::Matchers::Contains;
using golden::error_of;
using model::TextStream;
using model::Tokenizer;
using nlohmann::json;

namespace {

const json& cases() {
  static const json all = golden::json("tokenizer_shapes.json");
  return all;
}

json shape_json(const std::string& name) {
  for (const auto& shape : cases()["shapes"]) {
    if (shape["name"] != name) continue;
    json root = shape["tokenizer"];
    root["model"].update(cases()["vocabularies"][root["model"]["vocabulary"].get<size_t>()]);
    return root;
  }
  kernels::fail("no shape {}", name);
}

std::shared_ptr<const Tokenizer> shape(const std::string& name) { return Tokenizer::from_json(shape_json(name).dump(), name); }

std::string streamed(const std::shared_ptr<const Tokenizer>& tokenizer, const std::vector<int32_t>& ids) {
  TextStream stream(tokenizer);
  std::string text;
  for (const int32_t id : ids) {
    const auto part = stream.push(id);
    CHECK(model::find_invalid_utf8(part) == std::string::npos);
    text += part;
  }
  return text + stream.finish();
}

std::string hash(const std::string& text) { return golden::hex(golden::fnv(text.data(), text.size())); }

}  // namespace

TEST_CASE("ids and decoded texts equal those of the tokenizers library, for each family's shape", "[tokenizer]") {
  for (const auto& c : cases()["shapes"]) {
    const auto tokenizer = shape(c["name"]);
    for (size_t i = 0; i < c["texts"].size(); ++i) {
      INFO(c["name"] << ": " << c["texts"][i]);
      const auto ids = tokenizer->encode(c["texts"][i].get<std::string>());
      CHECK(golden::hex(golden::fnv(ids)) == c["fnv"][i]);
      CHECK(hash(tokenizer->decode(ids)) == c["decoded"][i]);
    }
    CHECK(json(tokenizer->encode("a b", /*add_special_tokens=*/true)) == c["with_special"]);
  }
}

TEST_CASE("a stream gives what decode gives, for ids in any order", "[tokenizer]") {
  uint64_t state = 7;
  const auto random = [&](int64_t below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<int32_t>((state >> 33) % static_cast<uint64_t>(below));
  };
  for (const auto& c : cases()["shapes"]) {
    const auto tokenizer = shape(c["name"]);
    for (int round = 0; round < 50; ++round) {
      std::vector<int32_t> ids;
      for (int k = random(30); k >= 0; --k) ids.push_back(random(k % 2 == 0 ? std::min<int64_t>(300, tokenizer->size()) : tokenizer->size()));
      INFO(c["name"] << ": " << json(ids));
      CHECK(streamed(tokenizer, ids) == tokenizer->decode(ids));
    }
  }
}

TEST_CASE("a stream holds back what is not certain", "[tokenizer]") {
  const auto bytes = shape("gpt-neox");
  TextStream stream(bytes);
  const auto ids = bytes->encode("\u2620");  // three bytes, no merge
  REQUIRE(ids.size() == 3);
  CHECK(stream.push(ids[0]).empty());
  CHECK(stream.push(ids[1]).empty());
  CHECK(stream.push(ids[2]) == "\u2620");
  CHECK(stream.push(ids[0]).empty());
  CHECK(stream.push(bytes->id_of("a")) == "\ufffd" "a");  // that byte can no longer become a character
  CHECK(stream.push(ids[0]).empty());
  CHECK(stream.finish() == "\ufffd");

  const auto llama = shape("llama-2");
  TextStream words(llama);
  const auto byte = [&](int b) { return llama->id_of(fmt::format("<0x{:02X}>", b)); };
  CHECK(words.push(llama->id_of("\u2581")).empty());  // the space at the start is stripped
  CHECK(words.push(llama->id_of("\u2581")) == " ");
  CHECK(words.push(byte(0xc3)).empty());
  CHECK(words.push(byte(0xa9)).empty());  // one more byte would spoil the run
  CHECK(words.push(llama->id_of("a")) == "\u00e9" "a");
  CHECK(words.push(byte(0xc3)).empty());
  CHECK(words.finish() == "\ufffd");
  CHECK(llama->token_bytes(byte(0xc3)) == "\xc3");
  CHECK(llama->token_bytes(llama->id_of("\u2581")) == " ");
  CHECK(llama->spelling(byte(0xc3)) == "<0xC3>");
}

TEST_CASE("a batch gives what one text after the other gives, on any number of threads", "[tokenizer]") {
  const auto tokenizer = shape("llama-3");
  std::vector<std::string> texts;
  for (const auto& c : cases()["shapes"])
    for (const auto& text : c["texts"]) texts.push_back(text);
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  std::vector<std::vector<int32_t>> expected;
  for (const auto& text : texts) expected.push_back(tokenizer->encode(text));
  const int64_t before = kernels::threads();
  for (const int64_t threads : {1, 2, 5}) {
    kernels::set_threads(threads);
    CHECK(tokenizer->encode_batch(views) == expected);
    CHECK_THROWS_WITH(tokenizer->encode_batch({"fine", "\xff"}), Contains("is not UTF-8"));
  }
  kernels::set_threads(before);
}

TEST_CASE("pieces that two tokenizers cut alike do not share their ids", "[tokenizer]") {
  // Both see the piece "ab"; the one knows the merge.
  const auto make = [](const json& merges) {
    auto root = shape_json("gpt-neox");
    root["added_tokens"] = json::array();
    root["model"]["vocab"] = {{"a", 0}, {"b", 1}, {"ab", 2}, {"t", 3}, {"h", 4}, {"th", 5}};
    root["model"]["merges"] = merges;
    return Tokenizer::from_json(root.dump(), "t");
  };
  const auto with = make(json::array({"a b"})), without = make(json::array({"t h"}));
  for (int round = 0; round < 3; ++round) {
    CHECK(with->encode("ab").size() == 1);
    CHECK(without->encode("ab").size() == 2);
  }
}

TEST_CASE("a trained vocabulary and its merges equal those of the library's trainer", "[tokenizer]") {
  for (const auto& expected : cases()["trained"]) {
    model::BpeTraining training;
    training.vocab_size = 1000;
    training.special = {"<|endoftext|>"};
    training.pattern = expected["pattern"];
    model::BpeTrainer trainer(training);
    for (const auto& text : cases()["corpus"]) trainer.add(text.get<std::string>());
    const auto result = trainer.train();
    const auto root = json::parse(result.tokenizer_json);
    std::vector<std::string> tokens(root["model"]["vocab"].size());
    for (const auto& [token, id] : root["model"]["vocab"].items()) tokens.at(id.get<size_t>()) = token;
    std::string listed, merges;
    for (const auto& token : tokens) listed += (listed.empty() ? "" : "\n") + token;
    for (const auto& m : root["model"]["merges"])
      merges += (merges.empty() ? "" : "\n") + m[0].get<std::string>() + " " + m[1].get<std::string>();
    INFO(training.pattern);
    CHECK(result.tokens == 1000);
    CHECK(root["model"]["merges"].size() == expected["count"]);
    CHECK(hash(listed) == expected["tokens"]);
    CHECK(hash(merges) == expected["merges"]);
    const auto tokenizer = Tokenizer::from_json(result.tokenizer_json, "trained");
    CHECK(tokenizer->id_of("<|endoftext|>") == 0);
    const std::string text = "How many clips did Natalia sell? \u00e9\u2620 <|endoftext|>";
    CHECK(tokenizer->decode(tokenizer->encode(text)) == text);
  }
}

TEST_CASE("the pair that is counted most often is merged first, of equals the one with smaller ids", "[tokenizer]") {
  // "abab" twice and "cd" four times: the pairs ab and cd are counted 4 times each, ba twice. a < c, so ab comes first;
  // then cd (4) before the pair of two ab (2).
  model::BpeTraining training;
  training.vocab_size = 259;
  training.pattern = "gpt2";
  model::BpeTrainer trainer(training);
  for (const char* text : {"abab", "cd", "cd", "cd", "abab", "cd"}) trainer.add(text);
  const auto root = json::parse(trainer.train().tokenizer_json);
  CHECK(root["model"]["merges"] == json::array({{"a", "b"}, {"c", "d"}, {"ab", "ab"}}));
}

TEST_CASE("training that cannot be is refused", "[tokenizer]") {
  const auto error = [](int64_t size, std::vector<std::string> special, const std::string& pattern) {
    return error_of([&] { model::BpeTrainer({size, std::move(special), pattern}); });
  };
  CHECK(error(256, {}, "gpt2") == "no error");
  CHECK_THAT(error(256, {"<x>"}, "gpt2"), Contains("vocab: is 256, but must be from 257"));
  CHECK_THAT(error(300, {"<x>", "<x>"}, "gpt2"), Contains("\"<x>\" comes twice"));
  CHECK_THAT(error(300, {"a"}, "gpt2"), Contains("stands for a byte already"));
  CHECK_THAT(error(300, {}, "bert"), Contains("must be gpt2, qwen2 or llama3"));
  model::BpeTrainer trainer({300, {}, "gpt2"});
  CHECK_THAT(error_of([&] { trainer.add("a\xff"); }), Contains("byte 1 of a text of 2 bytes is not UTF-8"));
}

TEST_CASE("places in a file are named where something is refused", "[tokenizer]") {
  const auto with = [](const char* key, const json& part) {
    auto root = shape_json("llama-2");
    root[key] = part;
    return error_of([&] { Tokenizer::from_json(root.dump(), "t.json"); });
  };
  const json bad{{"type", "Sequence"}, {"normalizers", {{{"type", "NFC"}}, {{"type", "Nmt"}}}}};
  CHECK_THAT(with("normalizer", bad), Contains("t.json: normalizer: normalizers[1]: type: is \"Nmt\""));
  const json split{{"type", "Split"}, {"pattern", {{"Regex", "[a&&b]"}}}, {"behavior", "Isolated"}};
  CHECK_THAT(with("pre_tokenizer", split),
             Contains("t.json: pre_tokenizer: pattern: regular expression \"[a&&b]\": && inside []"));
  CHECK_THAT(with("pre_tokenizer", {{"type", "Metaspace"}, {"replacement", "__"}}), Contains("must be one character"));
  CHECK_THAT(with("decoder", {{"type", "CTC"}}), Contains("t.json: decoder: type: is \"CTC\""));
  const json special{{"SpecialToken", {{"id", "<x>"}}}};
  const json around{{"type", "TemplateProcessing"}, {"single", json::array({special})}, {"special_tokens", json::object()}};
  CHECK_THAT(with("post_processor", around),
             Contains("t.json: post_processor: special_tokens: <x>: is missing"));
  json deep{{"type", "NFC"}};
  for (int i = 0; i < 20; ++i) deep = json{{"type", "Sequence"}, {"normalizers", json::array({deep})}};
  CHECK_THAT(with("normalizer", deep), Contains("nested more than 8 deep"));
  CHECK(with("truncation", {{"max_length", 2}}) == "no error");  // has no effect
}
