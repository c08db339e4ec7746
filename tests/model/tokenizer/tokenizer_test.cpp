// Golden ids come from the PyPI library `tokenizers`: tests/support/make_tokenizer_golden.py.
#include "model/tokenizer/tokenizer.h"

#include <fstream>
#include <thread>

#include "tests/model/golden.h"
#include "tests/support/catch.h"
#include "tests/support/source_dir.h"

using Catch::Matchers::Contains;
using golden::error_of;
using model::Tokenizer;
using nlohmann::json;

namespace {

// The base file with some of its parts replaced.
std::string variant(const json& replace) {
  auto root = golden::json("small_tokenizer.json");
  for (const auto& [key, value] : replace.items()) {
    if (key == "model")
      root["model"].update(value);
    else
      root[key] = value;
  }
  return root.dump();
}

std::string error_with(const json& replace) {
  return error_of([&] { Tokenizer::from_json(variant(replace), "tokenizer.json"); });
}

// Count and hash of the ids of all questions and answers, or nothing when the data are not there.
json gsm8k_ids(const Tokenizer& tokenizer) {
  int64_t count = 0;
  uint64_t h = 0xcbf29ce484222325u;
  for (const char* split : {"train", "test"}) {
    std::ifstream in(testing::source_dir() + "/configs/data/gsm8k/" + split + ".jsonl");
    if (!in) return {};
    for (std::string line; std::getline(in, line);) {
      const auto row = json::parse(line);
      for (const char* key : {"question", "answer"}) {
        const auto ids = tokenizer.encode(row[key].get_ref<const std::string&>());
        count += static_cast<int64_t>(ids.size());
        h = golden::fnv(ids, h);
      }
    }
  }
  return {{"ids", count}, {"fnv", golden::hex(h)}};
}

}  // namespace

TEST_CASE("ids equal those of the tokenizers library, for each pre-tokenizer and normaliser", "[tokenizer]") {
  const auto cases = golden::json("tokenizer_cases.json");
  for (const auto& v : cases["variants"]) {
    const auto tokenizer = Tokenizer::from_json(variant(v["replace"]), v["name"].get<std::string>());
    for (size_t i = 0; i < cases["texts"].size(); ++i) {
      const auto text = cases["texts"][i].get<std::string>();
      INFO(v["name"] << ": " << cases["texts"][i]);
      const auto ids = tokenizer->encode(text);
      CHECK(golden::hex(golden::fnv(ids)) == v["fnv"][i]);
      if (v["name"] == "gpt-2" && i < cases["ids"].size()) {
        CHECK(json(ids) == cases["ids"][i]);
        CHECK(tokenizer->decode(ids) == text);
      }
    }
  }
}

TEST_CASE("both spellings of the merges mean the same", "[tokenizer]") {
  auto root = golden::json("small_tokenizer.json");
  REQUIRE(root["model"]["merges"][0].is_array());
  const auto pairs = Tokenizer::from_json(root.dump(), "pairs");
  for (auto& merge : root["model"]["merges"]) merge = merge[0].get<std::string>() + " " + merge[1].get<std::string>();
  const auto joined = Tokenizer::from_json(root.dump(), "joined");
  for (const char* text : {"Natalia sold clips to 48 of her friends", "  x\n\n"})
    CHECK(pairs->encode(text) == joined->encode(text));
}

TEST_CASE("merges apply in the order of the list, the leftmost of equals first", "[tokenizer]") {
  // a b c a: "b c" is listed before "a b", so it is joined first: a (bc) a, and "a b" finds no pair. Then "a bc" is joined.
  const json model{{"type", "BPE"},
                   {"vocab", {{"a", 0}, {"b", 1}, {"c", 2}, {"bc", 3}, {"ab", 4}, {"abc", 5}, {"aa", 6}}},
                   {"merges", {"b c", "a b", "a bc", "a a"}}};
  const auto t = Tokenizer::from_json(variant({{"model", model}, {"added_tokens", json::array()}}), "t");
  CHECK(t->encode("abca") == std::vector<int32_t>{5, 0});
  CHECK(t->encode("ab") == std::vector<int32_t>{4});
  CHECK(t->encode("aaa") == std::vector<int32_t>{6, 0});  // the left pair, not the right one
}

TEST_CASE("special tokens are found in text, marked, and left out on request", "[tokenizer]") {
  const auto t = Tokenizer::from_json(golden::text("small_tokenizer.json"), "small");
  const int32_t start = t->id_of("<|im_start|>");
  REQUIRE(start == 1);
  CHECK(t->encode("<|im_start|>") == std::vector<int32_t>{start});
  CHECK(t->is_special(start));
  CHECK_FALSE(t->is_special(t->id_of("a")));
  CHECK(t->token_bytes(start) == "<|im_start|>");
  CHECK(t->token_bytes(t->id_of("\u0120")) == " ");  // GPT-2's letter for the space
  const auto ids = t->encode("<|im_start|>hi<|im_end|>");
  CHECK(t->decode(ids) == "<|im_start|>hi<|im_end|>");
  CHECK(t->decode(ids, true) == "hi");
  CHECK(t->id_of("no such token") == -1);
  CHECK(t->json() == golden::text("small_tokenizer.json"));
}

