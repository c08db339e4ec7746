// Adapters of PEFT (tests/support/make_lora_golden.py): read, run, trained a step's gradient, written and merged.
#include "model/lora/adapter_folder.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "model/files/checkpoint_folder.h"
#include "model/files/folder_tensors.h"
#include "model/files/json_fields.h"
#include "model/files/safetensors_writer.h"
#include "model/lora/adapted_weights.h"
#include "model/lora/merge.h"
#include "model/transformer.h"
#include "tests/model/families/golden_cases.h"
#include "tests/model/families/logits.h"
#include "tests/model/golden.h"
#include "tests/support/catch.h"
#include "tests/support/one_text.h"

using Catch::Matchers::Contains;
using golden::FamilyValues;
using golden::largest;
using golden::largest_difference;
using golden::logits_of;
using kernels::Dtype;

namespace {

const char* kCases[] = {"llama_all", "qwen3_odd_rank", "deepseek_v3_attention", "mixtral_experts", "qwen3_moe_experts",
                        "qwen3_moe_all_experts", "deepseek_v3_all_experts"};

std::string folder_of(const std::string& name) { return testing::source_dir() + "/tests/model/lora/golden/" + name; }
FamilyValues values_of(const std::string& name) { return FamilyValues("../../lora/golden/" + name); }

// The largest difference of any text's logits, as a share of the largest logit.
double apart(const model::WeightSet& weights, const FamilyValues& values) {
  double most = 0;
  const auto texts = values.texts();
  REQUIRE(texts.size() == 3);
  for (size_t k = 0; k < texts.size(); ++k) {
    const auto wanted = values.floats("logits." + std::to_string(k));
    most = std::max(most, largest_difference(logits_of(weights, texts[k]), wanted) / largest(wanted));
  }
  return most;
}

std::string error_of(const std::string& folder, const model::ModelConfig& config) {
  try {
    model::read_adapter(folder, config);
  } catch (const kernels::UsageError& e) {
    return e.what();
  }
  return "no error";
}

// The target_parameters of an adapter's config; PEFT also writes none of them as null.
nlohmann::json parameters_of(const nlohmann::json& config) {
  const auto found = config.find("target_parameters");
  return found != config.end() && found->is_array() ? *found : nlohmann::json::array();
}

// A copy of a golden adapter whose config is changed.
struct Changed {
  golden::TemporaryFolder folder;
  model::ModelConfig config = model::read_config(golden::family_folder() + "llama_yarn_biases");

  explicit Changed(const std::function<void(nlohmann::json&)>& change) {
    const std::string from = folder_of("llama_all");
    auto json = model::parse_json(model::read_text_file(from + "/adapter_config.json"), "config");
    change(json);
    std::filesystem::copy(from + "/adapter_model.safetensors", folder.path() + "/adapter_model.safetensors");
    model::write_file_atomically(folder.path() + "/adapter_config.json", json.dump());
  }
  std::string error() const { return error_of(folder.path(), config); }
};

}  // namespace

// The tolerance of the families' own test.
TEST_CASE("an adapter that PEFT wrote gives the logits of PEFT's model", "[lora]") {
  for (const std::string name : kCases) {
    INFO(name);
    const auto place = model::find_model_place(folder_of(name));
    const auto config = model::read_config(place.base);
    CHECK(apart(*model::read_packed_weights(place, config, Dtype::float32), values_of(name)) <= 2e-5);
    // bf16 stays near where no router can choose another expert.
    if (config.router.experts == 0) CHECK(apart(*model::read_packed_weights(place, config, Dtype::bf16), values_of(name)) <= 0.1);
  }
}

