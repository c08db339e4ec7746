// Golden files come from the PyPI libraries `gguf` and `tokenizers`: tests/support/make_gguf_golden.py.
#include "model/gguf/gguf_import.h"

#include <cmath>
#include <set>

#include "model/files/checkpoint_folder.h"
#include "model/files/safetensors.h"
#include "model/tokenizer/tokenizer.h"
#include "tests/model/gguf/support.h"

using Catch::Matchers::Contains;
using golden::error_of;
using golden::TemporaryFolder;
using namespace gguf_test;

namespace {

// Every tensor of the folder has the shape and the bits that the golden file asks for.
void check_weights(const std::string& folder, const std::string& name) {
  const model::SafetensorsFile file(folder + "/model.safetensors");
  const auto expected = golden::json(name + "_gguf.json");
  CHECK(file.entries().size() == expected.size());
  for (const auto& entry : file.entries()) {
    INFO(entry.name);
    CHECK(entry.dtype == "F32");
    CHECK(entry.shape == expected.at(entry.name)["shape"].get<std::vector<int64_t>>());
    CHECK(golden::hex(golden::fnv(entry.data, static_cast<size_t>(entry.bytes))) == expected.at(entry.name)["fnv"]);
  }
}

model::GgufContent with(const char* name, const char* key, const nlohmann::json& value) {
  auto gguf = parse(golden::text(name));
  gguf.metadata[key] = value;
  return gguf;
}

std::string config_error(const char* name, const char* key, const nlohmann::json& value) {
  return error_of([&] { model::gguf_config(with(name, key, value), "f.gguf"); });
}

}  // namespace

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
  check_weights(folder / "tiny", "tiny");
  CHECK(golden::json(folder / "tiny/tokenizer_config.json")["chat_template"] == "{{ messages }}");
  CHECK(golden::json(folder / "tiny/tokenizer_config.json")["eos_token"] == "<|im_end|>");
}

TEST_CASE("qwen2: biases, an untied head, no rotary order to undo, padded rows are no tokens", "[gguf]") {
  const TemporaryFolder folder;
  CHECK_THAT(model::import_gguf(golden::path("tiny_qwen2.gguf"), folder / "out"), Contains("qwen2 with 2 layers of width 32"));
  const auto config = model::read_config(folder / "out");
  CHECK(config.family == "qwen2");
  CHECK(config.query_key_value_bias);
  CHECK_FALSE(config.output_bias);
  CHECK_FALSE(config.tied_embedding);
  CHECK(config.rope_theta == 1e6);
  CHECK(config.vocab_size == 280);
  CHECK(model::Tokenizer::from_directory(folder / "out")->size() == 276);
  check_weights(folder / "out", "tiny_qwen2");
}

TEST_CASE("qwen3: norms of q and k, heads wider than width / heads", "[gguf]") {
  const TemporaryFolder folder;
  model::import_gguf(golden::path("tiny_qwen3.gguf"), folder / "out");
  const auto config = model::read_config(folder / "out");
  CHECK(config.family == "qwen3");
  CHECK(config.query_key_norm);
  CHECK(config.head_size == 16);
  CHECK(config.tied_embedding);
  check_weights(folder / "out", "tiny_qwen3");
}

TEST_CASE("Llama 3's rope divisors become its scaling; a SentencePiece tokenizer comes along", "[gguf]") {
  const TemporaryFolder folder;
  model::import_gguf(golden::path("tiny_mistral.gguf"), folder / "out");
  const auto config = model::read_config(folder / "out");
  CHECK(config.family == "llama");
  CHECK(config.rope_scaling.kind == "llama3");
  CHECK(config.rope_scaling.factor == 32.0);
  CHECK(config.rope_scaling.original_positions == 8192);
  check_weights(folder / "out", "tiny_mistral");
}

TEST_CASE("an import to bf16 rounds the matrices and keeps the norms", "[gguf]") {
  const TemporaryFolder folder;
  model::import_gguf(golden::path("tiny.gguf"), folder / "exact");
  CHECK_THAT(model::import_gguf(golden::path("tiny.gguf"), folder / "short", kernels::Dtype::bf16),
             Contains("dequantised to bf16"));
  const model::SafetensorsFile exact(folder / "exact/model.safetensors"), rounded(folder / "short/model.safetensors");
  for (const auto& entry : exact.entries()) {
    INFO(entry.name);
    const auto* other = rounded.find(entry.name);
    REQUIRE(other);
    CHECK(other->dtype == (entry.shape.size() == 1 ? "F32" : "BF16"));
    const size_t count = static_cast<size_t>(entry.bytes) / 4;
    std::vector<float> a(count), b(count);
    model::read_as_float32(entry, "f", a.data());
    model::read_as_float32(*other, "f", b.data());
    for (size_t i = 0; i < count; ++i) REQUIRE(std::abs(a[i] - b[i]) <= std::abs(a[i]) / 256);
  }
}

