// [[dataset]] and [curriculum] in a settings file.
#include <filesystem>
#include <fstream>

#include "kernels/error.h"
#include "rl/config.h"
#include "tests/support/catch.h"

namespace {

const std::string top = R"(run.steps = 3
model.path = "somewhere"
[data]
answer_key = "gold"
max_prompt_tokens = 99
[template]
style = "chatml"
[[reward]]
name = "math"
[[reward]]
name = "format"
weight = 0.2
)";

const std::string two_sets = R"([[dataset]]
name = "sums"
train = "sums.jsonl"
weight = 3
rewards = ["math"]
[[dataset]]
name = "words"
train = "words.jsonl"
eval = "words_test.jsonl"
eval_problems = 7
answer_key = "answer"
max_prompt_tokens = 200
style = "plain"
)";

std::string write(const std::string& text) {
  const std::string file = (std::filesystem::temp_directory_path() / "ponder_dataset_settings.toml").string();
  std::ofstream(file) << text;
  return file;
}

rl::StageConfig read(const std::string& text, const std::vector<std::string>& overrides = {}) {
  return rl::read_config(write(text), overrides).stages.at(0);
}

std::string error_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
  try {
    read(text, overrides);
  } catch (const kernels::UsageError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a data set takes what it does not say from [data] and [template]", "[dataset_settings]") {
  const auto stage = read(top + two_sets);
  REQUIRE(stage.datasets.size() == 2);
  const auto &sums = stage.datasets[0], &words = stage.datasets[1];
  REQUIRE(sums.weight == 3);
  REQUIRE(sums.data.train == "sums.jsonl");
  REQUIRE(sums.data.name == "sums");
  REQUIRE(sums.data.answer_key == "gold");
  REQUIRE(sums.chat_template.style == "chatml");
  REQUIRE(words.weight == 1);
  REQUIRE(words.data.answer_key == "answer");
  REQUIRE(words.chat_template.style == "plain");
  REQUIRE(stage.max_prompt_tokens() == 200);
  REQUIRE(stage.eval_problems() == 7);
  // --set for all sets, and for one.
  const auto changed = read(top + two_sets, {"data.max_prompt_tokens=50", "dataset.words.weight=2.5"});
  REQUIRE(changed.datasets[0].data.max_prompt_tokens == 50);
  REQUIRE(changed.datasets[1].data.max_prompt_tokens == 200);
  REQUIRE(changed.datasets[1].weight == 2.5);
}

TEST_CASE("a reward scores the data sets that name it, and those that name none", "[dataset_settings]") {
  const auto stage = read(top + two_sets);
  REQUIRE(stage.rewards[0].datasets.empty());  // math: all
  REQUIRE(stage.rewards[1].datasets == std::vector<std::string>{"words"});
  REQUIRE(reward::applies(stage.rewards[1], "anything", "words"));
  REQUIRE_FALSE(reward::applies(stage.rewards[1], "anything", "sums"));
}

TEST_CASE("a run with data sets reads back as itself, in every stage", "[dataset_settings]") {
  for (const std::string& text :
       {top + two_sets, top + two_sets + "[[stage]]\nkind = \"sft\"\nsteps = 2\n[[stage.dataset]]\nname = \"own\"\ntrain = \"own.jsonl\"\n"
                                         "[[stage]]\nsteps = 2\n"}) {
    const auto config = rl::read_config(write(text));
    const std::string resolved = rl::config_to_toml(config);
    REQUIRE(rl::config_to_toml(rl::read_config(write(resolved))) == resolved);
    REQUIRE_THAT(rl::print_config(write(text), {}), Catch::Contains("[[dataset]]") || Catch::Contains("[[stage.dataset]]"));
  }
}

TEST_CASE("mistakes in a data set are told with its line and the way out", "[dataset_settings]") {
  struct Case {
    std::string text, error;
  };
  const std::string name = "[[dataset]]\nname = \"a\"\ntrain = \"a.jsonl\"\n";
  const Case cases[] = {
      {top + name + "wieght = 2\n", ":16: dataset.wieght: unknown key. Did you mean weight?"},
      {top + name + "weight = 0\n", "dataset.weight: is 0, but must be above 0"},
      {top + name + name, "dataset.name: \"a\" names two data sets of the stage."},
      {top + "[[dataset]]\ntrain = \"a.jsonl\"\n", "dataset.name: is missing."},
      {top + "[[dataset]]\nname = \"a/b\"\ntrain = \"a.jsonl\"\n", "dataset.name: is \"a/b\". Leave out the slash"},
      {top + "[[dataset]]\nname = \"a\"\n", ":13: dataset.train: is missing"},
      {top + "[[dataset]]\nname = \"a\"\ntrain = \"generator:tetris\"\n", "dataset.train: is \"generator:tetris\", but the generators are"},
      {top + name + "style = \"chatlm\"\n", "dataset.style: "},
      {top + name + "rewards = [\"maths\"]\n", "dataset.rewards: names \"maths\", but the [[reward]] entries are: math, format. Did you mean \"math\"?"},
      {top + name + "rewards = [\"math\"]\n", ":10: reward.name: is \"format\", which stands in no [[dataset]]'s rewards"},
      {"data.train = \"b.jsonl\"\nreward = [{name = \"math\"}]\nrun.steps = 1\nmodel.path = \"m\"\n" + name,
       "data.train: is set, but the [[dataset]] entries say what is trained"},
      {top + "[dataset]\nname = \"a\"\n", "dataset: must be a list of tables. Write [[dataset]] with two brackets."},
  };
  for (const Case& c : cases) {
    INFO(c.text);
    REQUIRE_THAT(error_of(c.text), Catch::Contains(c.error));
  }
  REQUIRE_THAT(error_of(top + name, {"dataset.b.weight=2"}), Catch::Contains("dataset: \"b\" is none of: a."));
  REQUIRE_THAT(error_of(top), Catch::Contains("data.train: is missing"));
}

