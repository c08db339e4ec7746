#include "model/tokenizer/added_tokens.h"

#include <algorithm>

#include "model/tokenizer/character_class.h"
#include "model/tokenizer/utf8.h"

namespace model {

AddedTokenFinder::AddedTokenFinder(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
  std::erase_if(tokens_, [](const auto& t) { return t.content.empty(); });
  std::stable_sort(tokens_.begin(), tokens_.end(), [](const auto& a, const auto& b) { return a.content < b.content; });
  const auto same = [](const auto& a, const auto& b) { return a.content == b.content; };
  tokens_.erase(std::unique(tokens_.begin(), tokens_.end(), same), tokens_.end());
  starting_with_.fill({0, 0});
  for (size_t i = 0; i < tokens_.size(); ++i) {
    auto& [begin, end] = starting_with_[static_cast<unsigned char>(tokens_[i].content[0])];
    if (end == 0) begin = i;
    end = i + 1;
  }
}

// Walks down the sorted list as if it were a tree: one byte more narrows the range.
const AddedToken* AddedTokenFinder::match(std::string_view text, size_t at) const {
  auto [begin, end] = starting_with_[static_cast<unsigned char>(text[at])];
  const AddedToken* longest = nullptr;
  for (size_t depth = 1; begin < end; ++depth) {
    if (tokens_[begin].content.size() == depth) longest = &tokens_[begin++];
    if (at + depth == text.size()) break;
    const auto byte = static_cast<unsigned char>(text[at + depth]);
    const auto here = [&](const AddedToken& t) { return static_cast<unsigned char>(t.content[depth]); };
    const auto first = tokens_.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last = tokens_.begin() + static_cast<std::ptrdiff_t>(end);
    const auto low = std::partition_point(first, last, [&](const auto& t) { return here(t) < byte; });
    const auto high = std::partition_point(low, last, [&](const auto& t) { return here(t) == byte; });
    begin = static_cast<size_t>(low - tokens_.begin()), end = static_cast<size_t>(high - tokens_.begin());
  }
  return longest;
}

void AddedTokenFinder::split(std::string_view text, std::vector<Part>& parts) const {
  size_t done = 0;  // everything before it is in `parts`
  for (size_t at = 0; at < text.size() && !tokens_.empty();) {
    const auto& [first, last] = starting_with_[static_cast<unsigned char>(text[at])];
    const AddedToken* token = first < last ? match(text, at) : nullptr;
    if (!token) {
      ++at;
      continue;
    }
    size_t begin = at, end = at + token->content.size();
    at = end;
    if (token->single_word) {
      if (begin > 0 && is_word(utf8_code_point(text, character_before(text, begin)))) continue;
      if (end < text.size() && is_word(utf8_code_point(text, end))) continue;
    }
    if (token->left_strip)
      while (begin > done && is_space(utf8_code_point(text, character_before(text, begin))))
        begin = character_before(text, begin);
    if (token->right_strip)
      while (end < text.size() && is_space(utf8_code_point(text, end))) end += utf8_length(text, end);
    if (token->left_strip && done >= end) continue;  // of white space alone, and the token before has taken it all
    if (done < begin) parts.push_back({text.substr(done, begin - done), -1});
    parts.push_back({text.substr(begin, end - begin), token->id});
    done = end;
  }
  if (done < text.size()) parts.push_back({text.substr(done), -1});
}

}  // namespace model
