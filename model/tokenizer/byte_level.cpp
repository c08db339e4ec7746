#include "model/tokenizer/byte_level.h"

#include <array>

namespace model {

namespace {

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
      append_utf8(characters[b], c);
      bytes[c] = b;
    }
  }
};

const Alphabet& alphabet() {
  static const Alphabet a;
  return a;
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

}  // namespace model
