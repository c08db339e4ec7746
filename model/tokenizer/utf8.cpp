#include "model/tokenizer/utf8.h"

#include <cstdint>
#include <cstring>

namespace model {

namespace {

constexpr const char* kReplacement = "\xef\xbf\xbd";

bool continues(std::string_view text, size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
}

// Bytes of ASCII from `at` on, counted eight at a time.
size_t ascii_run(std::string_view text, size_t at) {
  size_t end = at;
  for (uint64_t eight; end + 8 <= text.size(); end += 8) {
    std::memcpy(&eight, text.data() + end, 8);
    if (eight & 0x8080808080808080u) break;
  }
  while (end < text.size() && static_cast<signed char>(text[end]) >= 0) ++end;
  return end - at;
}

struct Lead {
  size_t length;              // 0: cannot start a character
  unsigned char low, high;    // what the second byte may be
};

Lead lead_of(unsigned char byte) {
  if (byte < 0x80) return {1, 0, 0};
  if (byte < 0xc2 || byte > 0xf4) return {0, 0, 0};
  Lead lead{byte < 0xe0 ? size_t{2} : byte < 0xf0 ? size_t{3} : size_t{4}, 0x80, 0xbf};
  if (byte == 0xe0) lead.low = 0xa0;   // below it a shorter spelling would do
  if (byte == 0xed) lead.high = 0x9f;  // above it are surrogates
  if (byte == 0xf0) lead.low = 0x90;
  if (byte == 0xf4) lead.high = 0x8f;  // above it there is no Unicode
  return lead;
}

// How many bytes at `at` are the start of a character, at least 1. *complete: they are a whole one.
size_t longest_start(std::string_view text, size_t at, bool* complete) {
  const Lead lead = lead_of(static_cast<unsigned char>(text[at]));
  size_t length = 1;
  if (lead.length > 1 && at + 1 < text.size()) {
    const auto second = static_cast<unsigned char>(text[at + 1]);
    if (second >= lead.low && second <= lead.high)
      for (length = 2; length < lead.length && continues(text, at + length);) ++length;
  }
  *complete = lead.length == length;
  return length;
}

}  // namespace

size_t utf8_length(std::string_view text, size_t at) {
  bool complete = false;
  const size_t length = longest_start(text, at, &complete);
  return complete ? length : 0;
}

char32_t utf8_code_point(std::string_view text, size_t at) {
  const auto bits = [&](size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[at + i]) & 0x3f); };
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80) return lead;
  if (lead < 0xe0) return (lead & 0x1fu) << 6 | bits(1);
  if (lead < 0xf0) return (lead & 0x0fu) << 12 | bits(1) << 6 | bits(2);
  return (lead & 0x07u) << 18 | bits(1) << 12 | bits(2) << 6 | bits(3);
}

void append_utf8(std::string& text, char32_t c) {
  const auto tail = [&](int shift) { text += static_cast<char>(0x80 | ((c >> shift) & 0x3f)); };
  if (c < 0x80) {
    text += static_cast<char>(c);
  } else if (c < 0x800) {
    text += static_cast<char>(0xc0 | (c >> 6)), tail(0);
  } else if (c < 0x10000) {
    text += static_cast<char>(0xe0 | (c >> 12)), tail(6), tail(0);
  } else {
    text += static_cast<char>(0xf0 | (c >> 18)), tail(12), tail(6), tail(0);
  }
}

size_t character_before(std::string_view text, size_t at) {
  do --at;
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80);
  return at;
}

size_t find_invalid_utf8(std::string_view text) {
  for (size_t at = ascii_run(text, 0); at < text.size();) {
    const size_t length = utf8_length(text, at);
    if (length == 0) return at;
    at += length;
    if (at < text.size() && static_cast<signed char>(text[at]) >= 0) at += ascii_run(text, at);
  }
  return std::string_view::npos;
}

bool is_ascii(std::string_view text) { return ascii_run(text, 0) == text.size(); }

void Utf8Repair::push(std::string_view bytes, std::string& text) {
  std::string joined;
  if (!waiting_.empty()) {
    joined = waiting_.append(bytes);
    waiting_.clear();
    bytes = joined;
  }
  for (size_t at = 0; at < bytes.size();) {
    const size_t plain = ascii_run(bytes, at);
    text.append(bytes, at, plain);
    at += plain;
    if (at == bytes.size()) break;
    bool complete = false;
    const size_t length = longest_start(bytes, at, &complete);
    if (complete) {
      text.append(bytes, at, length);
    } else if (at + length == bytes.size() && lead_of(static_cast<unsigned char>(bytes[at])).length > 0) {
      waiting_ = bytes.substr(at);
    } else {
      text += kReplacement;
    }
    at += length;
  }
}

void Utf8Repair::finish(std::string& text) {
  if (!waiting_.empty()) text += kReplacement;
  waiting_.clear();
}

}  // namespace model
