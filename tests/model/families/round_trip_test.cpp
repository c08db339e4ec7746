// Folders of every family, read, written and read again.
#include "model/files/checkpoint_folder.h"
#include "model/files/write_folder.h"
#include "tests/model/families/golden_cases.h"
#include "tests/model/golden.h"
#include "tests/support/catch.h"

using golden::TemporaryFolder;
using kernels::Dtype;

namespace {

std::string written_config(const std::string& folder, Dtype dtype) {
  return model::config_to_json(model::read_config(folder), dtype).dump();
}

model::ParameterStore load(const std::string& folder) {
  model::ParameterStore store(model::read_config(folder), false);
  model::read_weights(folder, store);
  return store;
}

bool equal(const model::ParameterStore& a, const model::ParameterStore& b) {
  const float *x = kernels::f32(a.master), *y = kernels::f32(b.master);
  return a.size() == b.size() && std::equal(x, x + a.size(), y);
}

}  // namespace

TEST_CASE("a folder of any family, read and written twice, has the same bytes", "[families]") {
  const auto tokenizer = model::Tokenizer::from_json(model::character_tokenizer_json("0123456789", {"<pad>"}), "characters");
  for (const auto& name : golden::family_cases())
    for (const auto dtype : {Dtype::float32, Dtype::bf16}) {
      INFO(name << " " << kernels::name_of(dtype));
      const auto folder = golden::family_folder() + name;
      const TemporaryFolder first, second;
      const auto store = load(folder);
      model::write_model(first.path(), store, *tokenizer, dtype);
      const auto again = load(first.path());
      if (dtype == Dtype::float32) CHECK(equal(store, again));
      model::write_model(second.path(), again, *tokenizer, dtype);
      for (const char* file : {"model.safetensors", "config.json", "generation_config.json"})
        CHECK(golden::text(first / file) == golden::text(second / file));
      CHECK(written_config(folder, dtype) == written_config(first.path(), dtype));
    }
}

TEST_CASE("what is written has the tensors that transformers wrote, under the same names", "[families]") {
  const auto tokenizer = model::Tokenizer::from_json(model::character_tokenizer_json("0123456789", {"<pad>"}), "characters");
  for (const auto& name : golden::family_cases()) {
    const TemporaryFolder folder;
    model::write_model(folder.path(), load(golden::family_folder() + name), *tokenizer, Dtype::float32);
    const model::SafetensorsFile ours(folder / "model.safetensors");
    const model::SafetensorsFile theirs(golden::family_folder() + name + "/model.safetensors");
    CHECK(ours.entries().size() == theirs.entries().size());
    for (const auto& wanted : theirs.entries()) {
      INFO(name << " " << wanted.name);
      const auto* entry = ours.find(wanted.name);
      REQUIRE(entry);
      CHECK(entry->shape == wanted.shape);
      CHECK(std::equal(entry->data, entry->data + entry->bytes, wanted.data, wanted.data + wanted.bytes));
    }
  }
}

// For tests/support/check_family_folders.py.
TEST_CASE("folders of every family are written for transformers to read", "[.][family_folders]") {
  const char* out = std::getenv("PONDER_FAMILY_FOLDERS");
  REQUIRE(out);
  const auto tokenizer = model::Tokenizer::from_json(model::character_tokenizer_json("0123456789", {"<pad>"}), "characters");
  for (const auto& name : golden::family_cases())
    model::write_model(std::string(out) + "/" + name, load(golden::family_folder() + name), *tokenizer, Dtype::float32);
}