TEST_CASE("a file to evaluate on and no rows of it is refused; a generator then evaluates on nothing", "[dataset_settings]") {
  std::string none = two_sets;
  none.replace(none.find("eval_problems = 7"), 17, "eval_problems = 0");
  REQUIRE_THAT(error_of(top + none), Catch::Contains("dataset.eval_problems: is 0, but words_test.jsonl is there to be evaluated on"));
  const std::string file = "run.steps = 1\nmodel.path = \"m\"\nreward = [{name = \"exact\"}]\n[data]\ntrain = \"generator:arithmetic\"\n";
  REQUIRE_THAT(error_of(file + "eval = \"test.jsonl\"\neval_problems = 0\n"), Catch::Contains("data.eval_problems: is 0, but test.jsonl"));
  REQUIRE(read(file + "eval = \"generator:arithmetic\"\neval_problems = 0\n").eval_problems() == 0);
  REQUIRE(error_of(file + "eval_problems = 0\n") == "");
}

TEST_CASE("settings of a curriculum or of refilling that do nothing, or cannot work, are errors", "[dataset_settings]") {
  const std::string file = top + "[[dataset]]\nname = \"a\"\ntrain = \"a.jsonl\"\n";
  struct Case {
    std::string text, error;
  };
  const Case cases[] = {
      {file + "[[dataset]]\nname = \"b\"\ntrain = \"generator:arithmetic\"\n[curriculum]\nkind = \"failure\"\n",
       "curriculum.kind: is \"failure\", but generator:arithmetic never asks a problem twice"},
      {file + "[curriculum]\nkind = \"pass_rate\"\ndrop_failed_below = 0.96\n", "curriculum.drop_failed_below: is 0.96, but curriculum.drop_solved_above is 0.95"},
      {file + "[curriculum]\nkind = \"failure\"\nmin_visits = 2\n", "curriculum.min_visits: is 2, but curriculum.kind is \"failure\""},
      {file + "[filter]\nmetric = \"accuracy\"\n", "filter.metric: is \"accuracy\", but filter.zero_variance is \"keep\""},
      {file + "[curriculum]\ndecay = 0.9\n", "curriculum.decay: is 0.9, but curriculum.kind is \"none\""},
      {file + "[filter]\nmax_refills = 3\n", "filter.max_refills: is 3, but filter.zero_variance is \"keep\""},
  };
  for (const Case& c : cases) {
    INFO(c.text);
    REQUIRE_THAT(error_of(c.text), Catch::Contains(c.error));
  }
  REQUIRE(error_of(file + "[curriculum]\nkind = \"pass_rate\"\n") == "");
}

TEST_CASE("a preset's rewards stand behind the file's own, but for those it has itself", "[presets]") {
  const std::string file = "preset = \"dapo\"\nrun.steps = 3\nmodel.path = \"somewhere\"\ndata.train = \"generator:arithmetic\"\n";
  const auto stage = read(file + "reward = [{name = \"exact\"}]\nrollout.max_new_tokens = 256\n");
  REQUIRE(stage.filter.zero_variance == "refill");
  REQUIRE(stage.filter.metric == "accuracy");  // the overlong reward must not make a group of wrong answers worth training on
  REQUIRE(stage.rewards.size() == 2);
  REQUIRE(stage.rewards[1].name == "overlong");
  // 20 % of the longest completion, whatever that is.
  std::string options;
  for (const auto& [key, value] : stage.rewards[1].options) options += key + " = " + value + "; ";
  REQUIRE(options == "cache_share = 0.2; factor = 1; max_tokens = 256; ");
  const auto own = read(file + "reward = [{name = \"overlong\", cache_tokens = 8}, {name = \"exact\"}]\n");
  REQUIRE(own.rewards.size() == 2);
  REQUIRE(own.rewards[0].options.front().second == "8");
  REQUIRE_THAT(error_of(file), Catch::Contains("reward: is missing"));
  // Without refilling its limits are without effect, and fall away.
  REQUIRE(read(file + "reward = [{name = \"exact\"}]\nfilter.zero_variance = \"keep\"\n").filter.max_refills == rl::FilterConfig().max_refills);
}
