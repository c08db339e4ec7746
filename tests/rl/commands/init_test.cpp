#include "model/files/checkpoint_folder.h"
#include "model/tokenizer/tokenizer.h"
#include "rl/commands/commands.h"
#include "tests/rl/commands/folders.h"
#include "tests/support/catch.h"

using Catch::Matchers::Contains;
using testing::contents;
using testing::Folder;
using testing::sizes_toml;
using testing::usage_error;

namespace {

// The folder that `ponder init` makes of this text.
model::ModelConfig born(const Folder& folder, const std::string& toml, const std::string& name,
                        const std::vector<std::string>& overrides = {}) {
  rl::run_init(folder.put("sizes.toml", toml), folder / name, overrides);
  return model::read_config(folder / name);
}

}  // namespace

TEST_CASE("ponder init makes a model that reads back, the same for the same file", "[init]") {
  const Folder folder;
  const auto config = born(folder, sizes_toml(), "one");
  CHECK(config.family == "llama");
  CHECK(config.vocab_size == 15);  // 13 characters, <eos>, <pad>
  CHECK(config.eos_token_ids == std::vector<int64_t>{13});
  CHECK(config.pad_token_id == 14);
  model::ParameterStore store(config, false);
  model::read_weights(folder / "one", store);
  born(folder, sizes_toml(), "two");
  CHECK(contents(folder / "one") == contents(folder / "two"));
  born(folder, sizes_toml(), "other", {"run.seed=1"});
  CHECK(contents(folder / "one")["model.safetensors"] != contents(folder / "other")["model.safetensors"]);
  CHECK(contents(folder / "one")["config.json"] == contents(folder / "other")["config.json"]);
}

TEST_CASE("model.compute_dtype is the type of the weights", "[init]") {
  const Folder folder;
  born(folder, sizes_toml("compute_dtype = \"float32\"\n"), "wide");
  born(folder, sizes_toml(), "narrow");
  const auto type = [&](const char* name) {
    return model::SafetensorsFile(folder / name + "/model.safetensors").find("model.layers.1.mlp.up_proj.weight")->dtype;
  };
  CHECK(type("wide") == "F32");
  CHECK(type("narrow") == "BF16");
  CHECK(folder.json("wide/config.json")["dtype"] == "float32");
}

