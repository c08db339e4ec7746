// One gradient whatever the micro-batches, the threads and the recomputation; and the tree's is the plain packing's.
#include <algorithm>
#include <cstdio>

#include "kernels/thread_pool.h"
#include "model/transformer.h"
#include "rl/grpo_loss.h"
#include "tests/gates/gate_groups.h"
#include "tests/gates/gate_models.h"
#include "tests/support/catch.h"
#include "tests/support/compare.h"
#include "tests/support/every_isa.h"

using kernels::Dtype;

namespace {

constexpr rl::GrpoLossConfig kLoss{.clip_low = 0.2, .clip_high = 0.25, .kl_coef = 0.04, .entropy_coef = 0.01};

struct Update {
  at::Tensor gradient;
  std::vector<std::vector<int64_t>> loads;
  std::vector<float> dlogprobs, dentropy;  // of the head rows, one micro-batch after another
  double tokens = 0, clipped = 0, kl = 0;
};

struct Setting {
  size_t groups_at_once = 1;
  int64_t threads = 1;
  bool recompute = false;
};

void append(std::vector<float>& to, const at::Tensor& x) {
  const auto v = testing::values(x);
  to.insert(to.end(), v.begin(), v.end());
}

Update gradient_of(const model::ModelConfig& config, Dtype dtype, const std::vector<rl::TrainGroup>& groups,
    const Setting& setting) {
  kernels::set_threads(setting.threads);
  model::ParameterStore store(config, true);
  gate::fill(store, 17);
  const auto policy = model::pack_weights(store, dtype, 1), reference = gate::fresh_weights(config, dtype, 18);
  Update update;
  for (size_t first = 0; first < groups.size(); first += setting.groups_at_once) {
    const auto batch = rl::pack(groups, first, std::min(groups.size(), first + setting.groups_at_once),
        gate::kInverseTemperature);
    auto output = model::forward_train(*policy, batch.tokens, {.keep_tape = true, .recompute = setting.recompute});
    rl::GrpoLossInputs in{output.tokens.logprob, output.tokens.entropy, batch.sampler_logprobs, {}, batch.advantages,
        batch.token_weights, batch.mask};
    in.reference_logprobs = model::forward_train(*reference, batch.tokens, {.keep_tape = false}).tokens.logprob;
    const auto loss = rl::grpo_loss(in, kLoss);
    append(update.dlogprobs, loss.dlogprobs);
    append(update.dentropy, loss.dentropy);
    model::backward(*policy, output, loss.dlogprobs, loss.dentropy, store);
    update.tokens += loss.tokens, update.clipped += loss.clipped_low + loss.clipped_high, update.kl += loss.kl;
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
    const Update whole = gradient_of(config, dtype, groups, {groups.size(), 1, false});
    // Ratios are not 1, some are clipped, and the reference is another policy.
    REQUIRE(whole.tokens > 80);
    REQUIRE(whole.clipped >= 3);
    REQUIRE(whole.kl > 1.0);
    REQUIRE(testing::max_abs(testing::as(testing::values(whole.gradient))) > 1e-3);
    for (const Setting s : {Setting{1, 1, false}, {2, 1, false}, {1, 2, false}, {2, 3, false}, {groups.size(), 2, false},
                            {groups.size(), 3, false}, {groups.size(), 1, true}, {2, 2, true}, {1, 3, true}}) {
      INFO(s.groups_at_once << " groups at once, " << s.threads << " threads, recompute " << s.recompute);
      const Update got = gradient_of(config, dtype, groups, s);
      REQUIRE(got.dlogprobs == whole.dlogprobs);
      REQUIRE(got.dentropy == whole.dentropy);
      REQUIRE(first_difference(config, got.gradient, whole.gradient) == "none");
      REQUIRE(got.loads == whole.loads);
    }
  });
}

TEST_CASE("plain, avx2 and avx512 make the same gradient", "[gate][gradient][isa]") {
  for_each_model([](const model::ModelConfig& config, Dtype dtype, const std::vector<rl::TrainGroup>& groups) {
    use_cpu_kernels("plain");
    const Update expected = gradient_of(config, dtype, groups, {2, 1, false});
    for (const char* isa : {"avx2", "avx512"}) {
      if (!cpu_kernels_named(isa)) {
        std::printf("gradient gate: skipped %s, which this processor lacks\n", isa);
        continue;
      }
      INFO(isa);
      use_cpu_kernels(isa);
      const Update got = gradient_of(config, dtype, groups, {2, 2, false});
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
    const Update tree = gradient_of(config, dtype, groups, {groups.size(), 1, false});
    const Update plain = gradient_of(config, dtype, without_sharing(groups), {100, 1, false});
    REQUIRE(tree.tokens == plain.tokens);
    for (const auto& p : model::list_parameters(config)) {
      INFO(p.name);
      const auto a = testing::values(tree.gradient.narrow(0, p.offset, p.size));
      const auto b = testing::as(testing::values(plain.gradient.narrow(0, p.offset, p.size)));
      if (p.trained) REQUIRE(testing::max_abs(b) > 0);
      REQUIRE(testing::max_difference(a, b) <= 3e-6 * testing::max_abs(b) + 1e-9);
    }
  });
}
