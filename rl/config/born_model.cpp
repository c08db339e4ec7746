// A model that is born here: what its file leaves out, and what is wrong with it.
#include <fmt/core.h>

#include <algorithm>

#include "model/families/family.h"
#include "rl/config/reader.h"

namespace rl {
namespace {

using Scoring = kernels::RouterConfig::Scoring;
using GroupScore = kernels::RouterConfig::GroupScore;

// A family's own parts, where the file does not say them. model::check refuses what a family cannot hold.
void set_family_parts(const Resolved& resolved, model::ModelConfig& c) {
  const auto open = [&](const char* key) { return resolved.run_sources.count(std::string("model.") + key) == 0; };
  const model::FamilyParts& parts = model::find_family(c.family)->parts;
  const auto has = [&](const char* key, model::Part part) { return open(key) && part == model::Part::always; };
  if (open("attention")) c.attention = parts.attention;
  if (has("query_key_norm", parts.head_norm)) c.query_key_norm = true;
  if (has("whole_query_key_norm", parts.whole_norm)) c.whole_query_key_norm = true;
  if (open("query_key_value_bias") && parts.query_key_value_bias) c.query_key_value_bias = true;
  if (has("rope_interleaved", parts.interleaved)) c.rope_interleaved = true;
  if (open("normalize_router") && parts.normalized == model::Part::never) c.router.normalize = false;
  if (c.family == "deepseek_v3" && open("router")) c.router.scoring = Scoring::sigmoid;
  if (c.family == "deepseek_v2") {
    if (open("router_group_score")) c.router.group_score = GroupScore::largest;
  }
}

int64_t characters_of(const std::string& alphabet) {
  return std::count_if(alphabet.begin(), alphabet.end(), [](char c) { return (c & 0xC0) != 0x80; });
}

}  // namespace

void fill_in_born_model(Resolved& resolved) {
  ModelSettings& settings = resolved.config.model;
  model::ModelConfig& sizes = settings.sizes;
  const bool moe = sizes.router.experts > 0;
  sizes.family = settings.family;
  if (sizes.family.empty()) {
    sizes.family = sizes.attention == model::Attention::mla ? "deepseek_v3" : moe ? "qwen3_moe" : "llama";
    if (sizes.family == "qwen3_moe") sizes.query_key_norm = true;
  } else {
    set_family_parts(resolved, sizes);
  }
  if (!moe) sizes.first_dense_layers = sizes.layers;
  const int64_t characters = characters_of(settings.alphabet);
  sizes.vocab_size = characters + static_cast<int64_t>(settings.special_tokens.size());
  sizes.eos_token_ids.clear();
  for (size_t i = 0; i < settings.special_tokens.size(); ++i) {
    const int64_t id = characters + static_cast<int64_t>(i);
    if (settings.special_tokens[i] == settings.eos_token) sizes.eos_token_ids = {id};
    if (settings.special_tokens[i] == "<pad>") sizes.pad_token_id = id;
  }
}

std::vector<std::pair<std::string, std::string>> born_model_problems(const Resolved& resolved) {
  const ModelSettings& model = resolved.config.model;
  const TokenizerSettings& tokenizer = resolved.config.tokenizer;
  std::vector<std::pair<std::string, std::string>> problems;
  const int given = !model.alphabet.empty() + !tokenizer.path.empty() + !tokenizer.text.empty();
  if (given == 0) problems.emplace_back("model.alphabet", "is missing: a born model needs its tokenizer's characters.");
  if (given > 1)
    problems.emplace_back(tokenizer.path.empty() ? "tokenizer.text" : "tokenizer.path",
                          "is set, and so is another tokenizer. Keep one of model.alphabet, tokenizer.path and tokenizer.text.");
  if (!tokenizer.path.empty()) {
    if (!model.special_tokens.empty())
      problems.emplace_back("model.special_tokens", "is set, but tokenizer.path has its own special tokens. Remove the key.");
    return problems;  // the folder says which token ends a text, or model.eos_token does
  }
  const auto& special = model.special_tokens;
  if (model.eos_token.empty())
    problems.emplace_back("model.eos_token", "is missing: name the special token that ends a completion, such as \"<eos>\".");
  else if (std::find(special.begin(), special.end(), model.eos_token) == special.end())
    problems.emplace_back("model.eos_token",
                          fmt::format("is \"{}\", which is not in model.special_tokens. Add it there.", model.eos_token));
  return problems;
}

}  // namespace rl
