// Random damage to small valid files: each must load or throw kernels::Error, and never crash. With PONDER_LONG=1 a
// hundred times as many.
#include "model/files/checkpoint_folder.h"
#include "model/gguf/gguf_import.h"
#include "model/tokenizer/tokenizer.h"
#include "model/files/safetensors.h"
#include "model/rope_scaling.h"
#include "tests/model/families/golden_cases.h"
#include "tests/model/golden.h"
#include "tests/model/small_models.h"
#include "tests/support/catch.h"
#include "tests/support/damaged.h"

namespace {

const unsigned char* bytes_of(const std::string& text) { return reinterpret_cast<const unsigned char*>(text.data()); }

// Counts of those that loaded and those that were refused.
template <typename Load>
std::pair<int, int> damage(const std::string& good, int count, uint64_t seed, Load load) {
  if (std::getenv("PONDER_LONG")) count *= 100;
  std::mt19937_64 random(seed);
  int loaded = 0, refused = 0;
  for (int i = 0; i < count; ++i) {
    const auto bad = testing::damaged(good, random);
    try {
      load(bad);
      ++loaded;
    } catch (const kernels::Error&) {
      ++refused;
    }
  }
  CAPTURE(loaded, refused);
  CHECK(loaded + refused == count);
  return {loaded, refused};
}

}  // namespace

TEST_CASE("a damaged safetensors file loads or is refused", "[mutation]") {
  const auto [loaded, refused] = damage(golden::text("by_library.safetensors"), 4000, 1, [](const std::string& file) {
    for (const auto& entry : model::parse_safetensors(bytes_of(file), static_cast<int64_t>(file.size()), "f")) {
      std::vector<float> values(static_cast<size_t>(entry.bytes));
      if (entry.dtype[0] == 'F' || entry.dtype[0] == 'B') model::read_as_float32(entry, "f", values.data());
    }
  });
  CHECK(refused > loaded);
  CHECK(loaded > 0);
}

TEST_CASE("a damaged GGUF file loads or is refused", "[mutation]") {
  const auto [loaded, refused] = damage(golden::text("tiny.gguf"), 1500, 2, [](const std::string& file) {
    const auto gguf = model::parse_gguf(bytes_of(file), static_cast<int64_t>(file.size()), "f");
    for (const auto& tensor : gguf.tensors) {
      std::vector<float> values(static_cast<size_t>(tensor.elements));
      model::dequantize(*tensor.type, tensor.data, tensor.elements, values.data());
    }
    model::Tokenizer::from_json(model::gguf_tokenizer_json(gguf.metadata, "f"), "f")->encode("the cats, 12");
  });
  CHECK(refused > 0);
  CHECK(loaded > 0);
}

TEST_CASE("a damaged GGUF file is imported or refused", "[mutation]") {
  const golden::TemporaryFolder folder;
  const auto [loaded, refused] = damage(golden::text("tiny.gguf"), 60, 3, [&](const std::string& file) {
    model::write_file_atomically(folder / "f.gguf", file);
    model::import_gguf(folder / "f.gguf", folder / "out");
  });
  CHECK(refused > 0);
}

TEST_CASE("a damaged tokenizer.json loads or is refused", "[mutation]") {
  const auto use = [](const std::string& text) {
    const auto t = model::Tokenizer::from_json(text, "f");
    t->decode(t->encode("the cats\n 12 caf\u00e9 <|im_start|>"));
  };
  damage(golden::text("small_tokenizer.json"), 600, 4, use);
  const auto [loaded, refused] = damage(model::character_tokenizer_json("the cas12", {"<|im_start|>"}), 3000, 5, use);
  CHECK(refused > 0);
}

TEST_CASE("a damaged config.json of any family loads or is refused", "[mutation]") {
  uint64_t case_seed = 100;
  for (const auto& name : golden::family_cases()) {
    const auto text = model::read_text_file(golden::family_folder() + name + "/config.json");
    const auto [loaded, refused] = damage(text, 300, case_seed++, [](const std::string& bad) {
      const auto read = model::config_from_json(model::parse_json(bad, "f"), "f");
      model::config_to_json(read, kernels::Dtype::float32);
    });
    CHECK(refused > 0);
  }
}

TEST_CASE("a damaged config.json loads or is refused", "[mutation]") {
  uint64_t seed = 6;
  for (const auto& config : {golden::small_llama(), golden::small_qwen3_moe(), golden::small_deepseek_v3()}) {
    const auto [loaded, refused] =
        damage(model::config_to_json(config, kernels::Dtype::bf16).dump(), 2000, seed++, [](const std::string& text) {
          const auto read = model::config_from_json(model::parse_json(text, "f"), "f");
          if (read.rotary_size() < 1000) model::rope_inverse_frequencies(read);
          model::config_to_json(read, kernels::Dtype::float32);
        });
    CHECK(refused > loaded);
    CHECK(loaded > 0);
  }
}
