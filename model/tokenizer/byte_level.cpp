#include "model/tokenizer/byte_level.h"

#include <array>
#include <vector>

namespace model {

namespace {

std::string utf8(char32_t c) {  // below 0x800
  if (c < 0x80) return {static_cast<char>(c)};
  return {static_cast<char>(0xc0 | (c >> 6)), static_cast<char>(0x80 | (c & 0x3f))};
}

struct Alphabet {
  std::array<std::string, 256> characters;
  std::array<int, 512> bytes;  // by code point; -1: not of the alphabet

  // Printable bytes stand for themselves; the others take the code points from 256 on, in order.
  Alphabet() {
    bytes.fill(-1);
    char32_t next = 256;
    for (int b = 0; b < 256; ++b) {
      const bool printable = (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
      const char32_t c = printable ? static_cast<char32_t>(b) : next++;
      characters[b] = utf8(c);
      bytes[c] = b;
    }
  }
};

const Alphabet& alphabet() {
  static const Alphabet a;
  return a;
}

bool continues(std::string_view text, size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
}

}  // namespace

const std::string& byte_level_character(unsigned char byte) { return alphabet().characters[byte]; }

std::string to_byte_level(std::string_view bytes) {
  std::string text;
  for (const char b : bytes) text += byte_level_character(static_cast<unsigned char>(b));
  return text;
}

std::optional<std::string> from_byte_level(std::string_view text) {
  std::string bytes;
  for (size_t at = 0; at < text.size();) {
    const size_t length = utf8_length(text, at);
    if (length == 0 || length > 2) return {};
    const char32_t c = utf8_code_point(text, at);
    if (c >= 512 || alphabet().bytes[c] < 0) return {};
    bytes += static_cast<char>(alphabet().bytes[c]);
    at += length;
  }
  return bytes;
}

size_t utf8_length(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4 || !continues(text, at + 1)) return 0;
  if (lead < 0xe0) return 2;
  const unsigned char second = byte(at + 1);
  if (!continues(text, at + 2)) return 0;
  if (lead < 0xf0) {
    const bool too_long = lead == 0xe0 && second < 0xa0, surrogate = lead == 0xed && second >= 0xa0;
    return too_long || surrogate ? 0 : 3;
  }
  const bool too_long = lead == 0xf0 && second < 0x90, too_large = lead == 0xf4 && second >= 0x90;
  return too_long || too_large || !continues(text, at + 3) ? 0 : 4;
}

char32_t utf8_code_point(std::string_view text, size_t at) {
  const auto bits = [&](size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[at + i]) & 0x3f); };
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80) return lead;
  if (lead < 0xe0) return (lead & 0x1fu) << 6 | bits(1);
  if (lead < 0xf0) return (lead & 0x0fu) << 12 | bits(1) << 6 | bits(2);
  return (lead & 0x07u) << 18 | bits(1) << 12 | bits(2) << 6 | bits(3);
}

size_t find_invalid_utf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const size_t length = utf8_length(text, at);
    if (length == 0) return at;
    at += length;
  }
  return std::string_view::npos;
}

}  // namespace model
