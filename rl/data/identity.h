// Lines of training data in which the model claims to be another vendor's assistant: "I am ChatGPT", "As an AI language model
// developed by OpenAI", "我是通义千问". A model that learns from them says so too.
//
// Only first-person claims count: a name that follows "I am", "my name is" and the like with nothing between but words
// such as "an AI assistant called"; "trained by" (and the like) a vendor, said of oneself; "OpenAI created me". A story
// about OpenAI, a user of ChatGPT, a denial, speech in double quotes and "if I were" are none. Names that are also words
// or people's (Claude, Gemini, Llama, Mistral, Kimi, ...) count only beside a word such as assistant or model, a vendor,
// or when the prompt asks who it is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rl/config.h"
#include "rl/dataset.h"

namespace rl {

struct Claim {
  std::string vendor;   // "OpenAI", "Anthropic", ...
  std::string excerpt;  // the words that make it
};

// The claims of one text, at most one a vendor, in order. `asked`: the prompt asks the model who it is.
std::vector<Claim> find_claims(std::string_view text, bool asked = false);
bool asks_identity(std::string_view prompt);

struct ClaimAt {
  int64_t line = 0;
  Claim claim;
};
struct IdentityReport {
  std::string file;
  int64_t rows = 0, rows_with_claims = 0;
  std::vector<ClaimAt> claims;
};
// Looks at what the assistant says in each row: under `key`; with an empty key, messages of the assistant, and every text but
// those under question, problem, prompt, instruction, input, system and text of that kind. Throws UsageError.
IdentityReport scan_identity(const std::string& file, const std::string& key);

// Claims by vendor, the most frequent first: "OpenAI 12, Anthropic 3".
std::string vendor_counts(const std::vector<ClaimAt>& claims);

// For `ponder check`: empty, or what the completions of SFT data claim, and what to do.
std::string identity_warning(const DataConfig& data, const std::vector<Problem>& problems);

}  // namespace rl
