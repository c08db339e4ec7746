// A completion token by token, for people.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rl/rollouts/dump.h"

namespace rl {

// `logprobs` and `kept` (ids that each is over; empty: all): one a trained token. No tokenizer: no texts.
struct TokenView {
  const std::vector<int32_t>& tokens;
  const std::vector<uint8_t>& trained;
  const std::vector<double>& logprobs;
  std::optional<double> advantage;
  std::vector<int64_t> kept = {};
};

// One line a token: place, id, text, whether it is trained, log-probability, how many ids that is over, advantage. Of more than `most` tokens the first
// ones and the last eight are shown.
std::string token_table(const TokenView& view, const model::Tokenizer* tokenizer, int64_t most);

// The completion as running text, with colours: green for a positive advantage and red for a negative one; tokens that the
// policy held unlikely (log-probability below -1) are bold, tokens that it did not choose dim.
std::string coloured_text(const TokenView& view, const model::Tokenizer& tokenizer);

// The first sample that is trained on (or, if none is, the first), with its prompt and the table of its tokens.
std::string first_sample_text(const std::vector<Group>& groups, const Advantages& advantages, const model::Tokenizer& tokenizer,
                              bool colour);

// Bytes for a terminal: control characters and half characters are spelled out, spaces are kept, ends of lines too if wanted.
std::string printable(const std::string& bytes, bool keep_lines = false);

}  // namespace rl
