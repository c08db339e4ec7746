#include "rl/config.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "rl/config/nearest_name.h"
#include "tests/support/catch.h"
#include "tests/support/source_dir.h"

namespace {

// A file that is good but for `extra`.
const std::string good_top = R"(run.steps = 3
model.init = "random"
model.alphabet = "01+="
model.special_tokens = ["<eos>"]
model.eos_token = "<eos>"
data.train = "generator:arithmetic"
reward = [{name = "exact"}]
)";

std::string write(const std::string& text) {
  const std::string file = (std::filesystem::temp_directory_path() / "ponder_config_test.toml").string();
  std::ofstream(file) << text;
  return file;
}

rl::Config read(const std::string& extra, const std::vector<std::string>& overrides = {}) {
  return rl::read_config(write(good_top + extra), overrides);
}

std::string error_of(const std::string& extra, const std::vector<std::string>& overrides = {}) {
  try {
    read(extra, overrides);
  } catch (const kernels::UsageError& error) {
    return error.what();
  }
  return "";
}

bool starts_with(const std::string& text, const std::string& head) { return text.rfind(head, 0) == 0; }
bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a file without stages is one grpo stage", "[config]") {
  const auto config = read("[rollout]\nsamples_per_prompt = 4\n");
  REQUIRE(config.stages.size() == 1);
  REQUIRE(config.stages[0].kind == "grpo");
  REQUIRE(config.stages[0].name == "grpo");
  REQUIRE(config.stages[0].steps == 3);
  REQUIRE(config.stages[0].rollout.samples_per_prompt == 4);
  REQUIRE(config.run.name == "ponder_config_test");
  REQUIRE(config.run.output_dir == "runs/ponder_config_test");
}

TEST_CASE("a stage starts from the top sections and overrides them", "[config]") {
  const auto config = read(R"(
[optimizer]
lr = 1e-3
weight_decay = 0.1
[[stage]]
kind = "sft"
steps = 10
optimizer.lr = 2e-3
[[stage]]
steps = 50
rollout.temperature = 0.7
)");
  REQUIRE(config.stages.size() == 2);
  REQUIRE(config.stages[0].optimizer.lr == 2e-3);
  REQUIRE(config.stages[0].optimizer.weight_decay == 0.1);
  REQUIRE(config.stages[0].rollout.temperature == 1.0);
  REQUIRE(config.stages[1].optimizer.lr == 1e-3);
  REQUIRE(config.stages[1].rollout.temperature == 0.7);
  // run.steps = 3 caps the RL stage and leaves the cold start alone.
  REQUIRE(config.stages[0].steps == 10);
  REQUIRE(config.stages[1].steps == 3);
}

TEST_CASE("--set wins over the file and over every stage", "[config]") {
  const auto config = read("[[stage]]\nkind = \"sft\"\nname = \"cold\"\nsteps = 9\ndata.terms = 3\n[[stage]]\ndata.terms = 4\n",
                           {"data.terms=7", "run.name=bare-word", "stage.cold.steps=2", "stage.grpo.rollout.top_k=5",
                            "reward.exact.weight=0.5", "optimizer.betas=[0.8, 0.9]"});
  REQUIRE(config.stages[0].data.terms == 7);
  REQUIRE(config.stages[1].data.terms == 7);
  REQUIRE(config.run.name == "bare-word");
  REQUIRE(config.stages[0].steps == 2);
  REQUIRE(config.stages[0].rollout.top_k == 0);
  REQUIRE(config.stages[1].rollout.top_k == 5);
  REQUIRE(config.stages[1].rewards[0].weight == 0.5);
  REQUIRE(config.stages[1].optimizer.beta1 == 0.8);
  REQUIRE(config.stages[1].optimizer.beta2 == 0.9);
}

