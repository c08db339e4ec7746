#include "model/rope_scaling.h"

#include "tests/model/golden.h"
#include "tests/model/small_models.h"
#include "tests/support/catch.h"

using Catch::Matchers::Contains;
using golden::error_of;
using golden::small_deepseek_v3;
using golden::small_llama;

namespace {

// Frequencies 1, 0.1, 0.01, 0.001.
model::ModelConfig four_pairs() {
  auto c = small_llama();
  c.head_size = 8, c.rope_theta = 10000;
  return c;
}

void require_frequencies(const model::ModelConfig& c, const std::vector<double>& wanted) {
  const auto f = model::rope_inverse_frequencies(c);
  REQUIRE(f.size() == wanted.size());
  for (size_t j = 0; j < f.size(); ++j) CHECK(f[j] == Approx(wanted[j]).epsilon(1e-5));
}

}  // namespace

TEST_CASE("rotary frequencies fall from 1 by theta^(-2j/d)", "[rope_scaling]") {
  auto c = small_llama();
  c.head_size = 4, c.rope_theta = 10000;  // 10000^0 = 1, 10000^(-2/4) = 0.01
  const auto f = model::rope_inverse_frequencies(c);
  REQUIRE(f.size() == 2);
  CHECK(f[0] == 1.0);
  CHECK(f[1] == Approx(0.01).epsilon(1e-14));
  CHECK(model::rope_magnitude(c) == 1.0);
  CHECK(model::attention_scale(c) == 0.5);  // 1 / sqrt(4)
}

TEST_CASE("linear scaling divides every frequency", "[rope_scaling]") {
  auto c = four_pairs();
  c.rope_scaling = {.kind = "linear", .factor = 4};
  require_frequencies(c, {0.25, 0.025, 0.0025, 0.00025});
  CHECK(model::rope_magnitude(c) == 1.0);
}

TEST_CASE("Llama 3's scaling keeps high frequencies, divides low ones, and blends between", "[rope_scaling]") {
  auto c = small_llama();
  c.head_size = 6, c.rope_theta = 1e6;  // frequencies 1, 1e-2, 1e-4: wavelengths 6.28, 628, 62832
  c.rope_scaling = {
      .kind = "llama3", .factor = 8, .low_frequency_factor = 1, .high_frequency_factor = 4, .original_positions = 1024};
  const auto f = model::rope_inverse_frequencies(c);
  CHECK(f[0] == 1.0);                              // 6.28 < 1024 / 4: as it is
  CHECK(f[2] == Approx(1e-4 / 8).epsilon(1e-12));  // 62832 > 1024 / 1: divided by 8
  // 628.3185 lies between 256 and 1024: s = (1024/628.3185 - 1) / (4 - 1) = 0.209916;
  // (1 - s) 0.01 / 8 + s 0.01 = 0.00098760 + 0.00209916 = 0.0030868.
  CHECK(f[1] == Approx(0.0030868).epsilon(1e-4));
}

TEST_CASE("YaRN's ramp goes from the pair that turns beta_fast times in the original length to that of beta_slow", "[rope_scaling]") {
  auto c = four_pairs();
  c.rope_scaling = {.kind = "yarn", .factor = 4, .original_positions = 64, .beta_fast = 4, .beta_slow = 1};
  // Pair of 4 turns: 8 ln(64 / (4 * 2 pi)) / (2 ln 10000) = 8 * 0.93472 / 18.42068 = 0.40594, down to 0.
  // Pair of 1 turn: 8 ln(64 / (2 pi)) / 18.42068 = 8 * 2.32101 / 18.42068 = 1.00800, up to 2.
  // Ramp 0, 1/2, 1, 1: 1; 0.1 (1/2 + 1/2 / 4) = 0.0625; 0.01 / 4; 0.001 / 4.
  require_frequencies(c, {1, 0.0625, 0.0025, 0.00025});
  c.rope_scaling.truncate = false;
  // Ramp at pair 1: (1 - 0.40594) / (1.00800 - 0.40594) = 0.98671: 0.1 (0.01329 + 0.98671 / 4) = 0.0259966.
  require_frequencies(c, {1, 0.0259966, 0.0025, 0.00025});
}

TEST_CASE("YaRN's ramp of one pair is a step", "[rope_scaling]") {
  auto c = four_pairs();
  // 8 ln(64 / (b 2 pi)) / 18.42068 = 1 at b = 64 / (2 pi 10) = 1.018592: both ends are that pair.
  c.rope_scaling = {
      .kind = "yarn", .factor = 4, .original_positions = 64, .beta_fast = 1.0185916, .beta_slow = 1.0185916, .truncate = false};
  const auto f = model::rope_inverse_frequencies(c);
  CHECK(f[0] == 1.0);
  CHECK(f[2] == Approx(0.0025));
}

TEST_CASE("YaRN scales cosines and sines by its attention factor", "[rope_scaling]") {
  auto c = four_pairs();
  c.rope_scaling = {.kind = "yarn", .factor = 4, .original_positions = 64};
  CHECK(model::rope_magnitude(c) == Approx(1.1386294));  // 0.1 ln 4 + 1
  CHECK(model::attention_scale(c) == Approx(0.35355339));  // 1 / sqrt(8): only MLA's scores are scaled
  c.rope_scaling.attention_factor = 1.25;
  CHECK(model::rope_magnitude(c) == 1.25);
  // (0.1 * 1 * ln 40 + 1) / (0.1 * 0.707 * ln 40 + 1) = 1.3688879 / 1.2608038 = 1.0857264.
  c.rope_scaling = {.kind = "yarn", .factor = 40, .original_positions = 64, .mscale = 1.0, .mscale_all_dim = 0.707};
  CHECK(model::rope_magnitude(c) == Approx(1.0857264).epsilon(1e-7));
  c.rope_scaling.factor = 0.5;  // a shorter text is not scaled
  CHECK(model::rope_magnitude(c) == 1.0);
}

TEST_CASE("DeepSeek's scores are scaled by the square of mscale_all_dim's factor", "[rope_scaling]") {
  auto c = small_deepseek_v3();
  c.nope_size = 128, c.rope_size = 64;
  CHECK(model::attention_scale(c) == Approx(0.0721687836));  // 192^-0.5
  c.rope_scaling = {.kind = "yarn", .factor = 40, .original_positions = 4096, .mscale = 1, .mscale_all_dim = 1};
  CHECK(model::attention_scale(c) == Approx(0.0721687836 * 1.87385409));  // 1.3688879^2
  CHECK(model::rope_magnitude(c) == 1.0);
  c.rope_scaling.mscale_all_dim = 0;
  CHECK(model::attention_scale(c) == Approx(0.0721687836));
  CHECK(model::rope_magnitude(c) == Approx(1.3688879));
}

TEST_CASE("a scaling that is not known is refused", "[rope_scaling]") {
  auto c = small_llama();
  c.rope_scaling.kind = "dynamic";
  CHECK_THAT(error_of([&] { model::rope_inverse_frequencies(c); }), Contains("\"dynamic\", which is not supported"));
}
