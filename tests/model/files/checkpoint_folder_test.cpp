#include "model/files/checkpoint_folder.h"

#include <fstream>

#include "model/files/safetensors.h"
#include "model/files/safetensors_writer.h"
#include "model/files/write_folder.h"
#include "tests/model/golden.h"
#include "tests/model/small_models.h"
#include "tests/support/catch.h"

using Catch::Matchers::Contains;
using golden::error_of;
using golden::TemporaryFolder;
using kernels::Dtype;
using model::ParameterStore;

namespace {

bool equal(const ParameterStore& a, const ParameterStore& b) {
  return a.size() == b.size() && std::equal(kernels::f32(a.master), kernels::f32(a.master) + a.size(), kernels::f32(b.master));
}

std::string bits(const model::WeightSet& set) {
  std::string all;
  const auto add = [&](const void* data, int64_t bytes) { all.append(static_cast<const char*>(data), static_cast<size_t>(bytes)); };
  for (const auto* w : set.packed()) add(w->panels(0), w->bytes());
  for (const auto& b : set.blocks)
    for (const auto& v : {b.attention_norm, b.feed_forward_norm, b.query_norm, b.key_norm, b.query_latent_norm, b.latent_norm,
                          b.correction_bias})
      if (v.defined()) add(v.data_ptr(), static_cast<int64_t>(v.nbytes()));
  add(set.final_norm.data_ptr(), static_cast<int64_t>(set.final_norm.nbytes()));
  return all;
}

// Straight from the files, and from the masters that were read from them.
bool packs_alike(const std::string& folder, const ParameterStore& store) {
  for (const auto dtype : {Dtype::float32, Dtype::bf16})
    if (bits(*model::read_packed_weights(folder, store.config(), dtype)) != bits(*model::pack_weights(store, dtype, 0))) return false;
  return true;
}

std::string read_error(const std::string& folder, const model::ModelConfig& config) {
  return error_of([&] {
    ParameterStore store(config, false);
    model::read_weights(folder, store);
  });
}

std::vector<model::NamedTensor> tensors_of(const ParameterStore& store) {
  std::vector<model::NamedTensor> list;
  for (const auto& p : store.parameters()) list.push_back({p.name, store.master_view(p)});
  return list;
}

}  // namespace

TEST_CASE("a model folder gives back the model that was written, for each family and dtype", "[folder]") {
  for (const auto& config : {golden::small_llama(), golden::small_qwen3_moe(), golden::small_deepseek_v3()})
    for (const auto dtype : {Dtype::float32, Dtype::bf16}) {
      INFO(config.family << " " << kernels::name_of(dtype));
      const TemporaryFolder folder;
      const auto store = golden::filled(config);
      const auto tokenizer = golden::characters();
      model::write_model(folder.path(), store, *tokenizer, dtype);
      const auto read = model::read_config(folder.path());
      CHECK(model::config_to_json(read, dtype).dump() == model::config_to_json(config, dtype).dump());
      ParameterStore back(read, false);
      model::read_weights(folder.path(), back);
      CHECK(equal(store, back));
      CHECK(packs_alike(folder.path(), store));
      CHECK(model::read_text_file(folder / "tokenizer.json") == tokenizer->json());
      CHECK(golden::json(folder / "config.json")["dtype"] == (dtype == Dtype::bf16 ? "bfloat16" : "float32"));
    }
}

TEST_CASE("experts are one tensor each on disk, norms and router stay float32, a tied head is left out", "[folder]") {
  const TemporaryFolder folder;
  const auto config = golden::small_qwen3_moe();
  const auto store = golden::filled(config);
  model::write_model(folder.path(), store, *golden::characters(), Dtype::bf16);
  const model::SafetensorsFile file(folder / "model.safetensors");
  const auto* expert = file.find("model.layers.1.mlp.experts.3.up_proj.weight");
  REQUIRE(expert);
  CHECK(expert->shape == std::vector<int64_t>{8, 16});
  CHECK(expert->dtype == "BF16");
  std::vector<float> values(8 * 16);
  model::read_as_float32(*expert, "f", values.data());
  const float* all = store.master_of("model.layers.1.mlp.experts.up_proj.weight");
  CHECK(std::equal(values.begin(), values.end(), all + 3 * 8 * 16));
  CHECK(file.find("model.layers.1.mlp.gate.weight")->dtype == "F32");
  CHECK(file.find("model.norm.weight")->dtype == "F32");
  CHECK(file.find("model.layers.0.mlp.gate_proj.weight"));  // the first layer is dense
  CHECK_FALSE(file.find("lm_head.weight"));
}

TEST_CASE("DeepSeek's correction bias has the name that transformers gives it", "[folder]") {
  const TemporaryFolder folder;
  model::write_model(folder.path(), golden::filled(golden::small_deepseek_v3()), *golden::characters(), Dtype::bf16);
  const model::SafetensorsFile file(folder / "model.safetensors");
  const auto* bias = file.find("model.layers.1.mlp.gate.e_score_correction_bias");
  REQUIRE(bias);
  CHECK(bias->dtype == "F32");
  CHECK(file.find("model.layers.1.mlp.experts.7.down_proj.weight")->shape == std::vector<int64_t>{16, 12});
}