TEST_CASE("an import is cut into files, and replaces all of an earlier model", "[gguf]") {
  const TemporaryFolder folder;
  const auto files = [&] {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder / "out")) names.insert(entry.path().filename().string());
    return names;
  };
  // The embedding (35,840 bytes) | norms and attention (12,544) | gate | up | down (32,768 each) | the last norm.
  model::import_gguf(golden::path("tiny.gguf"), folder / "out", kernels::Dtype::float32, /*shard_bytes=*/20000);
  CHECK(files().contains("model.safetensors.index.json"));
  CHECK(files().contains("model-00001-of-00006.safetensors"));
  CHECK_FALSE(files().contains("model.safetensors"));
  model::write_file_atomically(folder / "out/chat_template.jinja", "of another model");
  model::import_gguf(golden::path("tiny.gguf"), folder / "out");
  CHECK(files() == std::set<std::string>{"config.json", "generation_config.json", "model.safetensors", "tokenizer.json",
                                         "tokenizer_config.json"});
  check_weights(folder / "out", "tiny");
}

TEST_CASE("an import that fails leaves nothing behind", "[gguf]") {
  const TemporaryFolder folder;
  model::write_file_atomically(folder / "file", "in the way");
  CHECK_THROWS_WITH(model::import_gguf(golden::path("tiny.gguf"), folder / "file/out"), Contains("cannot be made"));
  model::import_gguf(golden::path("tiny.gguf"), folder / "out");
  auto bad = golden::text("tiny.gguf");
  model::write_file_atomically(folder / "bad.gguf", bad.substr(0, bad.size() - 100));
  CHECK_THAT(error_of([&] { model::import_gguf(folder / "bad.gguf", folder / "out"); }), Contains("Was the file cut off?"));
  check_weights(folder / "out", "tiny");  // the one that stood there stands
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), std::filesystem::directory_iterator()) == 3);
}

TEST_CASE("rope scalings of the metadata are taken over or refused by name", "[gguf]") {
  CHECK_THAT(config_error("tiny.gguf", "llama.rope.scaling.type", "longrope"),
             Contains("llama.rope.scaling.type: is \"longrope\", but must be a scaling that is imported: none, linear, yarn"));
  CHECK_THAT(config_error("tiny.gguf", "llama.rope.scaling.type", "yarn"), Contains("llama.rope.scaling.factor: is missing"));
  auto gguf = parse(golden::text("tiny_mistral.gguf"));
  gguf.metadata["llama.rope.freq_base"] = 10000.0;  // the divisors then fit no factor
  CHECK_THAT(error_of([&] { model::gguf_config(gguf, "f.gguf"); }), Contains("f.gguf: rope_freqs.weight: holds a scaling other"));
}

TEST_CASE("what an import cannot carry over is refused by name", "[gguf]") {
  CHECK_THAT(config_error("tiny.gguf", "general.architecture", "gemma"),
             Contains("general.architecture: is \"gemma\", but must be an architecture that is imported: llama, qwen2, qwen3."));
  CHECK_THAT(config_error("tiny.gguf", "llama.expert_count", 8), Contains("llama.expert_count: is 8"));
  CHECK_THAT(config_error("tiny.gguf", "llama.attention.value_length", 4), Contains("llama.attention.value_length: is 4"));
  CHECK_THAT(config_error("tiny.gguf", "llama.rope.dimension_count", 4), Contains("must be the size of a head, 8"));
  CHECK_THAT(config_error("tiny.gguf", "llama.attention.head_count", nlohmann::json::array({4})),
             Contains("llama.attention.head_count: is [4]"));
  CHECK_THAT(config_error("tiny.gguf", "llama.attention.head_count", 5), Contains("must be a divisor of embedding_length, 32"));
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
  const auto qwen2 = golden::text("tiny_qwen2.gguf");
  CHECK_THAT(import_error(replaced(qwen2, "qwen2.block_count" + little_endian(4, 4) + little_endian(2, 4),
                                   "qwen2.block_count" + little_endian(4, 4) + little_endian(1, 4))),
             Contains("tensor \"blk.1.attn_k.bias\" has no place in the model"));
  CHECK_THAT(import_error(replaced(good, "llama.attention.head_count_kv" + little_endian(4, 4) + little_endian(2, 4),
                                   "llama.attention.head_count_kv" + little_endian(4, 4) + little_endian(4, 4))),
             Contains("attn_k.weight: has shape [16,32], but the metadata ask for [32,32]"));
  CHECK_FALSE(std::filesystem::exists(folder / "out/config.json"));
  CHECK_THAT(error_of([&] { model::import_gguf(folder / "none.gguf", folder / "out"); }),
             Contains("none.gguf: cannot be opened"));
}
