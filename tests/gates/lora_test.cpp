// An adapter in the whole model: its gradient is right, and one whatever the micro-batches, threads and instruction sets.
#include <cmath>
#include <cstdio>

#include "kernels/rng.h"
#include "kernels/thread_pool.h"
#include "model/transformer.h"
#include "tests/gates/gate_groups.h"
#include "tests/gates/gate_models.h"
#include "tests/support/catch.h"
#include "tests/support/compare.h"
#include "tests/support/every_isa.h"
#include "tests/support/random_tensor.h"
#include "tests/support/reference_model.h"

using kernels::Dtype;

namespace {

struct Setting {
  size_t groups_at_once = 1;
  int64_t threads = 1;
  int64_t recomputed_blocks = 0;
};

// Random weights of the head rows' log-probabilities and entropies, the same for a row whichever micro-batch it is in.
at::Tensor head_weights(const model::TokenBatch& batch, int64_t first_row, uint64_t seed) {
  const at::Tensor all = testing::random_f32({1000}, seed);
  const at::Tensor own = all.narrow(0, first_row, batch.head_count()).clone();
  for (int64_t s = 0; s < own.numel(); ++s)
    if (batch.head_rows[static_cast<size_t>(s)] < 0) kernels::f32(own)[s] = 0;  // padding
  return own;
}

at::Tensor gradient_of(const model::ModelConfig& config, Dtype dtype, const std::vector<rl::TrainGroup>& groups, const Setting& setting) {
  kernels::set_threads(setting.threads);
  gate::Adapted adapted(config, dtype, 17, /*with_training=*/true);
  int64_t head_row = 0;
  for (size_t first = 0; first < groups.size(); first += setting.groups_at_once) {
    auto batch = rl::pack(groups, first, std::min(groups.size(), first + setting.groups_at_once), gate::kInverseTemperature);
    auto output = model::forward_train(*adapted.weights, batch.tokens, {.recomputed_blocks = setting.recomputed_blocks});
    const at::Tensor dlogprob = head_weights(batch.tokens, head_row, 5), dentropy = head_weights(batch.tokens, head_row, 6);
    head_row += batch.tokens.head_count();
    model::backward(*adapted.weights, output, dlogprob, dentropy, adapted.pairs);
  }
  adapted.pairs.complete_gradient();
  return adapted.pairs.gradient;
}

std::string first_difference(const model::ModelConfig& config, const at::Tensor& a, const at::Tensor& b) {
  const auto pairs = model::adapter_parameters(config, model::LoraConfig{.rank = 3});
  for (const auto& p : pairs.parameters())
    if (!testing::same_bits(a.narrow(0, p.offset, p.size), b.narrow(0, p.offset, p.size))) return p.name;
  return "none";
}

// W + scale B A for every matrix, in float64, in the order of the model's store.
std::vector<double> merged(const std::vector<double>& base, const std::vector<double>& pairs, const gate::Adapted& adapted) {
  std::vector<double> weights = base;
  for (const auto& p : model::list_parameters(adapted.pairs.config())) {
    const std::string module = model::module_of(p);
    if (!model::can_be_adapted(p)) continue;
    const auto &a = adapted.pairs.find(module + ".lora_A.weight"), &b = adapted.pairs.find(module + ".lora_B.weight");
    const int64_t in = p.shape.back(), rank = b.shape.back(), out = p.shape[p.shape.size() - 2];
    for (int64_t row = 0; row < p.size / in; ++row)
      for (int64_t k = 0; k < rank; ++k) {
        const double factor = adapted.lora.scale() * pairs[static_cast<size_t>(b.offset + row * rank + k)];
        const int64_t from = a.offset + (row / out * rank + k) * in;
        for (int64_t i = 0; i < in; ++i)
          weights[static_cast<size_t>(p.offset + row * in + i)] += factor * pairs[static_cast<size_t>(from + i)];
      }
  }
  return weights;
}

}  // namespace

