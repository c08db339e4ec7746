#include "model/tokenizer/added_tokens.h"

#include <utf8proc.h>

#include <algorithm>

#include "model/tokenizer/byte_level.h"

namespace model {

namespace {

bool is_word(char32_t c) {
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC:
      return true;
    default:
      return false;
  }
}

bool is_space(char32_t c) {
  return (c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
         c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

// Start of the character that ends before `at` (> 0).
size_t character_before(std::string_view text, size_t at) {
  do --at;
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80);
  return at;
}

}  // namespace

AddedTokenFinder::AddedTokenFinder(std::vector<AddedToken> tokens) {
  for (auto& token : tokens)
    if (!token.content.empty()) by_first_byte_[static_cast<unsigned char>(token.content[0])].push_back(std::move(token));
  for (auto& list : by_first_byte_)
    std::stable_sort(list.begin(), list.end(), [](const auto& a, const auto& b) { return a.content.size() > b.content.size(); });
}

const AddedToken* AddedTokenFinder::match(std::string_view text, size_t at) const {
  for (const auto& token : by_first_byte_[static_cast<unsigned char>(text[at])])
    if (text.compare(at, token.content.size(), token.content) == 0) return &token;
  return nullptr;
}

std::vector<AddedTokenFinder::Part> AddedTokenFinder::split(std::string_view text) const {
  std::vector<Part> parts;
  size_t done = 0;  // everything before it is in `parts`
  for (size_t at = 0; at < text.size();) {
    const AddedToken* token = match(text, at);
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
    if (done < begin) parts.push_back({text.substr(done, begin - done), -1});
    parts.push_back({text.substr(begin, end - begin), token->id});
    done = at = end;
  }
  if (done < text.size()) parts.push_back({text.substr(done), -1});
  return parts;
}

}  // namespace model
