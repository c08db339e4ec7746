// The Chinese half of rl/data/identity.h.
#pragma once

#include <string_view>
#include <vector>

#include "rl/data/identity.h"

namespace rl {

// Appends claims of vendors that `claims` does not name yet. "我是通义千问", "我是由阿里云开发的语言模型",
// "作为百度研发的AI助手"; not "我是阿里巴巴的员工" or "我是用ChatGPT写的".
void find_chinese_claims(std::string_view text, std::vector<Claim>& claims);

}  // namespace rl