TEST_CASE("the merged expert tensors of newer transformers are read: gate rows first, then up", "[folder]") {
  const TemporaryFolder folder;
  const auto config = golden::small_qwen3_moe();
  const auto store = golden::filled(config);
  std::vector<model::NamedTensor> merged;
  for (const auto& p : store.parameters()) {
    const size_t at = p.name.find("mlp.experts.");
    if (at == std::string::npos) {
      merged.push_back({p.name, store.master_view(p)});
      continue;
    }
    const auto prefix = p.name.substr(0, at + 12);
    if (p.name.ends_with("down_proj.weight")) merged.push_back({prefix + "down_proj", store.master_view(p)});
    if (!p.name.ends_with("gate_proj.weight")) continue;
    auto both = kernels::empty_f32({4, 16, 16});  // [experts, 2 * expert_width, width]
    const float *gate = store.master_of(p.name), *up = store.master_of(prefix + "up_proj.weight");
    for (int64_t e = 0; e < 4; ++e) {
      std::copy_n(gate + e * 128, 128, kernels::f32(both) + e * 256);
      std::copy_n(up + e * 128, 128, kernels::f32(both) + e * 256 + 128);
    }
    merged.push_back({prefix + "gate_up_proj", both});
  }
  model::write_safetensors(folder / "model.safetensors", merged);
  ParameterStore back(config, false);
  model::read_weights(folder.path(), back);
  CHECK(equal(store, back));
  CHECK(packs_alike(folder.path(), store));
}

TEST_CASE("shards with an index are read as one model", "[folder]") {
  const TemporaryFolder folder;
  const auto config = golden::small_llama();
  const auto store = golden::filled(config);
  const auto all = tensors_of(store);
  const size_t half = all.size() / 2;
  model::write_safetensors(folder / "model-00001-of-00002.safetensors", {all.begin(), all.begin() + half});
  model::write_safetensors(folder / "model-00002-of-00002.safetensors", {all.begin() + half, all.end()});
  nlohmann::json map;
  for (size_t i = 0; i < all.size(); ++i) map[all[i].name] = fmt::format("model-0000{}-of-00002.safetensors", i < half ? 1 : 2);
  const auto index = [&](const nlohmann::json& weight_map) {
    model::write_file_atomically(folder / "model.safetensors.index.json", nlohmann::json{{"weight_map", weight_map}}.dump());
  };
  index(map);
  ParameterStore back(config, false);
  model::read_weights(folder.path(), back);
  CHECK(equal(store, back));

  auto wrong = map;
  wrong["model.norm.weight"] = "../other.safetensors";
  index(wrong);
  CHECK_THAT(read_error(folder.path(), config), Contains("which is no file name"));
  wrong = map, wrong["no.such.tensor"] = "model-00001-of-00002.safetensors";
  index(wrong);
  CHECK_THAT(read_error(folder.path(), config), Contains("\"no.such.tensor\" is said to be in"));
  wrong = map, wrong["model.norm.weight"] = "model-00003-of-00002.safetensors";
  index(wrong);
  CHECK_THAT(read_error(folder.path(), config), Contains("model-00003-of-00002.safetensors: cannot be opened"));
}

TEST_CASE("a missing, an extra, a wrongly shaped and a cut-off tensor are each one clear error", "[folder]") {
  const TemporaryFolder folder;
  const auto config = golden::small_llama();
  const auto store = golden::filled(config);
  const auto all = tensors_of(store);
  const auto write = [&](auto list) { model::write_safetensors(folder / "model.safetensors", list); };
  CHECK_THAT(read_error(folder.path(), config), Contains("has neither model.safetensors nor"));
  write(std::vector(all.begin() + 1, all.end()));
  CHECK(read_error(folder.path(), config) ==
        (folder / "model.safetensors") +
            ": tensor model.embed_tokens.weight of shape [24, 16] is missing. Does config.json belong to these weights?");
  auto changed = all;
  changed.emplace_back("model.layers.2.mlp.up_proj.weight", kernels::zeros_f32({1}));
  write(changed);
  CHECK_THAT(read_error(folder.path(), config),
             Contains("tensor \"model.layers.2.mlp.up_proj.weight\" of shape [1] has no place in a llama of 2 layers"));
  changed = all, changed[0].values = kernels::zeros_f32({16, 24});
  write(changed);
  CHECK_THAT(read_error(folder.path(), config),
             Contains("model.embed_tokens.weight: has shape [16, 24], but config.json asks for [24, 16]. It looks transposed"));
  write(all);
  std::filesystem::resize_file(folder / "model.safetensors", std::filesystem::file_size(folder / "model.safetensors") - 1);
  CHECK_THAT(read_error(folder.path(), config), Contains("Was it cut off?"));
}

TEST_CASE("generation_config.json wins over config.json for the end tokens", "[folder]") {
  const TemporaryFolder folder;
  model::write_model(folder.path(), golden::filled(golden::small_llama()), *golden::characters(), Dtype::bf16);
  CHECK(model::read_config(folder.path()).eos_token_ids == std::vector<int64_t>{5});
  model::write_file_atomically(folder / "generation_config.json", R"({"eos_token_id": [3, 7]})");
  CHECK(model::read_config(folder.path()).eos_token_ids == std::vector<int64_t>{3, 7});
  CHECK(model::read_config(folder.path()).bos_token_id == 1);
}

TEST_CASE("a model carries its chat template for other tools", "[folder]") {
  const TemporaryFolder folder;
  const auto store = golden::filled(golden::small_llama());
  model::write_model(folder.path(), store, *golden::characters(), Dtype::bf16, "{{ 'é\n' }}");
  CHECK(golden::json(folder / "tokenizer_config.json")["chat_template"] == "{{ 'é\n' }}");
  model::write_model(folder.path(), store, *golden::characters(), Dtype::bf16);
  CHECK_FALSE(golden::json(folder / "tokenizer_config.json").contains("chat_template"));
}

TEST_CASE("a folder without a model is named", "[folder]") {
  CHECK_THAT(error_of([] { model::read_config("/no/such/model"); }), Contains("/no/such/model: is no folder"));
  const TemporaryFolder folder;
  CHECK_THAT(error_of([&] { model::read_config(folder.path()); }), Contains("config.json: cannot be read"));
}