TEST_CASE("micro-batches, threads, recomputation and instruction set do not change one bit of an adapter's gradient",
    "[gate][gradient][lora][isa]") {
  const testing::KernelSettings saved;
  for (const auto& [name, config] : gate::models())
    for (const Dtype dtype : {Dtype::bf16, Dtype::float32}) {
      INFO(name << " in " << kernels::name_of(dtype));
      use_cpu_kernels("plain");
      const auto groups = gate::make_groups(*gate::fresh_weights(config, dtype, 17));
      const at::Tensor whole = gradient_of(config, dtype, groups, {groups.size(), 1, 0});
      REQUIRE(testing::max_abs(testing::as(testing::values(whole))) > 1e-3);
      for (const char* isa : {"plain", "avx2", "avx512"}) {
        if (!cpu_kernels_named(isa)) {
          std::printf("lora gate: skipped %s, which this processor lacks\n", isa);
          continue;
        }
        INFO(isa);
        use_cpu_kernels(isa);
        REQUIRE(first_difference(config, gradient_of(config, dtype, groups, {1, 2, config.layers}), whole) == "none");
        REQUIRE(first_difference(config, gradient_of(config, dtype, groups, {2, 3, 0}), whole) == "none");
      }
    }
}

// The tolerances of whole_gradient_test.cpp: float32 against float64, and central differences with h = 1e-5.
TEST_CASE("with an adapter, log-probabilities and the gradients of A and B are those of a float64 transformer with W + scale B A",
    "[gate][gradient][lora]") {
  const testing::KernelSettings saved;
  kernels::set_threads(1);
  for (const auto& [name, config] : gate::models()) {
    INFO(name);
    gate::Adapted adapted(config, Dtype::float32, 17, /*with_training=*/true);
    auto groups = gate::make_groups(*adapted.base);
    groups.resize(1);
    const auto batch = rl::pack(groups, 0, 1, gate::kInverseTemperature);
    auto output = model::forward_train(*adapted.weights, batch.tokens, {});
    const at::Tensor dlogprob = head_weights(batch.tokens, 0, 5), dentropy = head_weights(batch.tokens, 0, 6);
    model::ParameterStore store(config, false);
    gate::fill(store, 17);
    const auto base = testing::as(testing::values(store.master));
    auto pairs = testing::as(testing::values(adapted.pairs.master));

    std::vector<int32_t> routes, moved;
    const auto function = [&](std::vector<int32_t>* chosen, double* error) {
      const reference::Network network(config, merged(base, pairs, adapted));
      double sum = 0;
      int64_t row = 0;
      for (const auto& s : groups[0].sequences) {
        std::vector<int32_t> text = groups[0].prompt;
        text.insert(text.end(), s.tokens.begin(), s.tokens.end());
        for (const auto& one : network.score(text, groups[0].prompt.size(), gate::kInverseTemperature, chosen)) {
          sum += double(kernels::f32(dlogprob)[row]) * one.logprob + double(kernels::f32(dentropy)[row]) * one.entropy;
          if (error) *error = std::max(*error, std::abs(one.logprob - double(kernels::f32(output.tokens.logprob)[row])));
          ++row;
        }
        row += static_cast<int64_t>(s.tokens.size() % 2);
      }
      return sum;
    };
    double error = 0;
    function(&routes, &error);
    REQUIRE(error <= 1e-5);

    model::backward(*adapted.weights, output, dlogprob, dentropy, adapted.pairs);
    for (const auto& p : adapted.pairs.parameters()) {
      const float* gradient = adapted.pairs.gradient_of(p.name);
      const double scale = testing::max_abs(testing::as(std::vector<float>(gradient, gradient + p.size)));
      REQUIRE(scale > 0);
      int64_t largest = 0;
      for (int64_t i = 0; i < p.size; ++i)
        if (std::abs(gradient[i]) > std::abs(gradient[largest])) largest = i;
      double& w = pairs[static_cast<size_t>(p.offset + largest)];
      const double before = w, h = 1e-5;
      INFO(name << ", " << p.name << "[" << largest << "]");
      moved.clear();
      w = before + h;
      const double above = function(&moved, nullptr);
      REQUIRE(moved == routes);
      w = before - h;
      moved.clear();
      const double below = function(&moved, nullptr);
      REQUIRE(moved == routes);
      w = before;
      const double slope = (above - below) / (2 * h);
      INFO("slope " << slope << ", gradient " << gradient[largest]);
      REQUIRE(std::abs(slope - static_cast<double>(gradient[largest])) <= 1e-5 * scale + 1e-8);
      // The padding of the odd rank never moves.
      const int64_t rank = adapted.lora.rank, in = p.shape.back(), rows = p.shape[p.shape.size() - 2];
      const bool down = p.name.ends_with("lora_A.weight");
      for (int64_t i = 0; i < p.size; ++i)
        if ((down ? i / in % rows : i % in) == rank) REQUIRE(gradient[i] == 0);
    }
  }
}
