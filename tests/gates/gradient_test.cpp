// One gradient whatever the micro-batches, the threads and the recomputation; and the tree's is the plain packing's.
#include <algorithm>
#include <cstdio>

#include "kernels/thread_pool.h"
#include "model/transformer.h"
#include "rl/loss/policy_loss.h"
#include "tests/gates/gate_groups.h"
#include "tests/gates/gate_models.h"
#include "tests/support/catch.h"
#include "tests/support/compare.h"
#include "tests/support/every_isa.h"

using kernels::Dtype;

namespace {

// The algorithm: each objective, both ratio levels, each aggregation and a KL of every kind come up in one of them.
struct Algorithm {
  const char* name;
  rl::LossConfig loss;
  rl::KlConfig kl;
  double entropy_coef = 0.01;
};

Algorithm algorithm(const char* kind = "ppo_clip", const char* level = "token", const char* aggregation = "token_mean",
    const char* gradient = "naive") {
  Algorithm a{kind, {}, {}};
  a.loss.kind = kind, a.loss.ratio_level = level, a.loss.aggregation = aggregation;
  a.loss.clip_high = 0.25, a.loss.constant_length = 20;
  a.kl.coef = 0.04, a.kl.gradient = gradient;
  return a;
}

std::vector<Algorithm> algorithms() {
  std::vector<Algorithm> all{algorithm("ppo_clip", "sequence", "seq_mean", "unbiased"),
      algorithm("ppo_clip", "sequence_token", "seq_mean", "k2"), algorithm("cispo", "token", "constant"),
      algorithm("sapo", "token", "seq_mean_token_sum", "unbiased"), algorithm("reinforce", "token", "seq_mean_token_sum")};
  all.back().kl.value = "k2", all.back().kl.level = "sequence";
  return all;
}

struct Update {
  at::Tensor gradient;
  std::vector<std::vector<int64_t>> loads;
  std::vector<float> dlogprobs, dentropy;  // of the head rows, one micro-batch after another
  rl::LossSums sums;
};

struct Setting {
  size_t groups_at_once = 1;
  int64_t threads = 1;
  int64_t recomputed_blocks = 0;
};

void append(std::vector<float>& to, const at::Tensor& x) {
  const auto v = testing::values(x);
  to.insert(to.end(), v.begin(), v.end());
}

Update gradient_of(const model::ModelConfig& config, Dtype dtype, const std::vector<rl::TrainGroup>& groups,
    const Setting& setting, const Algorithm& algorithm = ::algorithm()) {
  kernels::set_threads(setting.threads);
  model::ParameterStore store(config, true);
  gate::fill(store, 17);
  const auto policy = model::pack_weights(store, dtype, 1), reference = gate::fresh_weights(config, dtype, 18);
  Update update;
  for (size_t first = 0; first < groups.size(); first += setting.groups_at_once) {
    auto batch = rl::pack(groups, first, std::min(groups.size(), first + setting.groups_at_once), gate::kInverseTemperature);
    auto output = model::forward_train(*policy, batch.tokens, {.keep_tape = true, .recomputed_blocks = setting.recomputed_blocks});
    batch.reference_logprobs = model::forward_train(*reference, batch.tokens, {.keep_tape = false}).tokens.logprob;
    const auto loss = rl::policy_loss(batch, output.tokens, algorithm.loss, algorithm.kl, algorithm.entropy_coef, update.sums);
    append(update.dlogprobs, loss.dlogprobs);
    append(update.dentropy, loss.dentropy);
    model::backward(*policy, output, loss.dlogprobs, loss.dentropy, store);
    update.loads.resize(output.expert_loads.size());
    for (size_t i = 0; i < output.expert_loads.size(); ++i) {
      update.loads[i].resize(output.expert_loads[i].size());
      for (size_t e = 0; e < output.expert_loads[i].size(); ++e) update.loads[i][e] += output.expert_loads[i][e];
    }
  }
  store.complete_gradient();
  update.gradient = store.gradient;
  return update;
}

template <typename Check>
void for_each_model(Check check) {
  const testing::KernelSettings saved;
  for (const auto& [name, config] : gate::models())
    for (const Dtype dtype : {Dtype::bf16, Dtype::float32}) {
      INFO(name << " in " << kernels::name_of(dtype));
      auto groups = gate::make_groups(*gate::fresh_weights(config, dtype, 17));
      rl::weigh_tokens(groups, {});
      check(config, dtype, groups);
    }
}

// The first parameter whose gradients differ, for the message.
std::string first_difference(const model::ModelConfig& config, const at::Tensor& a, const at::Tensor& b) {
  for (const auto& p : model::list_parameters(config))
    if (!testing::same_bits(a.narrow(0, p.offset, p.size), b.narrow(0, p.offset, p.size))) return p.name;
  return "none";
}

// Each completion with a prompt of its own.
std::vector<rl::TrainGroup> without_sharing(const std::vector<rl::TrainGroup>& groups) {
  std::vector<rl::TrainGroup> plain;
  for (const auto& g : groups)
    for (const auto& s : g.sequences) plain.push_back({static_cast<int64_t>(plain.size()), g.prompt, {s}});
  return plain;
}

}  // namespace