TEST_CASE("the gradients of A and B are those of PEFT", "[lora]") {
  for (const std::string name : {"llama_all", "qwen3_odd_rank", "deepseek_v3_attention"}) {
    const auto place = model::find_model_place(folder_of(name));
    const auto config = model::read_config(place.base);
    const auto base = model::read_packed_weights(place.base, config, Dtype::float32);
    model::Adapter adapter = model::read_adapter(place.adapter, config);
    const auto weights = model::adapted_weights(*base, adapter.pairs, adapter.lora.scale(), 1);
    const FamilyValues values = values_of(name);
    adapter.pairs.allocate_training();
    const auto texts = values.texts();
    for (size_t k = 0; k < texts.size(); ++k) {
      if (texts[k].size() < 2) continue;
      const auto coefficients = values.floats("coefficients." + std::to_string(k));
      auto out = model::forward_train(*weights, testing::one_text(texts[k]), {});
      at::Tensor dlogprob = kernels::empty_f32({static_cast<int64_t>(coefficients.size())});
      std::copy(coefficients.begin(), coefficients.end(), kernels::f32(dlogprob));
      model::backward(*weights, out, dlogprob, {}, adapter.pairs);
    }
    adapter.pairs.complete_gradient();
    // Written as an adapter, the gradients have PEFT's names and shapes.
    golden::TemporaryFolder folder;
    std::copy_n(kernels::f32(adapter.pairs.gradient), adapter.pairs.size(), kernels::f32(adapter.pairs.master));
    model::write_adapter(folder.path(), adapter.pairs, adapter.lora, "");
    const model::SafetensorsFile file(folder.path() + "/adapter_model.safetensors");
    CHECK(file.entries().size() >= 8);
    for (const auto& entry : file.entries()) {
      std::vector<float> got(static_cast<size_t>(entry.bytes / 4));
      file.copy(entry, got.data());
      const auto wanted = values.floats("gradient." + entry.name);
      const double difference = largest_difference(got, wanted), most = largest(wanted);
      INFO(name << ", " << entry.name << ": difference " << difference << " of " << most);
      CHECK(difference <= 1e-4 * most);
    }
  }
}

TEST_CASE("an adapter that is read and written again has the same tensors and the same meaning", "[lora]") {
  for (const std::string name : kCases) {
    INFO(name);
    const auto place = model::find_model_place(folder_of(name));
    const auto config = model::read_config(place.base);
    const model::Adapter adapter = model::read_adapter(place.adapter, config);
    golden::TemporaryFolder folder;
    model::write_adapter(folder.path(), adapter.pairs, adapter.lora, "its/base");
    const model::SafetensorsFile was(place.adapter + "/adapter_model.safetensors"), is(folder.path() + "/adapter_model.safetensors");
    REQUIRE(was.entries().size() == is.entries().size());
    for (const auto& entry : was.entries()) {
      const auto* other = is.find(entry.name);
      INFO(entry.name);
      REQUIRE(other);
      REQUIRE(other->shape == entry.shape);
      REQUIRE(std::equal(entry.data, entry.data + entry.bytes, other->data, other->data + other->bytes));
    }
    const auto a = model::parse_json(model::read_text_file(place.adapter + "/adapter_config.json"), "a");
    const auto b = model::parse_json(model::read_text_file(folder.path() + "/adapter_config.json"), "b");
    for (const char* key : {"peft_type", "task_type", "r", "lora_alpha", "use_rslora", "use_dora", "bias", "fan_in_fan_out"}) {
      INFO(key);
      CHECK(a[key] == b[key]);
    }
    CHECK(b["base_model_name_or_path"] == "its/base");
    if (name == "qwen3_odd_rank") {  // of three layers two have pairs: PEFT is told which
      const auto modules = b["target_modules"].get<std::vector<std::string>>();
      CHECK(modules.size() == 6);
      CHECK(std::count(modules.begin(), modules.end(), "model.layers.2.mlp.down_proj") == 1);
    } else {
      CHECK(a["target_modules"] == b["target_modules"]);
      CHECK(parameters_of(a) == parameters_of(b));
    }
  }
}

TEST_CASE("W + scale B A gives the logits of the adapter beside W", "[lora]") {
  for (const std::string name : kCases) {
    INFO(name);
    const auto place = model::find_model_place(folder_of(name));
    const auto config = model::read_config(place.base);
    const model::Adapter adapter = model::read_adapter(place.adapter, config);
    model::FolderTensors tensors(place.base);
    const model::ParameterList list(config);
    const auto readers = tensors.readers(list);
    const auto weights = model::pack_weights(
        list, [&](const model::Parameter& p) { return model::merged(readers[static_cast<size_t>(&p - list.parameters().data())], p, adapter); },
        Dtype::float32, 0);
    CHECK(apart(*weights, values_of(name)) <= 2e-5);
  }
}

TEST_CASE("what an adapter's config says beyond a pair of matrices is refused by name, all at once", "[lora]") {
  CHECK(Changed([](auto&) {}).error() == "no error");
  CHECK(Changed([](auto& c) { c["lora_dropout"] = 0.1, c["init_lora_weights"] = "gaussian"; }).error() == "no error");
  const std::string error = Changed([](auto& c) {
                              c["use_dora"] = true, c["modules_to_save"] = {"lm_head"}, c["bias"] = "all", c["unheard_of"] = 3;
                            }).error();
  CHECK_THAT(error, Contains("bias is \"all\"; modules_to_save is [\"lm_head\"]; unheard_of is 3; use_dora is true") &&
                        Contains("merge_and_unload"));
  CHECK_THAT(Changed([](auto& c) { c["init_lora_weights"] = "pissa_niter_4"; }).error(), Contains("init_lora_weights is \"pissa_niter_4\""));
  CHECK_THAT(Changed([](auto& c) { c["rank_pattern"] = {{"q_proj", 8}}; }).error(), Contains("rank_pattern"));
  CHECK_THAT(Changed([](auto& c) { c["peft_type"] = "LOHA"; }).error(), Contains("peft_type") && Contains("LORA"));
  CHECK_THAT(Changed([](auto& c) { c.erase("r"); }).error(), Contains("adapter_config.json") && Contains("r"));
}

