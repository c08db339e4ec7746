// The lanes' own exp and log against the C library in float64. The plain lanes are the definition; simd_test.cpp holds
// the others to their bits.
#include "kernels/isa/simd_plain.h"
// first the lanes
#include "kernels/isa/math.inl"

#include <cmath>
#include <functional>
#include <limits>

#include "tests/support/catch.h"

namespace {

// Distance to the exact value in steps of float32 at that value.
double ulps(float got, double exact) {
  const double step = std::ldexp(1.0, std::max(-149, std::ilogb(exact) - 23));
  return std::abs(got - exact) / step;
}

double worst_exp(float from, float to, float step) {
  double worst = 0.0;
  for (float x = from; x < to; x += 16 * step) {
    float in[16], out[16];
    for (int i = 0; i < 16; ++i) in[i] = x + static_cast<float>(i) * step;
    v_store(out, v_exp(v_load(in)));
    for (int i = 0; i < 16; ++i) worst = std::max(worst, ulps(out[i], std::exp(static_cast<double>(in[i]))));
  }
  return worst;
}

double worst_log(float from, float to, float factor) {
  double worst = 0.0;
  for (float x = from; x < to; x = x * factor)
    if (const double exact = std::log(static_cast<double>(x)); exact != 0.0) worst = std::max(worst, ulps(s_log(x), exact));
  return worst;
}

}  // namespace

TEST_CASE("exp is off by less than 2 ulp wherever its value is a normal float32", "[math]") {
  CHECK(worst_exp(-87.3f, -20.0f, 7e-4f) < 2.0);
  CHECK(worst_exp(-20.0f, 20.0f, 1e-4f) < 2.0);
  CHECK(worst_exp(-0.4f, 0.4f, 3e-6f) < 2.0);
  CHECK(worst_exp(20.0f, 88.37f, 7e-4f) < 2.0);
}

TEST_CASE("exp at its ends", "[math]") {
  CHECK(s_exp(0.0f) == 1.0f);
  CHECK(s_exp(-0.0f) == 1.0f);
  CHECK(s_exp(-87.4f) == 0.0f);
  CHECK(s_exp(-1e30f) == 0.0f);
  CHECK(s_exp(-std::numeric_limits<float>::infinity()) == 0.0f);
  CHECK(std::isfinite(s_exp(1e30f)));
  CHECK(s_exp(1e30f) > 2e38f);
}

TEST_CASE("log is off by less than 2 ulp", "[math]") {
  CHECK(worst_log(1.2e-38f, 3e38f, 1.00007f) < 2.0);
  CHECK(worst_log(0.5f, 0.999f, 1.000003f) < 2.0);
  CHECK(worst_log(1.001f, 2.0f, 1.000003f) < 2.0);
  CHECK(worst_log(0.999f, 1.001f, 1.0000002f) < 2.0);
}

TEST_CASE("log at its ends", "[math]") {
  CHECK(s_log(1.0f) == 0.0f);
  CHECK(s_log(0.0f) == -std::numeric_limits<float>::infinity());
  CHECK(s_log(-1.0f) == -std::numeric_limits<float>::infinity());
}

TEST_CASE("the sigmoid is 1/2 at 0 and symmetric", "[math]") {
  float out[16];
  v_store(out, v_sigmoid(v_set(0.0f)));
  CHECK(out[0] == 0.5f);
  for (float x = 0.0f; x < 30.0f; x += 0.01f) {
    float a[16], b[16];
    v_store(a, v_sigmoid(v_set(x)));
    v_store(b, v_sigmoid(v_set(-x)));
    REQUIRE(std::abs(static_cast<double>(a[0]) - 1.0 / (1.0 + std::exp(-static_cast<double>(x)))) < 2e-7);
    REQUIRE(std::abs(a[0] + b[0] - 1.0f) < 2e-7f);
  }
}