TEST_CASE("text that is not UTF-8 and ids out of range are errors, not guesses", "[tokenizer]") {
  const auto t = Tokenizer::from_json(golden::text("small_tokenizer.json"), "small");
  for (const char* bad : {"\xff", "a\xc3", "\xed\xa0\x80", "\xc0\xaf", "\xf4\x90\x80\x80", "ok \x80"})
    CHECK_THROWS_WITH(t->encode(bad), Contains("is not UTF-8"));
  CHECK_THROWS_WITH(t->token_bytes(-1), Contains("token id -1"));
  CHECK_THROWS_WITH(t->decode({static_cast<int32_t>(t->size())}), Contains("is not in the vocabulary"));
}

TEST_CASE("a character may be cut between tokens: decode repairs it, token_bytes gives the bytes", "[tokenizer]") {
  const auto small = Tokenizer::from_json(golden::text("small_tokenizer.json"), "small");
  const auto ids = small->encode("\u2620");  // three bytes without a merge
  REQUIRE(ids.size() == 3);
  CHECK(small->decode({ids[0]}) == "\ufffd");
  CHECK(small->token_bytes(ids[0]) == "\xe2");
  CHECK(small->decode(ids) == "\u2620");
}

TEST_CASE("the character tokenizer gives one id a character, as the tokenizers library reads it", "[tokenizer]") {
  const auto text =
      model::character_tokenizer_json("0123456789+=; <>", {"<think>", "</think>", "<answer>", "</answer>", "<eos>", "<pad>"});
  // This very text is what make_tokenizer_golden.py loads.
  REQUIRE(text == golden::text("character_tokenizer.json"));
  const auto t = Tokenizer::from_json(text, "characters");
  CHECK(t->size() == 22);
  CHECK(t->id_of("0") == 0);
  CHECK(t->id_of("<think>") == 16);
  CHECK(t->is_special(t->id_of("<pad>")));
  for (const auto& [prompt, ids, decoded] :
       golden::json("character_cases.json").get<std::vector<std::tuple<std::string, json, std::string>>>()) {
    CHECK(json(t->encode(prompt)) == ids);
    CHECK(t->decode(t->encode(prompt)) == decoded);
  }
  CHECK_THROWS_WITH(t->encode("1-1"), Contains("the character \"-\" is not in its alphabet"));
  CHECK_THROWS_WITH(t->encode("1\u00e91"), Contains("the character \"\u00e9\" is not in its alphabet"));
}

TEST_CASE("an alphabet that cannot be one is refused", "[tokenizer]") {
  CHECK_THAT(error_of([] { model::character_tokenizer_json("ab\u00e9", {}); }),
             Contains("character 3 is \"\u00e9\"; only ASCII"));
  CHECK_THAT(error_of([] { model::character_tokenizer_json("aba", {}); }), Contains("\"a\" comes twice"));
  CHECK_THAT(error_of([] { model::character_tokenizer_json("ab", {"<x>", "<x>"}); }), Contains("\"<x>\" comes twice"));
  CHECK_THAT(error_of([] { model::character_tokenizer_json("ab", {"a"}); }), Contains("\"a\" comes twice"));
  CHECK_THAT(error_of([] { model::character_tokenizer_json("ab", {""}); }), Contains("one is empty"));
  CHECK_THAT(error_of([] { model::character_tokenizer_json("", {}); }), Contains("is empty"));
}