TEST_CASE("tensors that are missing, strange or of another rank are one error with their names", "[lora]") {
  CHECK_THAT(Changed([](auto& c) { c["r"] = 8; }).error(), Contains("lora_A.weight' is [4, 20], but with rank 8 it must be [8, 20]"));
  CHECK_THAT(error_of(folder_of("mixtral_experts"), model::read_config(golden::family_folder() + "llama_yarn_biases")),
             Contains("adapter_model.safetensors"));
  Changed cut([](auto&) {});
  const model::SafetensorsFile file(folder_of("llama_all") + "/adapter_model.safetensors");
  const std::string last = file.entries().back().name;
  std::vector<model::NamedTensor> kept;
  for (const auto& entry : file.entries()) {
    const at::Tensor values = kernels::empty_f32({entry.shape[0], entry.shape[1]});
    file.copy(entry, kernels::f32(values));
    if (entry.name != last) kept.push_back({entry.name, values});
  }
  model::write_safetensors(cut.folder.path() + "/adapter_model.safetensors", kept);
  CHECK_THAT(cut.error(), Contains("has no tensor '" + last + "'"));
  kept.push_back({"base_model.model.model.layers.0.self_attn.rotary.lora_A.weight", kernels::zeros_f32({4, 20})});
  const auto& shape = file.entries().back().shape;
  kept.push_back({last, kernels::zeros_f32({shape[0], shape[1]})});
  model::write_safetensors(cut.folder.path() + "/adapter_model.safetensors", kept);
  CHECK_THAT(cut.error(), Contains("rotary"));
}

TEST_CASE("pairs over all experts at once, as PEFT makes them, are refused with what to do", "[lora]") {
  Changed fused([](auto& c) { c["target_parameters"] = {"mlp.experts.down_proj"}; });
  model::write_safetensors(fused.folder.path() + "/adapter_model.safetensors",
                           {{"base_model.model.model.layers.0.mlp.experts.lora_A.weight", kernels::zeros_f32({16, 20})}});
  CHECK_THAT(fused.error(), Contains("a pair over all experts at once") && Contains("merge_and_unload"));
}

TEST_CASE("an adapter finds its base from its own folder, or is told it; a model has no base", "[lora]") {
  const std::string llama = golden::family_folder() + "llama_yarn_biases", adapter = folder_of("llama_all");
  CHECK(std::filesystem::equivalent(model::find_model_place(adapter).base, llama));
  CHECK(model::find_model_place(adapter, "elsewhere").base == "elsewhere");
  CHECK(model::find_model_place(llama).base == llama);
  CHECK(model::find_model_place(llama).adapter.empty());
  CHECK_THROWS_WITH(model::find_model_place(llama, "elsewhere"), Contains("is no adapter") && Contains("Leave --base out"));
  const Changed lost([](auto& c) { c["base_model_name_or_path"] = "somebody/model"; });
  CHECK_THROWS_WITH(model::find_model_place(lost.folder.path()), Contains("stands on \"somebody/model\"") && Contains("--base"));
}

TEST_CASE("an adapter of zeros gives the base's bits, and shares its weights", "[lora]") {
  const std::string llama = golden::family_folder() + "llama_yarn_biases";
  const auto config = model::read_config(llama);
  for (const Dtype dtype : {Dtype::float32, Dtype::bf16}) {
    const auto base = model::read_packed_weights(llama, config, dtype);
    model::ParameterStore pairs(model::adapter_parameters(config, model::LoraConfig{.rank = 8}), false);
    model::init_adapters(pairs, 8, 1);
    const auto adapted = model::adapted_weights(*base, pairs, 2.0, 1);
    const auto texts = values_of("llama_all").texts();
    CHECK(logits_of(*adapted, texts[2]) == logits_of(*base, texts[2]));
    CHECK(adapted->blocks[0].query.panels(0) == base->blocks[0].query.panels(0));
    CHECK(adapted->embedding.panels(0) == base->embedding.panels(0));
    CHECK(adapted->bytes() > base->bytes());
  }
}
