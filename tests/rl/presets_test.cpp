#include "rl/config/presets.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "kernels/error.h"
#include "rl/config.h"
#include "tests/support/catch.h"

namespace {

std::string write(const std::string& text) {
  const std::string file = (std::filesystem::temp_directory_path() / "ponder_presets_test.toml").string();
  std::ofstream(file) << text;
  return file;
}

// A good file; `top` stands before its sections, `below` after them.
std::string file_with(const std::string& top, const std::string& below = "") {
  return write(top + "run.steps = 3\nmodel.path = \"somewhere\"\ndata.train = \"generator:arithmetic\"\nreward = [{name = \"exact\"}]\n" + below);
}

std::string error_of(const std::string& file, const std::vector<std::string>& overrides = {}) {
  try {
    rl::read_config(file, overrides);
  } catch (const kernels::UsageError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("every preset reads, and its resolved config reads back as itself", "[presets]") {
  REQUIRE(rl::preset_names() == std::vector<std::string>{"cispo", "dapo", "dr-grpo", "grpo-paper", "gspo", "kimi-k1.5", "prorl",
                                                            "r1-zero", "rloo"});
  for (const std::string& name : rl::preset_names()) {
    INFO(name);
    const auto config = rl::read_config(file_with("preset = \"" + name + "\"\n"));
    const std::string resolved = rl::config_to_toml(config);
    REQUIRE(rl::config_to_toml(rl::read_config(write(resolved))) == resolved);
  }
}

TEST_CASE("each value of a preset names its source, or says that it is ours", "[presets]") {
  for (const std::string& name : rl::preset_names()) {
    INFO(name);
    const std::string& text = *rl::find_preset(name);
    REQUIRE_THAT(text.substr(0, text.find("\n\n")), Catch::Contains("arXiv:"));
    REQUIRE_THAT(text, Catch::Contains("[advantage]") && Catch::Contains("[loss]") && Catch::Contains("[optimizer]"));
    if (text.find("unless a line says otherwise") < text.find("\n\n")) continue;
    std::istringstream lines(text.substr(text.find("\n\n")));
    for (std::string line; std::getline(lines, line);) {
      INFO(line);
      REQUIRE((line.find(" = ") == std::string::npos || line.find("#") != std::string::npos));
    }
  }
}

TEST_CASE("the file wins over its preset, and --set over both", "[presets]") {
  const std::string file = file_with("preset = \"dapo\"\n", "[loss]\nclip_high = 0.25\n");
  REQUIRE(rl::read_config(file).stages[0].loss.clip_high == 0.25);
  REQUIRE(rl::read_config(file, {"loss.clip_high=0.3"}).stages[0].loss.clip_high == 0.3);
  REQUIRE(rl::read_config(file).stages[0].rollout.samples_per_prompt == 16);
  // Another preset on the command line, under the same file.
  const auto gspo = rl::read_config(file, {"preset=gspo"}).stages[0];
  REQUIRE(gspo.loss.ratio_level == "sequence");
  REQUIRE(gspo.loss.clip_high == 0.25);
  REQUIRE(gspo.optimizer.weight_decay == 0.0);
}

TEST_CASE("a preset is for grpo stages", "[presets]") {
  const auto config = rl::read_config(file_with("preset = \"dapo\"\n", "[[stage]]\nkind = \"sft\"\nsteps = 2\n[[stage]]\nsteps = 2\n"));
  REQUIRE(config.stages[0].optimizer.weight_decay == 0.0);
  REQUIRE(config.stages[1].optimizer.weight_decay == 0.1);
}

TEST_CASE("--print-config names the preset where a value is its own", "[presets]") {
  const std::string text = rl::print_config(file_with("preset = \"dapo\"\n", "[loss]\nclip_low = 0.1\n"), {"optimizer.lr=2e-6"});
  const auto line_of = [&](const std::string& key) {
    const size_t begin = text.find("\n" + key) + 1;
    return text.substr(begin, text.find('\n', begin) - begin);
  };
  REQUIRE_THAT(line_of("clip_high = "), Catch::Contains("0.28") && Catch::EndsWith("# preset dapo"));
  REQUIRE_THAT(line_of("clip_low = "), Catch::EndsWith(":7"));
  REQUIRE_THAT(line_of("lr = "), Catch::EndsWith("# --set"));
  REQUIRE_THAT(line_of("dual_clip = "), Catch::EndsWith("# default"));
}

TEST_CASE("a preset's value that the file leaves without effect is dropped", "[presets]") {
  // dr-grpo brings constant_length.
  const auto config = rl::read_config(file_with("preset = \"dr-grpo\"\n", "[loss]\naggregation = \"token_mean\"\n"));
  REQUIRE(config.stages[0].loss.constant_length == 0);
  REQUIRE_THAT(error_of(file_with("", "[loss]\nkind = \"reinforce\"\nclip_high = 0.3\n")), Catch::Contains("loss.clip_high: is 0.3, but loss.kind"));
}

TEST_CASE("an unknown preset is an error with the nearest name", "[presets]") {
  REQUIRE_THAT(error_of(file_with("preset = \"dappo\"\n")), Catch::Contains(":1: preset: is \"dappo\"") && Catch::Contains("Did you mean \"dapo\"?"));
  REQUIRE_THAT(error_of(file_with("preset = 3\n")), Catch::Contains("preset: is 3, but must be one of: cispo, dapo"));
  REQUIRE_THAT(error_of(file_with(""), {"preset=nope"}), Catch::Contains("--set preset=nope: preset: is \"nope\""));
}

TEST_CASE("settings of an algorithm that conflict stop the run", "[presets]") {
  struct Case {
    const char *text, *error;
  };
  const Case cases[] = {
      {"[loss]\ndual_clip = 1.1\n", "loss.dual_clip: is 1.1, but the ratio is clipped to 1 + loss.clip_high = 1.2"},
      {"[loss]\nsapo_tau_negative = 2.0\n", "loss.sapo_tau_negative: is 2.0, but loss.kind is \"ppo_clip\""},
      {"[loss]\nentropy_coef_max = 1.0\n", "loss.entropy_coef_max: is 1.0, but loss.entropy_target is 0"},
      {"[kl]\nvalue = \"k1\"\n", "kl.value: is \"k1\", but kl.coef is 0"},
      {"[kl]\ncoef = 0.1\nreference_every_steps = 5\n", "kl.reference_every_steps: is 5, but kl.reference_update is \"never\""},
      {"[kl]\ncoef = 0.1\nreference_update = \"every\"\nreference_polyak = 0.5\n",
       "kl.reference_polyak: is 0.5, but kl.reference_update is \"every\""},
      {"[advantage]\nscale = \"none\"\nstd = \"population\"\n", "advantage.std: is \"population\", but advantage.scale is \"none\""},
      {"[advantage]\nscale = \"group_mean\"\nreward_range = [0, 1]\n[kl]\ncoef = 0.1\nwhere = \"reward\"\n",
       "advantage.scale: is \"group_mean\""},
      {"[advantage]\nscale = \"group_mean\"\nreward_range = [0, 1]\ncombine = \"normalize_then_sum\"\n",
       "advantage.scale: is \"group_mean\""},
      {"[advantage]\nbaseline = \"batch_mean\"\n[filter]\nzero_variance = \"drop\"\n", "filter.zero_variance: is \"drop\", but advantage.baseline"},
      {"[rollout]\ntemperature = 1e-5\n", "rollout.temperature: is 1e-05, but samples are drawn at 0.001 or more"},
      {"[eval]\ntemperature = 1e-5\n", "eval.temperature: is 1e-05. Set it to 0"},
      {"[kl]\nwhere = \"reward\"\n", "kl.where: is \"reward\", but kl.coef is 0"},
      {"[kl]\ncoef = 0.1\nlevel = \"sequence\"\n", "kl.level: is \"sequence\""},
      {"[kl]\ncoef = 0.1\nreset_optimizer = true\n", "kl.reset_optimizer: is true, but kl.reference_update is \"never\""},
      {"[kl]\ncoef = 0.1\nwhere = \"reward\"\ngradient = \"k2\"\n", "kl.gradient: is \"k2\", but kl.where is \"reward\""},
      {"[correction]\nmode = \"mask\"\n", "correction.mode: is \"mask\", but correction.old_logprobs is \"rollout\""},
      {"[correction]\nupper = 3.0\n", "correction.upper: is 3.0, but correction.mode is \"off\""},
      {"[advantage]\nscale = \"group_mean\"\n", "advantage.scale: is \"group_mean\", which divides by the mean reward"},
      {"[advantage]\ncombine = \"normalize_then_sum\"\n[kl]\ncoef = 0.1\nwhere = \"reward\"\n", "kl.where: is \"reward\", but advantage.combine"},
  };
  for (const Case& c : cases) {
    INFO(c.text);
    REQUIRE_THAT(error_of(file_with("", c.text)), Catch::Contains(c.error));
  }
  // One completion a prompt is enough where nothing is compared within the group.
  REQUIRE(error_of(file_with("", "rollout.samples_per_prompt = 1\n[advantage]\nbaseline = \"batch_mean\"\nscale = \"batch_std\"\n")) == "");
}
