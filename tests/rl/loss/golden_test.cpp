// Each preset, and other settings of the loss, on one small batch: against TRL's code and against the papers' formulas, both in
// float64. tests/support/make_algorithm_golden.py says which oracle made which case.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "rl/advantage/step_advantages.h"
#include "rl/config/presets.h"
#include "rl/loss/correction.h"
#include "rl/step_metrics.h"
#include "tests/support/catch.h"
#include "tests/support/compare.h"
#include "tests/support/source_dir.h"

namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

const Json& golden() {
  static const Json json = [] {
    std::ifstream in(fs::path(testing::source_dir()) / "tests/rl/golden/algorithms.json");
    return Json::parse(in);
  }();
  return json;
}

rl::StageConfig stage_of(const Json& c) {
  const std::string file = (fs::temp_directory_path() / "ponder_golden_test.toml").string();
  const std::string preset = c.at("preset");
  std::ofstream(file) << (preset.empty() ? "" : "preset = \"" + preset + "\"\n") +
                             "run.steps = 1\nmodel.path = \"none\"\ndata.train = \"generator:arithmetic\"\n"
                             "rollout.samples_per_prompt = 4\nreward = [{name = \"exact\"}]\n";
  return rl::read_config(file, c.at("overrides").get<std::vector<std::string>>()).stages.at(0);
}

std::vector<rl::TrainGroup> groups_of(const Json& c, const rl::StageConfig& stage) {
  std::vector<rl::TrainGroup> groups;
  const bool on_policy = c.is_object() && c.value("on_policy", false);
  for (const Json& g : golden().at("groups")) {
    groups.push_back({static_cast<int64_t>(groups.size()), {1, 2, 3}, {}});
    for (const Json& s : g) {
      rl::TrainSequence sequence;
      sequence.trained = s.at("trained").get<std::vector<uint8_t>>();
      sequence.tokens.assign(sequence.trained.size(), 5);
      sequence.drawn = std::count(sequence.trained.begin(), sequence.trained.end(), 1);
      sequence.logprobs = s.at(on_policy ? "policy" : "old").get<std::vector<float>>();
      if (stage.kl.coef > 0) sequence.reference_logprobs = s.at("reference").get<std::vector<float>>();
      sequence.reward = s.at("reward"), sequence.parts = s.at("parts").get<std::vector<double>>();
      groups.back().sequences.push_back(std::move(sequence));
    }
  }
  return groups;
}

// What the model would answer: the batch's numbers, in the order of the packed rows.
at::Tensor head_rows(const rl::MicroBatch& micro, const char* key) {
  at::Tensor x = kernels::zeros_f32({micro.mask.size(0)});
  size_t i = 0;
  for (const Json& g : golden().at("groups"))
    for (const Json& s : g) {
      const auto values = s.at(key).get<std::vector<float>>();
      std::copy(values.begin(), values.end(), kernels::f32(x) + micro.sequences.at(i++).first);
    }
  return x;
}

std::vector<double> flat(const Json& rows) {
  std::vector<double> all;
  for (const Json& row : rows)
    for (const double x : row) all.push_back(x);
  return all;
}

std::vector<float> rows_of(const rl::MicroBatch& micro, const at::Tensor& x) {
  std::vector<float> all;
  for (const auto& range : micro.sequences) {
    const float* first = kernels::f32(x) + range.first;
    all.insert(all.end(), first, first + range.count);
  }
  return all;
}

// Relative to the largest: 1e-6.
void require_near(const char* what, const std::vector<float>& got, const std::vector<double>& wanted) {
  INFO(what);
  REQUIRE(testing::max_abs(wanted) > 0);
  REQUIRE(testing::max_difference(got, wanted) <= 1e-6 * testing::max_abs(wanted));
}

void check(const Json& c) {
  const rl::StageConfig stage = stage_of(c);
  auto groups = groups_of(c, stage);
  rl::assign_advantages(groups, stage.advantage, stage.kl, golden().at("part_weights").get<std::vector<double>>());
  rl::weigh_tokens(groups, stage.loss);
  const rl::MicroBatch micro = rl::pack(groups, 0, groups.size(), 1.0f);
  kernels::TokenLogprob head;
  head.logprob = head_rows(micro, "policy"), head.entropy = head_rows(micro, "entropy");
  rl::Updates done;
  done.count = 1;
  const auto gradient = rl::policy_loss(micro, head, stage.loss, stage.kl, stage.loss.entropy_coef, done.all.sums);
  require_near("advantages", rows_of(micro, micro.advantages), flat(c.at("advantages")));
  require_near("gradient", rows_of(micro, gradient.dlogprobs), flat(c.at("gradient")));
  rl::Metrics metrics;
  rl::append_loss_metrics(metrics, done, stage);
  for (const auto& [name, value] : c.at("metrics").items()) {
    INFO(name);
    const auto found = std::find_if(metrics.begin(), metrics.end(), [&, key = name](const auto& m) { return m.first == key; });
    REQUIRE(found != metrics.end());
    REQUIRE(found->second == Approx(value.get<double>()).epsilon(1e-6).margin(1e-12));
  }
}

}  // namespace

TEST_CASE("every algorithm gives its oracle's loss, gradient weights and metrics", "[golden][policy_loss]") {
  for (const Json& c : golden().at("cases")) {
    INFO(c.at("name").get<std::string>() << ", oracle " << c.at("oracle").get<std::string>());
    check(c);
  }
}

TEST_CASE("importance corrections are TRL's", "[golden][correction]") {
  for (const Json& c : golden().at("corrections")) {
    INFO(c.at("mode").get<std::string>());
    rl::CorrectionConfig config;
    config.mode = c.at("mode"), config.lower = c.at("lower"), config.upper = c.at("upper");
    auto groups = groups_of({}, {});  // "old" as the sampler's
    size_t i = 0;
    for (const Json& g : golden().at("groups"))
      for (const Json& s : g) {
        groups[i / 4].sequences[i % 4].old_logprobs = s.at("policy").get<std::vector<float>>();
        ++i;
      }
    rl::correct_for_sampler(groups, config);
    std::vector<float> got;
    for (const auto& g : groups)
      for (const auto& s : g.sequences) got.insert(got.end(), s.corrections.begin(), s.corrections.end());
    require_near("factors", got, flat(c.at("factors")));
  }
}

TEST_CASE("every preset has a golden case, and those that TRL has one of TRL", "[golden][presets]") {
  std::set<std::string> by_paper, by_trl;
  for (const Json& c : golden().at("cases")) {
    const std::string preset = c.at("preset");
    if (!preset.empty()) (c.at("oracle") == "trl" ? by_trl : by_paper).insert(preset);
  }
  const auto& names = rl::preset_names();
  REQUIRE(by_paper == std::set<std::string>(names.begin(), names.end()));
  by_trl.insert("kimi-k1.5");
  REQUIRE(by_trl == by_paper);
}
