// Golden values come from the PyPI library `gguf`: tests/support/make_gguf_golden.py.
#include "model/gguf/gguf.h"

#include <cstring>

#include "model/files/checkpoint_folder.h"
#include "model/files/safetensors.h"
#include "model/tokenizer/tokenizer.h"
#include "tests/model/golden.h"
#include "tests/support/catch.h"

using Catch::Matchers::Contains;
using golden::error_of;
using golden::TemporaryFolder;

namespace {

model::GgufContent parse(const std::string& bytes) {
  return model::parse_gguf(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int64_t>(bytes.size()), "f.gguf");
}

std::string error_in(const std::string& bytes) {
  return error_of([&] { parse(bytes); });
}

// The file with the first `from` in it replaced; both have one length.
std::string replaced(std::string bytes, const std::string& from, const std::string& to) {
  const size_t at = bytes.find(from);
  REQUIRE(at != std::string::npos);
  REQUIRE(from.size() == to.size());
  return bytes.replace(at, from.size(), to);
}

std::string little_endian(uint64_t n, int bytes = 8) { return {reinterpret_cast<const char*>(&n), static_cast<size_t>(bytes)}; }

}  // namespace

TEST_CASE("each type is dequantised as the gguf library does it, bit for bit", "[gguf]") {
  for (const auto& c : golden::json("dequantized.json")) {
    INFO(c["name"]);
    const auto hex = c["bytes"].get<std::string>();
    std::vector<unsigned char> bytes;
    for (size_t i = 0; i < hex.size(); i += 2)
      bytes.push_back(static_cast<unsigned char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
    const auto expected = c["values"].get<std::vector<uint32_t>>();
    const auto* type = model::find_gguf_type(c["type"].get<uint32_t>());
    REQUIRE(type);
    std::vector<float> values(expected.size());
    REQUIRE(static_cast<int64_t>(bytes.size()) == static_cast<int64_t>(values.size()) / type->block_elements * type->block_bytes);
    model::dequantize(*type, bytes.data(), static_cast<int64_t>(values.size()), values.data());
    CHECK(std::memcmp(values.data(), expected.data(), expected.size() * 4) == 0);
  }
}

TEST_CASE("Q4_1 by hand: d q + m, low halves first", "[gguf]") {
  // d = 0.5 (half 0x3800), m = -1 (half 0xbc00); byte 0 is 0xf2: element 0 is 0.5 * 2 - 1 = 0, element 16 is 0.5 * 15 - 1 = 6.5.
  unsigned char block[20] = {0x00, 0x38, 0x00, 0xbc, 0xf2};
  float out[32];
  model::dequantize(*model::find_gguf_type(3), block, 32, out);
  CHECK(out[0] == 0.0f);
  CHECK(out[16] == 6.5f);
  CHECK(out[1] == -1.0f);
}

TEST_CASE("a GGUF file is imported as a folder: names, shapes, rotary order, values", "[gguf]") {
  const TemporaryFolder folder;
  const auto sentence = model::import_gguf(golden::path("tiny.gguf"), folder / "tiny");
  CHECK_THAT(sentence, Contains("Tiny test model: llama with 1 layers of width 32"));
  CHECK_THAT(sentence, Contains("1 BF16, 1 F16, 3 F32, 2 Q4_0, 2 Q4_1, 1 Q6_K, 1 Q8_0, dequantised to float32; 280 tokens"));
  CHECK_THAT(sentence, Contains("end of text: <|im_end|> (2)"));
  const auto config = model::read_config(folder / "tiny");
  CHECK(config.family == "llama");
  CHECK(config.tied_embedding);
  CHECK(config.norm_eps == 1e-5);  // not the 9.99999975e-06 of a float32
  CHECK(config.key_heads == 2);
  CHECK(config.max_positions == 128);
  CHECK(config.eos_token_ids == std::vector<int64_t>{2});
  model::ParameterStore store(config, false);
  model::read_weights(folder / "tiny", store);
  const auto expected = golden::json("tiny_gguf.json");
  CHECK(store.parameters().size() == expected.size());
  for (const auto& p : store.parameters()) {
    INFO(p.name);
    CHECK(p.shape == expected.at(p.name)["shape"].get<std::vector<int64_t>>());
    CHECK(golden::hex(golden::fnv(store.master_of(p.name), static_cast<size_t>(p.size) * 4)) == expected.at(p.name)["fnv"]);
  }
  CHECK(golden::json(folder / "tiny/tokenizer_config.json")["chat_template"] == "{{ messages }}");
  CHECK(golden::json(folder / "tiny/tokenizer_config.json")["eos_token"] == "<|im_end|>");
}

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
  for (const char* name : {"gpt-2", "smollm", "llama-bpe", "qwen2"})
    CHECK(pre(name)->decode(pre(name)->encode("it's 1234")) == "it's 1234");
  CHECK(pre("qwen2")->encode("e\u0301") == pre("qwen2")->encode("\u00e9"));  // NFC
  CHECK(pre("smollm")->encode("e\u0301") != pre("smollm")->encode("\u00e9"));
  CHECK(error_of([&] { pre("tekken"); }) ==
        "f.gguf: tokenizer.ggml.pre: is \"tekken\", but must be a supported pre-tokenizer: gpt-2, smollm, llama-bpe, qwen2.");
  metadata["tokenizer.ggml.model"] = "llama";
  CHECK_THAT(error_of([&] { pre("smollm"); }), Contains("only byte-level BPE"));
}

