#include "model/lora/peft_targets.h"

#include "model/files/checkpoint_folder.h"
#include "tests/model/families/golden_cases.h"
#include "tests/support/catch.h"

namespace {

using Names = std::vector<std::string>;

model::ParameterList pairs(const std::string& family, Names targets) {
  const auto config = model::read_config(golden::family_folder() + family);
  return model::adapter_parameters(config, model::LoraConfig{.rank = 4, .targets = std::move(targets)});
}

}  // namespace

// Layer 0 of deepseek_v3 is dense; layers 1 and 2 have experts and a shared expert.
TEST_CASE("PEFT is told experts by their words, and what has an expert's name without being one by its tensor", "[lora]") {
  auto told = model::peft_targets(pairs("deepseek_v3", {"up_proj", "o_proj"}));
  CHECK(told.modules == Names{"o_proj", "up_proj"});
  CHECK(told.parameters == Names{"model.layers.0.mlp.up_proj.weight", "model.layers.1.mlp.shared_experts.up_proj.weight",
                                 "model.layers.2.mlp.shared_experts.up_proj.weight"});
  told = model::peft_targets(pairs("deepseek_v3", {"shared_experts.down_proj"}));
  CHECK(told.modules.empty());
  CHECK(told.parameters.size() == 2);
  told = model::peft_targets(pairs("llama_llama3", {"up_proj", "layers.1.self_attn.q_proj"}));
  CHECK(told.modules == Names{"model.layers.1.self_attn.q_proj", "up_proj"});
  CHECK(told.parameters.empty());
}

TEST_CASE("experts' pairs that PEFT cannot take are told", "[lora]") {
  const auto contains = [](const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; };
  CHECK(model::peft_problem(pairs("deepseek_v3", {"all-linear"})).empty());
  CHECK(model::peft_problem(pairs("deepseek_v3", {"experts.down_proj", "shared_experts.up_proj"})).empty());
  CHECK(contains(model::peft_problem(pairs("deepseek_v3", {"experts.up_proj"})), "of the experts' down_proj and gate_proj"));
  CHECK(contains(model::peft_problem(pairs("deepseek_v3", {"gate_proj", "up_proj"})), "of the experts' down_proj"));
  CHECK(contains(model::peft_problem(pairs("mixtral", {"w1", "w2"})), "of the experts' w3"));
  CHECK(model::peft_problem(pairs("mixtral", {"w2"})).empty());
  CHECK(model::peft_problem(pairs("llama_llama3", {"up_proj"})).empty());
}