TEST_CASE("keys of a reward that are not ours become its options, as text", "[config]") {
  const auto config = read(
      "[[stage]]\n[[stage.reward]]\nname = \"format\"\nrole = \"gate\"\nmode = \"strict\"\nallow_empty_think = true\n"
      "[[stage.reward]]\nname = \"exact\"\n");
  const auto& settings = config.stages[0].rewards.at(0);
  REQUIRE(settings.role == "gate");
  REQUIRE(settings.options ==
          std::vector<std::pair<std::string, std::string>>{{"mode", "strict"}, {"allow_empty_think", "true"}});
  REQUIRE(contains(error_of("[[stage]]\n[[stage.reward]]\nname = \"format\"\nmood = 1\n[[stage.reward]]\nname = \"exact\"\n"),
                   ":9: reward: "));
}

TEST_CASE("an unknown key is an error with its line and the nearest name", "[config]") {
  // good_top has 7 lines, so [rollout] is line 8.
  REQUIRE(error_of("[rollout]\nsample_per_prompt = 8\n") ==
          write("") + ":9: rollout.sample_per_prompt: unknown key. Did you mean samples_per_prompt?");
  REQUIRE(contains(error_of("[rollout]\nlr = 0.1\n"), ":9: rollout.lr: unknown key. It belongs in [optimizer]."));
  REQUIRE(contains(error_of("[rolout]\ntop_k = 1\n"), ":8: rolout: unknown section. Did you mean [rollout]?"));
  REQUIRE(contains(error_of("[[stages]]\nsteps = 1\n"), "stages: unknown section. Did you mean [[stage]]?"));
  REQUIRE(contains(error_of("[[stage]]\nrun.seed = 1\n"), "stage.run: belongs to the whole run. Move it to [run]"));
  REQUIRE(contains(error_of("", {"rollout.temprature=1"}),
                   "--set rollout.temprature=1: rollout.temprature: unknown key. Did you mean temperature?"));
}

TEST_CASE("all errors of a file come at once, one line each, in the order of the file", "[config]") {
  const std::string errors = error_of("[rollout]\ntop_p = 2\nmax_new_tokens = \"many\"\n[loss]\naggregation = \"token_men\"\n");
  REQUIRE(std::count(errors.begin(), errors.end(), '\n') == 2);
  const size_t first = errors.find(":9: rollout.top_p: is 2, but must be from 0 (not itself) to 1 share.");
  const size_t second = errors.find(":10: rollout.max_new_tokens: is \"many\", which is text, but this key takes an integer.");
  const size_t third = errors.find(
      ":12: loss.aggregation: is \"token_men\", but must be one of: token_mean, seq_mean, seq_mean_token_sum, constant. "
      "Did you mean \"token_mean\"?");
  INFO(errors);
  REQUIRE(first < second);
  REQUIRE(second < third);
  REQUIRE(third != std::string::npos);
}

TEST_CASE("text that is not TOML is one line with its place", "[config]") {
  const std::string error = error_of("[rollout\n");
  REQUIRE(contains(error, ".toml:8: is not valid TOML: "));
  REQUIRE(!contains(error, "\n"));
}

TEST_CASE("settings that contradict each other are refused", "[config]") {
  REQUIRE(contains(error_of("[rollout]\nsamples_per_prompt = 1\n"), ":9: rollout.samples_per_prompt: is 1, but GRPO compares"));
  REQUIRE(error_of("[rollout]\nsamples_per_prompt = 1\n[advantage]\nbaseline = \"none\"\nscale = \"none\"\n").empty());
  REQUIRE(contains(error_of("[rollout]\ntemperature = 0\n"), "rollout.temperature: is 0, but"));
  REQUIRE(contains(error_of("model.path = \"x\"\n"), "model.init: is \"random\", but model.path is \"x\""));
  REQUIRE(contains(error_of("[loss]\nconstant_length = 9\n"),
                   "loss.constant_length: is 9, but loss.aggregation is \"token_mean\""));
  REQUIRE(contains(error_of("[loss]\naggregation = \"constant\"\n"), "loss.constant_length: is missing"));
  REQUIRE(contains(error_of("[kl]\nreference_update = \"every\"\n"), "kl.reference_update: is \"every\", but kl.coef is 0"));
  REQUIRE(error_of("[kl]\nreference_update = \"every\"\ncoef = 0.1\n").empty());
  REQUIRE(contains(error_of("[moe]\nbias_update_rate = 0.1\n"), "only a sigmoid router has a correction bias"));
  REQUIRE(contains(error_of("[[stage]]\nname = \"a\"\n[[stage]]\nname = \"a\"\n"), "\"a\" names two stages"));
  REQUIRE(contains(error_of("", {"data.train=generator:sudoku"}),
                   "the generators are generator:arithmetic and generator:countdown"));
}