TEST_CASE("a token that starts every text is written for transformers, and left out by encode", "[gguf]") {
  auto metadata = parse(golden::text("tiny.gguf")).metadata;
  metadata["tokenizer.ggml.add_bos_token"] = true;
  const auto text = model::gguf_tokenizer_json(metadata, "f.gguf");
  CHECK(nlohmann::json::parse(text)["post_processor"]["special_tokens"]["<|im_start|>"]["ids"] == nlohmann::json::array({1}));
  const auto ids = model::Tokenizer::from_json(text, "f.gguf")->encode("x");
  CHECK(ids.size() == 1);
}

TEST_CASE("each kind of damage to a GGUF file is one clear error", "[gguf]") {
  const auto good = golden::text("tiny.gguf");
  REQUIRE(error_in(good) == "no error");
  CHECK_THAT(error_in(""), Contains("f.gguf: does not start with \"GGUF\""));
  CHECK_THAT(error_in(replaced(good, "GGUF", "GGML")), Contains("does not start with \"GGUF\""));
  CHECK_THAT(error_in(replaced(good, "GGUF\x03", "GGUF\x02")), Contains("GGUF version 2, but only version 3"));
  CHECK_THAT(error_in(good.substr(0, 8) + little_endian(1ull << 60) + good.substr(16)),
             Contains("1152921504606846976 tensors, more than fit"));
  CHECK_THAT(error_in(good.substr(0, 16) + little_endian(~0ull) + good.substr(24)), Contains("metadata entries, more than fit"));
  CHECK_THAT(error_in(good.substr(0, 24) + little_endian(~0ull) + good.substr(32)), Contains("bytes in a string, more than fit"));
  CHECK_THAT(error_in(good.substr(0, good.size() - 1000)), Contains("Was the file cut off?"));
  CHECK_THAT(error_in(good.substr(0, 600)), Contains("Was it cut off?"));
  const std::string block = "llama.block_count";
  CHECK_THAT(error_in(replaced(good, block + little_endian(4, 4), block + little_endian(13, 4))), Contains("has type 13"));
  const std::string norm = "output_norm.weight" + little_endian(1, 4) + little_endian(32);  // one dimension, 32
  CHECK_THAT(error_in(replaced(good, norm, "output_norm.weight" + little_endian(9, 4) + little_endian(32))),
             Contains("has 9 dimensions"));
  CHECK_THAT(error_in(replaced(good, norm, "output_norm.weight" + little_endian(1, 4) + little_endian(1ull << 62))),
             Contains("too large to be true"));
  CHECK_THAT(error_in(replaced(good, norm + little_endian(0, 4), norm + little_endian(12, 4))),
             Contains("is of type 12 (Q4_K), which is not supported"));
  CHECK_THAT(error_in(replaced(good, norm + little_endian(0, 4), norm + little_endian(14, 4))),
             Contains("no whole blocks of Q6_K"));
  const size_t offset = good.find(norm) + norm.size() + 4;
  const auto with_offset = [&](uint64_t at) {
    return error_in(good.substr(0, offset) + little_endian(at) + good.substr(offset + 8));
  };
  CHECK_THAT(with_offset(1), Contains("no multiple of 32"));
  CHECK_THAT(with_offset(32), Contains("overlap"));
  CHECK_THAT(with_offset(~0ull - 31), Contains("Was the file cut off?"));
}

TEST_CASE("a GGUF file of another family, or without a tensor, is refused by name", "[gguf]") {
  const TemporaryFolder folder;
  const auto import_error = [&](const std::string& bytes) {
    model::write_file_atomically(folder / "f.gguf", bytes);
    return error_of([&] { model::import_gguf(folder / "f.gguf", folder / "out"); });
  };
  const auto good = golden::text("tiny.gguf");
  CHECK_THAT(import_error(replaced(good, little_endian(5) + "llama", little_endian(5) + "gemma")),
             Contains("general.architecture: is \"gemma\""));
  CHECK_THAT(import_error(replaced(good, "blk.0.attn_k.weight", "blk.0.attn_x.weight")),
             Contains("tensor blk.0.attn_k.weight is missing"));
  CHECK_THAT(import_error(replaced(good, "llama.attention.head_count_kv" + little_endian(4, 4) + little_endian(2, 4),
                                   "llama.attention.head_count_kv" + little_endian(4, 4) + little_endian(4, 4))),
             Contains("attn_k.weight: has shape [16,32], but the metadata ask for [32,32]"));
  CHECK_FALSE(std::filesystem::exists(folder / "out/config.json"));
  CHECK_THAT(error_of([&] { model::import_gguf(folder / "none.gguf", folder / "out"); }),
             Contains("none.gguf: cannot be opened"));
}
