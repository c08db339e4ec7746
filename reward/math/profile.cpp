#include "reward/math/profile.h"

#include <fmt/format.h>

#include "reward/options.h"
#include "reward/reward.h"

namespace reward::math {
namespace {

Conventions math_verify() {
  Conventions c;
  c.percent_sign_optional = true;
  return c;
}

Conventions hendrycks() {
  Conventions c;
  c.strings_only = true;
  c.decimal_digits = 0;
  c.reduce_fractions = false;
  c.interval_is_tuple = false;
  c.relation_is_interval = false;
  c.solve_relations = false;
  return c;
}

Conventions prm800k() {
  Conventions c;
  c.percent_is_hundredth = false;
  c.percent_sign_optional = true;
  c.decimal_digits = 0;
  c.interval_is_tuple = false;
  c.relation_is_interval = false;
  c.solve_relations = false;
  c.reduce_fractions = false;
  return c;
}

Conventions gsm8k() {
  Conventions c;
  c.percent_is_hundredth = false;
  c.percent_sign_optional = true;
  c.decimal_digits = 0;
  c.solve_relations = false;
  return c;
}

}  // namespace

std::vector<std::string> profile_names() { return {"default", "math_verify", "hendrycks", "prm800k", "gsm8k"}; }

Conventions conventions_of(std::string_view profile) {
  if (profile == "default") return {};
  if (profile == "math_verify") return math_verify();
  if (profile == "hendrycks") return hendrycks();
  if (profile == "prm800k") return prm800k();
  if (profile == "gsm8k") return gsm8k();
  throw Error(fmt::format("math: profile is \"{}\". Did you mean {}? Known: {}.", profile.substr(0, 64),
                          nearest(std::string(profile), profile_names()), fmt::join(profile_names(), ", ")));
}

}  // namespace reward::math
