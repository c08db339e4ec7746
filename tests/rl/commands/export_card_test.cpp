#include "rl/commands/export_card.h"

#include "tests/rl/commands/folders.h"
#include "tests/support/catch.h"

using Catch::Matchers::Contains;
using testing::Folder;

namespace {

const char* base_card =
    "---\nlicense: apache-2.0\nlanguage:\n- en\n- de\nbase_model:\n- org/older\ntags:\n- math\ndatasets:\n- org/books\nwidget: no\n---\n"
    "# Base\nlicense: not this line\n";

// A base model with a card, a run that started from it, and a run that started from that one.
struct Runs {
  Folder folder;
  Runs() {
    folder.put("cache/models--org--base/snapshots/abc/config.json", "{}");
    folder.put("cache/models--org--base/snapshots/abc/README.md", base_card);
    folder.put("shop/SOURCE.md", "# A set\n\n- hub: shop/set\n");
    folder.put("one/config.toml", recipe(folder / "cache/models--org--base/snapshots/abc", folder / "shop/train.jsonl", "sft"));
    folder.put("one/final/config.json", "{}");
    folder.put("two/config.toml", recipe(folder / "one/final", folder / "mine.jsonl", "grpo"));
    folder.put("two/summary.json",
               R"({"seed": 5, "seconds": 61.6, "machine": "a machine", "version": "1.2", "stages": [{"name": "grow", "kind": "grpo",
                   "steps": 8, "tokens": 900, "rewards": "math 2", "greedy_before": {"problems": 32, "accuracy": 0.25,
                   "standard_error": 0.08, "mean_length": 40.0}, "greedy_after": {"problems": 32, "accuracy": 0.5,
                   "standard_error": 0.09, "mean_length": 51.26}, "sampled_before": null, "sampled_after": null}]})");
  }
  static std::string recipe(const std::string& model, const std::string& data, const std::string& kind) {
    return "[run]\nseed = 5\n[model]\npath = \"" + model + "\"\n[data]\ntrain = \"" + data + "\"\n[[stage]]\nkind = \"" + kind + "\"\n";
  }
};

std::string front(const std::string& card) { return card.substr(0, card.find("\n---\n", 4) + 5); }

}  // namespace

TEST_CASE("the card of a run names base model, data sets, licence, tags, recipe, seed and results", "[export]") {
  const Runs runs;
  const auto card = rl::model_card({"mine", runs.folder / "two/final", runs.folder / "two", "llama", "BF16 and F32", 1234567});
  CHECK(front(card) ==
        "---\nlicense: apache-2.0\nlanguage:\n- en\n- de\nbase_model: org/base\n"
        "datasets:\n- \"unknown: fill in (mine.jsonl)\"\n- shop/set\nlibrary_name: transformers\npipeline_tag: text-generation\n"
        "tags:\n- ponder\n- grpo\n- sft\n- reinforcement-learning\n---\n");
  CHECK_THAT(card, Contains("# mine\n\nA language model of the llama family with 1.2M parameters; tensors are BF16 and F32."));
  CHECK_THAT(card, Contains("Started from org/base.\n- grow (grpo): 8 steps, 900 trained tokens; rewards: math 2\n"));
  CHECK_THAT(card, Contains("Seed 5; 62 seconds on a machine; Ponder 1.2."));
  CHECK_THAT(card, Contains("| grow | greedy | 32 | 0.250 ± 0.080 | 0.500 ± 0.090 | 40.0 → 51.3 |"));
  CHECK_THAT(card, Contains("~~~~toml\n[run]\nseed = 5\n[model]\n"));
  CHECK_THAT(card, Contains("names the licence apache-2.0"));
}

TEST_CASE("without a run the card keeps what the model's own card says", "[export]") {
  const Runs runs;
  const auto card = rl::model_card({"copy", runs.folder / "cache/models--org--base/snapshots/abc", "", "llama", "F32", 10});
  CHECK(front(card) ==
        "---\nlicense: apache-2.0\nlanguage:\n- en\n- de\nbase_model:\n- org/older\ndatasets:\n- org/books\n"
        "library_name: transformers\npipeline_tag: text-generation\ntags:\n- math\n---\n");
}

TEST_CASE("what nobody says is unknown, and a model born in a run has no base", "[export]") {
  const Folder folder;
  folder.put("model/config.json", R"({"_name_or_path": "/home/me/model"})");
  CHECK(front(rl::model_card({"x", folder / "model", "", "llama", "F32", 10})) ==
        "---\nlicense: \"unknown: fill in\"\nbase_model: \"unknown: fill in\"\ndatasets:\n- \"unknown: fill in\"\n"
        "library_name: transformers\npipeline_tag: text-generation\ntags:\n- ponder\n---\n");
  folder.put("run/config.toml", "[model]\ninit = \"random\"\n[data]\ntrain = \"generator:arithmetic\"\n");
  const auto card = rl::model_card({"x", folder / "run/final", folder / "run", "llama", "F32", 10});
  CHECK(front(card) == "---\nlicense: \"unknown: fill in\"\nlibrary_name: transformers\npipeline_tag: text-generation\ntags:\n- ponder\n---\n");
  CHECK_THAT(card, Contains("Started from random weights."));
  folder.put("model/config.json", R"({"_name_or_path": "org/name"})");
  CHECK_THAT(rl::model_card({"x", folder / "model", "", "llama", "F32", 10}), Contains("base_model: org/name\n"));
}
