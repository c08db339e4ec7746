// Every family's logits and gradients against transformers.
#include <cmath>

#include "model/files/checkpoint_folder.h"
#include "model/transformer.h"
#include "tests/model/families/golden_cases.h"
#include "tests/model/families/logits.h"
#include "tests/support/catch.h"
#include "tests/support/one_text.h"
#include "tests/support/reference_model.h"

using golden::FamilyValues;
using golden::largest;
using golden::largest_difference;
using golden::logits_of;
using kernels::Dtype;

namespace {

double mean_square_difference(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += std::pow(static_cast<double>(a[i]) - b[i], 2);
  return sum / static_cast<double>(a.size());
}

model::ParameterStore load(const std::string& name, bool with_training = false) {
  const auto folder = golden::family_folder() + name;
  model::ParameterStore store(model::read_config(folder), with_training);
  model::read_weights(folder, store);
  return store;
}

std::string numbered(const char* name, size_t k) { return name + std::to_string(k); }

}  // namespace

TEST_CASE("float32 logits of every family are those of transformers", "[families]") {
  for (const auto& name : golden::family_cases()) {
    const FamilyValues values(name);
    const auto weights = model::pack_weights(load(name), Dtype::float32, 0);
    const auto texts = values.texts();
    REQUIRE(texts.size() == 3);
    for (size_t k = 0; k < texts.size(); ++k) {
      const auto wanted = values.floats(numbered("logits.", k));
      const double difference = largest_difference(logits_of(*weights, texts[k]), wanted), most = largest(wanted);
      INFO(name << ", text " << k << ": difference " << difference << " of " << most << ", " << difference / most);
      CHECK(difference <= 2e-5 * most);
    }
  }
}

TEST_CASE("bf16 logits of every family are at most twice as far from float32 as those of transformers", "[families]") {
  for (const auto& name : golden::family_cases()) {
    const FamilyValues values(name);
    const auto weights = model::pack_weights(load(name), Dtype::bf16, 0);
    const auto texts = values.texts();
    double ours = 0, theirs = 0;
    for (size_t k = 0; k < texts.size(); ++k) {
      const auto exact = values.floats(numbered("logits.", k));
      ours += mean_square_difference(logits_of(*weights, texts[k]), exact);
      theirs += mean_square_difference(values.floats(numbered("bf16_logits.", k)), exact);
    }
    INFO(name << ": root mean square " << std::sqrt(ours) << ", transformers " << std::sqrt(theirs));
    CHECK(std::sqrt(ours) <= 2 * std::sqrt(theirs));
  }
}

TEST_CASE("the gradients of one loss are those of transformers, for every tensor of every family", "[families]") {
  for (const auto& name : golden::family_cases()) {
    const FamilyValues values(name);
    auto store = load(name, /*with_training=*/true);
    const auto weights = model::pack_weights(store, Dtype::float32, 0);
    const auto texts = values.texts();
    double loss = 0;
    for (size_t k = 0; k < texts.size(); ++k) {
      if (texts[k].size() < 2) continue;
      const auto coefficients = values.floats(numbered("coefficients.", k));
      auto out = model::forward_train(*weights, testing::one_text(texts[k]), {});
      at::Tensor dlogprob = kernels::empty_f32({static_cast<int64_t>(coefficients.size())});
      std::copy(coefficients.begin(), coefficients.end(), kernels::f32(dlogprob));
      for (size_t t = 0; t < coefficients.size(); ++t) loss += coefficients[t] * kernels::f32(out.tokens.logprob)[t];
      model::backward(*weights, out, dlogprob, {}, store);
    }
    store.complete_gradient();
    CHECK(loss == Approx(values.floats("loss")[0]).epsilon(2e-5));
    for (const auto& p : store.parameters()) {
      if (!p.trained) continue;
      const auto wanted = values.floats("gradient." + p.name);
      const float* gradient = store.gradient_of(p.name);
      const double difference = largest_difference({gradient, gradient + p.size}, wanted), most = largest(wanted);
      INFO(name << ", " << p.name << ": difference " << difference << " of " << most << ", " << difference / most);
      CHECK(difference <= 1e-4 * most);
    }
  }
}

TEST_CASE("the float64 network of the tests gives transformers' log-probabilities for every family", "[families]") {
  for (const auto& name : golden::family_cases()) {
    const FamilyValues values(name);
    const auto store = load(name);
    const float* masters = kernels::f32(store.master);
    const reference::Network network(store.config(), {masters, masters + store.size()});
    const auto texts = values.texts();
    for (size_t k = 0; k < texts.size(); ++k) {
      if (texts[k].size() < 2) continue;
      const auto logits = values.floats(numbered("logits.", k));
      const auto vocab = static_cast<size_t>(store.config().vocab_size);
      const auto scored = network.score(texts[k], 1, 1.0);
      for (size_t t = 0; t + 1 < texts[k].size(); ++t) {
        double sum = 0;
        for (size_t v = 0; v < vocab; ++v) sum += std::exp(static_cast<double>(logits[t * vocab + v]));
        const double wanted = logits[t * vocab + static_cast<size_t>(texts[k][t + 1])] - std::log(sum);
        INFO(name << ", text " << k << ", token " << t + 1);
        CHECK(std::abs(scored[t].logprob - wanted) <= 4e-5 * largest(logits));
      }
    }
  }
}