TEST_CASE("sizes beside a model that is read are refused", "[config]") {
  const std::string file = write(
      "run.steps = 1\nmodel.path = \"m\"\nmodel.layers = 2\ndata.train = \"generator:countdown\"\nreward = [{name = "
      "\"exact\"}]\n");
  REQUIRE_THROWS_WITH(rl::read_config(file),
                      file + ":3: model.layers: is set, but the model is read from \"m\", whose files say it. Remove the key.");
}

TEST_CASE("a born model's vocabulary and end token come from its alphabet", "[config]") {
  // 4 characters, then the special tokens: <think> is 4, <eos> is 5, <pad> is 6.
  const auto config = read("", {"model.special_tokens=[\"<think>\", \"<eos>\", \"<pad>\"]", "model.layers=2"});
  REQUIRE(config.model.sizes.vocab_size == 7);
  REQUIRE(config.model.sizes.eos_token_ids == std::vector<int64_t>{5});
  REQUIRE(config.model.sizes.pad_token_id == 6);
  REQUIRE(config.model.sizes.family == "llama");
  REQUIRE(config.model.sizes.first_dense_layers == 2);
  REQUIRE(read("", {"model.attention=mla", "model.experts=4"}).model.sizes.family == "deepseek_v3");
}

TEST_CASE("a resolved config reads back as itself", "[config]") {
  for (const std::string name : {"quickstart", "gsm8k_smollm2"}) {
    const auto config = rl::read_config(testing::source_dir() + "/configs/" + name + ".toml",
                                        {"run.seed=9", "template.system=\"a \\\"quoted\\\" line\\n\""});
    const std::string text = rl::config_to_toml(config);
    const auto again = rl::read_config(write(text));
    REQUIRE(rl::config_to_toml(again) == text);
    REQUIRE(again.run.seed == 9);
    REQUIRE(again.stages.size() == config.stages.size());
    REQUIRE(again.stages[0].optimizer.lr == config.stages[0].optimizer.lr);
    REQUIRE(again.stages.back().rewards.size() == config.stages.back().rewards.size());
    REQUIRE(again.stages.back().chat_template.system == "a \"quoted\" line\n");
  }
}

TEST_CASE("the entry of a plug-in reads back as itself, and its wrong keys are told with the line", "[config]") {
  const std::string entry = R"([[stage]]
[[stage.reward]]
name = "judge"
kind = "process"
command = ["python3", "my judge.py"]
workers = 3
role = "gate"
on_error = "abort"
applies_to = ["gsm8k", "math*"]
buffer = 512
[[stage.reward]]
name = "exact"
)";
  const auto config = read(entry);
  const auto& judge = config.stages[0].rewards.at(0);
  CHECK(judge.command == std::vector<std::string>{"python3", "my judge.py"});
  CHECK(judge.applies_to == std::vector<std::string>{"gsm8k", "math*"});
  CHECK((judge.workers == 3 && judge.role == "gate" && judge.on_error == "abort"));
  CHECK(judge.options == std::vector<std::pair<std::string, std::string>>{{"buffer", "512"}});
  const auto again = rl::read_config(write(rl::config_to_toml(config)));
  CHECK(again.stages[0].rewards == config.stages[0].rewards);
  CHECK(contains(error_of("[[stage]]\n[[stage.reward]]\nname = \"judge\"\nkind = \"process\"\n"), ":9: reward: reward \"judge\": command is missing"));
  CHECK(contains(error_of("[advantage]\nreward_range = [1, 0]\n"), "advantage.reward_range: is [1, 0], which is empty"));
}