TEST_CASE("micro-batches, threads and recomputation do not change one bit of the gradient", "[gate][gradient]") {
  for_each_model([](const model::ModelConfig& config, Dtype dtype, const std::vector<rl::TrainGroup>& groups) {
    const Update whole = gradient_of(config, dtype, groups, {groups.size(), 1, 0});
    // Ratios are not 1, some are clipped, and the reference is another policy.
    REQUIRE(whole.sums.tokens > 80);
    REQUIRE(whole.sums.clipped_low + whole.sums.clipped_high >= 3);
    REQUIRE(whole.sums.kl > 1.0);
    REQUIRE(testing::max_abs(testing::as(testing::values(whole.gradient))) > 1e-3);
    for (const Setting s : {Setting{1, 1, 0}, {2, 1, 0}, {1, 2, 0}, {2, 3, 0}, {groups.size(), 2, 0},
                            {groups.size(), 3, 0}, {groups.size(), 1, config.layers}, {2, 2, config.layers}, {1, 3, 1}}) {
      INFO(s.groups_at_once << " groups at once, " << s.threads << " threads, recomputed blocks " << s.recomputed_blocks);
      const Update got = gradient_of(config, dtype, groups, s);
      REQUIRE(got.dlogprobs == whole.dlogprobs);
      REQUIRE(got.dentropy == whole.dentropy);
      REQUIRE(first_difference(config, got.gradient, whole.gradient) == "none");
      REQUIRE(got.loads == whole.loads);
    }
  });
}

TEST_CASE("nor do they for any objective, ratio, aggregation and KL", "[gate][gradient]") {
  const testing::KernelSettings saved;
  const model::ModelConfig config = gate::models().back().config;  // MLA and experts
  auto groups = gate::make_groups(*gate::fresh_weights(config, Dtype::bf16, 17));
  for (const Algorithm& a : algorithms()) {
    INFO(a.name << ", ratio of a " << a.loss.ratio_level << ", " << a.loss.aggregation << ", KL gradient " << a.kl.gradient);
    rl::weigh_tokens(groups, a.loss);
    const Update whole = gradient_of(config, Dtype::bf16, groups, {groups.size(), 1, 0}, a);
    REQUIRE(testing::max_abs(testing::as(testing::values(whole.gradient))) > 1e-3);
    for (const Setting s : {Setting{1, 1, 0}, {2, 3, 0}, {1, 2, config.layers}}) {
      INFO(s.groups_at_once << " groups at once, " << s.threads << " threads, recomputed blocks " << s.recomputed_blocks);
      const Update got = gradient_of(config, Dtype::bf16, groups, s, a);
      REQUIRE(got.dlogprobs == whole.dlogprobs);
      REQUIRE(first_difference(config, got.gradient, whole.gradient) == "none");
      REQUIRE(got.sums.loss == whole.sums.loss);
      REQUIRE(got.sums.kl == whole.sums.kl);
    }
    // The same groups with a prompt for each completion: the tolerance of the test below.
    const Update tree = gradient_of(config, Dtype::float32, groups, {groups.size(), 1, 0}, a);
    const Update plain = gradient_of(config, Dtype::float32, without_sharing(groups), {100, 1, 0}, a);
    const auto b = testing::as(testing::values(plain.gradient));
    REQUIRE(testing::max_difference(testing::values(tree.gradient), b) <= 3e-6 * testing::max_abs(b));
  }
}

TEST_CASE("plain, avx2 and avx512 make the same gradient", "[gate][gradient][isa]") {
  for_each_model([](const model::ModelConfig& config, Dtype dtype, const std::vector<rl::TrainGroup>& groups) {
    use_cpu_kernels("plain");
    const Update expected = gradient_of(config, dtype, groups, {2, 1, 0});
    for (const char* isa : {"avx2", "avx512"}) {
      if (!cpu_kernels_named(isa)) {
        std::printf("gradient gate: skipped %s, which this processor lacks\n", isa);
        continue;
      }
      INFO(isa);
      use_cpu_kernels(isa);
      const Update got = gradient_of(config, dtype, groups, {2, 2, 0});
      REQUIRE(first_difference(config, got.gradient, expected.gradient) == "none");
    }
  });
}

// Both add the same terms in another order: n terms of size a differ by about sqrt(n) ulps of a. With n up to 300 rows
// and a chain through two layers that is about 1e-6; 3e-6 of the parameter's largest gradient is the bound.
TEST_CASE("a prompt computed once for its group gives the gradient of a prompt computed for each completion",
    "[gate][gradient]") {
  for_each_model([](const model::ModelConfig& config, Dtype dtype, const std::vector<rl::TrainGroup>& groups) {
    if (dtype != Dtype::float32) return;
    const Update tree = gradient_of(config, dtype, groups, {groups.size(), 1, 0});
    const Update plain = gradient_of(config, dtype, without_sharing(groups), {100, 1, 0});
    REQUIRE(tree.sums.tokens == plain.sums.tokens);
    for (const auto& p : model::list_parameters(config)) {
      INFO(p.name);
      const auto a = testing::values(tree.gradient.narrow(0, p.offset, p.size));
      const auto b = testing::as(testing::values(plain.gradient.narrow(0, p.offset, p.size)));
      if (p.trained) REQUIRE(testing::max_abs(b) > 0);
      REQUIRE(testing::max_difference(a, b) <= 3e-6 * testing::max_abs(b) + 1e-9);
    }
  });
}
