#include "rl/reference.h"

#include "tests/support/catch.h"
#include "tests/support/compare.h"
#include "tests/support/random_tensor.h"

TEST_CASE("the reference is replaced after every so many steps, and only when there is one", "[reference]") {
  rl::KlConfig kl;
  kl.coef = 0.1, kl.reference_update = "every", kl.reference_every_steps = 25;
  REQUIRE_FALSE(rl::reference_is_due(kl, 0));
  REQUIRE_FALSE(rl::reference_is_due(kl, 23));
  REQUIRE(rl::reference_is_due(kl, 24));  // 25 steps are done
  REQUIRE(rl::reference_is_due(kl, 49));
  kl.reference_update = "never";
  REQUIRE_FALSE(rl::reference_is_due(kl, 24));
  kl.reference_update = "polyak", kl.coef = 0;
  REQUIRE_FALSE(rl::reference_is_due(kl, 24));
}

// 0.25 * 8 + 0.75 * 4 = 5.
TEST_CASE("Polyak averaging moves by a share; a share of 1 copies", "[reference]") {
  at::Tensor reference = testing::tensor_f32({2}, {4, -1});
  const at::Tensor policy = testing::tensor_f32({2}, {8, -1});
  rl::move_reference(reference, policy, 0.25);
  REQUIRE(testing::values(reference) == std::vector<float>{5, -1});
  rl::move_reference(reference, policy, 1);
  REQUIRE(testing::same_bits(reference, policy));
}