TEST_CASE("a file may hold nothing but rewards", "[config]") {
  const auto rewards = rl::read_reward_file(testing::source_dir() + "/configs/rewards/last_word.toml");
  REQUIRE(rewards.size() == 2);
  CHECK((rewards[0].kind == "process" && rewards[1].role == "metric"));
  CHECK(rl::read_reward_file(testing::source_dir() + "/configs/quickstart.toml").size() == 2);
  CHECK_THROWS_WITH(rl::read_reward_file(write("[run]\nseed = 1\n")), Catch::Matchers::Contains("has no [[reward]]"));
}

TEST_CASE("--print-config says where each value came from", "[config]") {
  const std::string file = write(good_top + "[rollout]\ntop_k = 3\n");
  const std::string text = rl::print_config(file, {"rollout.top_p=0.5"});
  const auto line_of = [&](const std::string& key) {
    const size_t at = text.find("\n" + key + " = ");
    REQUIRE(at != std::string::npos);
    return text.substr(at + 1, text.find('\n', at + 1) - at - 1);
  };
  REQUIRE(contains(line_of("top_k"), "top_k = 3"));
  REQUIRE(contains(line_of("top_k"), "# " + file + ":9"));
  REQUIRE(contains(line_of("top_p"), "# --set"));
  REQUIRE(contains(line_of("min_p"), "# default"));
}

TEST_CASE("the place of a setting is its line, its override or the file", "[config]") {
  const std::string file = write(good_top + "[rollout]\ntop_k = 3\n");
  const auto config = rl::read_config(file, {"run.seed=4"});
  REQUIRE(rl::place_of(config, "rollout.top_k", "grpo") == file + ":9");
  REQUIRE(rl::place_of(config, "run.steps") == file + ":1");
  REQUIRE(rl::place_of(config, "run.seed") == "--set run.seed=4");
  REQUIRE(rl::place_of(config, "rollout.top_p", "grpo") == file);
}

TEST_CASE("the schema is JSON that lists every section and forbids unknown keys", "[config]") {
  const auto schema = nlohmann::json::parse(rl::config_schema_json());
  REQUIRE(schema["additionalProperties"] == false);
  const auto& rollout = schema["properties"]["rollout"];
  REQUIRE(rollout["additionalProperties"] == false);
  REQUIRE(rollout["properties"]["samples_per_prompt"]["type"] == "integer");
  REQUIRE(rollout["properties"]["samples_per_prompt"]["default"] == 8);
  REQUIRE(rollout["properties"]["top_p"]["exclusiveMinimum"] == 0.0);
  REQUIRE(schema["properties"]["stage"]["items"]["properties"]["rollout"] == rollout);
  REQUIRE(schema["properties"]["reward"]["items"]["additionalProperties"] == true);
  REQUIRE(contains(rl::config_table_markdown(), "| `optimizer.betas` | two numbers | `[0.9, 0.95]` |"));
}

TEST_CASE("the nearest name allows for a slip of the finger and no more", "[config]") {
  REQUIRE(rl::edit_distance("temprature", "temperature") == 1);
  REQUIRE(rl::edit_distance("pt_top", "tp_top") == 1);  // neighbours swapped
  REQUIRE(rl::nearest_name("temprature", {"top_p", "temperature"}) == "temperature");
  REQUIRE(rl::nearest_name("banana", {"top_p", "temperature"}).empty());
  REQUIRE(starts_with(rl::nearest_name("clip_hi", {"clip_low", "clip_high"}), "clip_high"));
}