TEST_CASE("a born model takes the tokenizer of a folder, with its files and its end token", "[init]") {
  const Folder folder;
  born(folder, sizes_toml(), "first");
  folder.put("first/special_tokens_map.json", "{\"eos_token\":  \"<eos>\"}");
  folder.put("first/LICENSE", "of the first model");
  const std::string sizes = "[model]\nlayers = 1\nwidth = 8\nheads = 2\nkey_heads = 2\nhead_size = 4\ndense_width = 8\n[tokenizer]\npath = \"";
  const auto config = born(folder, sizes + folder / "first" + "\"\n", "second");
  CHECK(config.vocab_size == 15);
  CHECK(config.eos_token_ids == std::vector<int64_t>{13});
  for (const char* name : {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"})
    CHECK(folder.text(std::string("first/") + name) == folder.text(std::string("second/") + name));
  CHECK_FALSE(contents(folder / "second").contains("LICENSE"));  // the licence of other weights

  const auto alone = sizes + folder / "first/tokenizer.json" + "\"\n";
  CHECK_THAT(usage_error([&] { born(folder, alone, "third"); }), Contains("model.eos_token: is missing, and"));
  CHECK(born(folder, alone, "third", {"model.eos_token=<pad>"}).eos_token_ids == std::vector<int64_t>{14});
  CHECK_THAT(usage_error([&] { born(folder, alone, "fourth", {"model.eos_token=<end>"}); }),
             Contains("is \"<end>\", which the tokenizer does not have"));
}

TEST_CASE("the settings file of a whole training run serves ponder init", "[init]") {
  const Folder folder;
  const auto config = born(folder, sizes_toml("init = \"random\"\n") + "[data]\ntrain = \"x.jsonl\"\n[[reward]]\nname = \"exact\"\n[[stage]]\nsteps = 1\n", "born");
  CHECK(config.layers == 2);
}

TEST_CASE("every family is born from its sizes alone, and exported, read and exported again to the same bytes", "[init][export]") {
  const std::string gqa = "key_heads = 2\nhead_size = 4\ndense_width = 32\n", moe = "experts = 4\nactive_experts = 2\nexpert_width = 8\n";
  const std::string mla = "latent_rank = 8\nnope_size = 4\nrope_size = 2\nvalue_size = 6\ndense_width = 32\nfirst_dense_layers = 1\nshared_experts = 1\n";
  const std::map<std::string, std::string> parts{
      {"llama", gqa + "rope_scaling = \"llama3\"\nrope_factor = 4\nrope_original_positions = 32\n"},
      {"mistral", gqa + "window = 16\n"},
      {"qwen2", gqa + "tied_embedding = true\n"},
      {"qwen3", gqa},
      {"qwen3_moe", gqa + moe},
      {"olmoe", "key_heads = 4\nhead_size = 4\n" + moe},
      {"mixtral", gqa + moe},
      {"deepseek_v2", mla + moe},
      {"deepseek_v3", mla + moe + "query_rank = 8\nrouter_groups = 2\nrouter_groups_kept = 1\n"}};
  for (const auto& [family, settings] : parts) {
    INFO(family);
    const Folder folder;
    const auto config = born(folder,
                             "[model]\nfamily = \"" + family + "\"\nlayers = 2\nwidth = 16\nheads = 4\nmax_positions = 64\n"
                             "alphabet = \"0123456789+=;\"\nspecial_tokens = [\"<eos>\", \"<pad>\"]\neos_token = \"<eos>\"\n" + settings,
                             "born");
    CHECK(config.family == family);
    rl::run_export({.model = folder / "born", .out = folder / "one", .shard_mb = 1});
    rl::run_export({.model = folder / "one", .out = folder / "again/one", .shard_mb = 1});
    auto files = contents(folder / "one");
    CHECK(files == contents(folder / "again/one"));
    files.erase("README.md");
    CHECK(files == contents(folder / "born"));
  }
}

TEST_CASE("a tokenizer is trained on the texts of files", "[init]") {
  const Folder folder;
  folder.put("a.txt", "low lower lowest low low");
  folder.put("b.jsonl", "{\"question\": \"lower?\", \"id\": 7, \"answer\": \"lowest\"}\n\n{\"question\": \"low\"}\n");
  // <eos>, <pad>, 256 bytes and 3 merges: l o, lo w, and the next.
  const auto config = born(folder,
                           "[model]\nlayers = 1\nwidth = 8\nheads = 2\nkey_heads = 2\nhead_size = 4\ndense_width = 8\n"
                           "special_tokens = [\"<eos>\", \"<pad>\"]\neos_token = \"<eos>\"\n[tokenizer]\nvocab_size = 261\ntext = [\"" +
                               folder / "a.txt" + "\", \"" + folder / "b.jsonl" + "\"]\n",
                           "born");
  CHECK(config.vocab_size == 261);
  CHECK(config.eos_token_ids == std::vector<int64_t>{0});
  CHECK(config.pad_token_id == 1);
  const auto tokenizer = model::Tokenizer::from_directory(folder / "born");
  CHECK(tokenizer->encode("low").size() == 1);
  CHECK(tokenizer->decode(tokenizer->encode("lowest\xc3\xa9")) == "lowest\xc3\xa9");
}

TEST_CASE("what is wrong with the sizes is told, and nothing is left behind", "[init]") {
  const Folder folder;
  const auto error = [&](const std::string& toml, const std::vector<std::string>& overrides = {}) {
    return usage_error([&] { born(folder, toml, "born", overrides); });
  };
  CHECK_THAT(error(sizes_toml("layer = 3\n")), Contains("sizes.toml:12: model.layer: unknown key. Did you mean layers?"));
  CHECK_THAT(error(sizes_toml("path = \"m\"\n")), Contains("sizes.toml:12: model.path: is \"m\", but a model is to be born here"));
  CHECK_THAT(error(sizes_toml("family = \"gemma\"\n")), Contains("model.family: is \"gemma\", but must be one of"));
  CHECK_THAT(error(sizes_toml(), {"model.heads=3"}), Contains("sizes.toml: key_heads: is 2 and heads is 3"));
  CHECK_THAT(error(sizes_toml(), {"model.eos_token=<end>"}), Contains("model.eos_token: is \"<end>\", which is not in model.special_tokens"));
  CHECK_THAT(error(sizes_toml(), {"rollout.top_p=1"}), Contains("is not an override. Write it like --set model.layers=4"));
  CHECK_THAT(error(sizes_toml("[tokenizer]\npath = \"t\"\n")), Contains("Keep one of model.alphabet, tokenizer.path and tokenizer.text"));
  CHECK_THAT(error("[model]\nlayers = 1\n[tokenizers]\n"), Contains("tokenizers: unknown section. Known here: run, model, tokenizer."));
  CHECK_THAT(error(sizes_toml(), {"model.width=1000000", "model.dense_width=10000000", "model.layers=1000"}), Contains("Make it smaller"));
  CHECK_FALSE(std::filesystem::exists(folder / "born"));
  born(folder, sizes_toml(), "born");
  CHECK_THAT(error(sizes_toml()), Contains("born: is not empty"));
}
