// The makers of the built-in rewards, one file each, and the options each declares. registry.cpp lists them.
#pragma once

#include <memory>
#include <vector>

#include "reward/options.h"
#include "reward/reward.h"

namespace reward {

std::unique_ptr<Reward> make_math(const Options& options);
std::vector<OptionInfo> math_options();
std::unique_ptr<Reward> make_exact(const Options& options);
std::vector<OptionInfo> exact_options();
std::unique_ptr<Reward> make_countdown(const Options& options);
std::vector<OptionInfo> countdown_options();
std::unique_ptr<Reward> make_format(const Options& options);
std::vector<OptionInfo> format_options();
std::unique_ptr<Reward> make_code_function(const Options& options);
std::vector<OptionInfo> code_function_options();
std::unique_ptr<Reward> make_code_stdio(const Options& options);
std::vector<OptionInfo> code_stdio_options();

}  // namespace reward