TEST_CASE("parts that are not covered are refused by name", "[tokenizer]") {
  const auto type = [](const char* name) { return json{{"type", name}}; };
  CHECK(error_with({{"normalizer", type("BertNormalizer")}}) ==
        "tokenizer.json: normalizer: type: is \"BertNormalizer\", but must be a supported part: Sequence, NFC, NFD, NFKC, NFKD, "
        "Lowercase, Replace, Prepend, Strip, ByteLevel.");
  CHECK_THAT(error_with({{"pre_tokenizer", type("BertPreTokenizer")}}), Contains("pre_tokenizer: type: is \"BertPreTokenizer\""));
  CHECK_THAT(error_with({{"decoder", type("WordPiece")}}), Contains("decoder: type: is \"WordPiece\""));
  CHECK_THAT(error_with({{"post_processor", type("BertProcessing")}}), Contains("BertProcessing"));
  CHECK_THAT(error_with({{"model", {{"type", "Unigram"}}}}), Contains("model: type: is \"Unigram\""));
  CHECK_THAT(error_with({{"model", {{"dropout", 0.1}}}}), Contains("dropout: is 0.1"));
  CHECK_THAT(error_with({{"model", {{"end_of_word_suffix", "</w>"}}}}), Contains("end_of_word_suffix"));
  CHECK_THAT(error_with({{"model", {{"merges", {"a zz"}}}}}), Contains("needs the token \"zz\""));
  CHECK_THAT(error_with({{"model", {{"merges", {"ab"}}}}}), Contains("entry 0 is \"ab\""));
  CHECK_THAT(error_with({{"model", {{"vocab", {{"a", 0}, {"b", 0}}}}}}), Contains("both have id 0"));
  CHECK_THAT(error_with({{"model", {{"vocab", {{"a", 2000000000}}}}}}), Contains("the id of \"a\" is 2000000000"));
  CHECK_THAT(error_with({{"added_tokens", {{{"id", 3}, {"content", "<x>"}}}}}), Contains("\"<x>\" has id 3, which is \"!\""));
  CHECK_THAT(error_of([] { Tokenizer::from_json("{\"model\":", "tokenizer.json"); }),
             Contains("tokenizer.json: this is not JSON"));
  CHECK_THAT(error_of([] { Tokenizer::from_directory("/no/such/folder"); }),
             Contains("/no/such/folder/tokenizer.json: cannot be read"));
}

TEST_CASE("a piece of a million characters is merged in time", "[tokenizer]") {
  const auto t = Tokenizer::from_json(golden::text("small_tokenizer.json"), "small");
  const std::string text(1 << 20, 'e');
  CHECK(t->decode(t->encode(text)) == text);
}

TEST_CASE("one tokenizer serves several threads", "[tokenizer]") {
  const auto t = Tokenizer::from_json(golden::text("small_tokenizer.json"), "small");
  const auto texts = golden::json("tokenizer_cases.json")["texts"].get<std::vector<std::string>>();
  std::vector<std::vector<int32_t>> expected;
  for (const auto& text : texts) expected.push_back(Tokenizer::from_json(t->json(), "fresh")->encode(text));
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (int k = 0; k < 4; ++k)
    threads.emplace_back([&, k] {
      for (size_t i = 0; i < texts.size(); ++i) wrong[k] += t->encode(texts[i]) != expected[i];
    });
  for (auto& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(4));
}

TEST_CASE("ids equal those of the tokenizers library on all of GSM8K", "[tokenizer]") {
  const auto cases = golden::json("tokenizer_cases.json");
  const auto& smollm = cases["variants"][1];
  REQUIRE(smollm["name"] == "smollm");
  const auto found = gsm8k_ids(*Tokenizer::from_json(variant(smollm["replace"]), "smollm"));
  if (found.is_null()) {
    WARN("configs/data/gsm8k is not there; nothing was compared");
    return;
  }
  CHECK(found == golden::json("gsm8k_hashes.json")["small, smollm"]);
}

TEST_CASE("SmolLM2's ids equal those of the tokenizers library on all of GSM8K", "[tokenizer]") {
  const auto folder = testing::source_dir() + "/models/smollm2-135m";
  if (!std::filesystem::exists(folder + "/tokenizer.json")) {
    WARN("models/smollm2-135m is not there (./ponder fetch smollm2-135m brings it); nothing was compared");
    return;
  }
  const auto found = gsm8k_ids(*Tokenizer::from_directory(folder));
  if (found.is_null()) {
    WARN("configs/data/gsm8k is not there; nothing was compared");
    return;
  }
  const auto expected = golden::json("gsm8k_hashes.json");
  CHECK(found == expected["smollm2"]);
  // transformers 5.23 leaves out the file's digit splits when it reads the GGUF; without them we agree with it as well.
  auto root = json::parse(model::read_text_file(folder + "/tokenizer.json"));
  root["pre_tokenizer"] = json(root["pre_tokenizer"]["pretokenizers"][1]);
  CHECK(gsm8k_ids(*Tokenizer::from_json(root.dump(), "without digits")) ==
        expected["smollm2, as transformers reads the GGUF file"]);
}

TEST_CASE("white space that the token before it has taken along is no token of its own", "[tokenizer]") {
  const auto t = Tokenizer::from_json(R"({"added_tokens": [{"id": 3, "content": "\n\n", "lstrip": true, "rstrip": true}],
                                          "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "\n": 2}, "merges": []}})",
                                      "t");
  CHECK(t->encode("a\n\nb") == std::vector<int32_t>{0, 3, 1});
  CHECK(t->encode("a\n\n\n\n\nb") == std::vector<int32_t>{0, 3, 1});
}
