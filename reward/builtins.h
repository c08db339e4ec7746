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
std::unique_ptr<Reward> make_tag_count(const Options& options);
std::vector<OptionInfo> tag_count_options();
std::unique_ptr<Reward> make_choice(const Options& options);
std::vector<OptionInfo> choice_options();
std::unique_ptr<Reward> make_length_kimi(const Options& options);
std::vector<OptionInfo> length_kimi_options();
std::unique_ptr<Reward> make_cosine(const Options& options);
std::vector<OptionInfo> cosine_options();
std::unique_ptr<Reward> make_overlong(const Options& options);
std::vector<OptionInfo> overlong_options();
std::unique_ptr<Reward> make_repetition(const Options& options);
std::vector<OptionInfo> repetition_options();
std::unique_ptr<Reward> make_language(const Options& options);
std::vector<OptionInfo> language_options();
std::unique_ptr<Reward> make_random(const Options& options);
std::vector<OptionInfo> random_options();
std::unique_ptr<Reward> make_constant(const Options& options);
std::vector<OptionInfo> constant_options();
std::unique_ptr<Reward> make_code_function(const Options& options);
std::vector<OptionInfo> code_function_options();
std::unique_ptr<Reward> make_code_stdio(const Options& options);
std::vector<OptionInfo> code_stdio_options();

}  // namespace reward
