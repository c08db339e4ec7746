// The four tags of R1-Zero, as the rewards on form look for them.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "reward/options.h"
#include "reward/reward.h"

namespace reward {

inline constexpr std::array<std::string_view, 4> think_tags = {"<think>", "</think>", "<answer>", "</answer>"};

// How often `tag` occurs.
int64_t count_of(std::string_view text, std::string_view tag);

// Option "prefill": what is put before the completion. "auto" (default): "<think>" if the prompt ends in it.
OptionInfo prefill_option();
std::string with_prefill(const Item& item, const std::string& prefill);

}  // namespace reward
