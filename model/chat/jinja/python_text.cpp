#include "model/chat/jinja/python_text.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace model::jinja {
namespace {

size_t size_of_character(unsigned char lead) { return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4; }

}  // namespace

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    if (lead < 0xc2 || lead > 0xf4) return false;
    const size_t size = size_of_character(lead);
    if (i + size > text.size()) return false;
    for (size_t k = 1; k < size; ++k)
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
    const auto second = static_cast<unsigned char>(text[i + 1]);
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) || (lead == 0xf0 && second < 0x90) ||
        (lead == 0xf4 && second > 0x8f))
      return false;
    i += size;
  }
  return true;
}

int64_t length_of(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
}

std::vector<std::string_view> characters_of(std::string_view text) {
  std::vector<std::string_view> characters;
  characters.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const size_t size = size_of_character(static_cast<unsigned char>(text[i]));
    characters.push_back(text.substr(i, size));
    i += size;
  }
  return characters;
}

size_t byte_of(std::string_view text, int64_t index) {
  size_t i = 0;
  for (; index > 0 && i < text.size(); --index) i += size_of_character(static_cast<unsigned char>(text[i]));
  return std::min(i, text.size());
}

uint32_t code_point(std::string_view c) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<unsigned char>(c[i])); };
  switch (c.size()) {
    case 1: return byte(0);
    case 2: return (byte(0) & 0x1f) << 6 | (byte(1) & 0x3f);
    case 3: return (byte(0) & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f);
    default: return (byte(0) & 0x07) << 18 | (byte(1) & 0x3f) << 12 | (byte(2) & 0x3f) << 6 | (byte(3) & 0x3f);
  }
}

void append_code_point(std::string& out, uint32_t code) {
  const auto put = [&](uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) return put(0xc0 | code >> 6), put(0x80 | (code & 0x3f));
  if (code < 0x10000) return put(0xe0 | code >> 12), put(0x80 | (code >> 6 & 0x3f)), put(0x80 | (code & 0x3f));
  put(0xf0 | code >> 18), put(0x80 | (code >> 12 & 0x3f)), put(0x80 | (code >> 6 & 0x3f)), put(0x80 | (code & 0x3f));
}

bool is_space(uint32_t c) {
  return (c >= 9 && c <= 13) || (c >= 28 && c <= 32) || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
         c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

namespace {

std::string_view last_character(std::string_view text) {
  size_t i = text.size() - 1;
  while (i > 0 && (static_cast<unsigned char>(text[i]) & 0xc0) == 0x80) --i;
  return text.substr(i);
}

std::string_view first_character(std::string_view text) {
  return text.substr(0, size_of_character(static_cast<unsigned char>(text[0])));
}

}  // namespace

std::string_view strip(std::string_view text, bool left, bool right, std::optional<std::string_view> characters) {
  const auto set = characters ? characters_of(*characters) : std::vector<std::string_view>{};
  const auto drop = [&](std::string_view c) {
    return characters ? std::find(set.begin(), set.end(), c) != set.end() : is_space(code_point(c));
  };
  while (left && !text.empty() && drop(first_character(text))) text.remove_prefix(first_character(text).size());
  while (right && !text.empty() && drop(last_character(text))) text.remove_suffix(last_character(text).size());
  return text;
}

std::vector<std::string> split(std::string_view text, std::optional<std::string_view> separator, int64_t most) {
  std::vector<std::string> parts;
  if (separator) {
    for (size_t end; most != 0 && (end = text.find(*separator)) != std::string_view::npos; --most) {
      parts.emplace_back(text.substr(0, end));
      text.remove_prefix(end + separator->size());
    }
    parts.emplace_back(text);
    return parts;
  }
  for (text = strip(text, true, false); !text.empty(); text = strip(text, true, false)) {
    if (most-- == 0) {
      parts.emplace_back(text);  // the rest keeps its trailing space
      break;
    }
    size_t end = 0;
    while (end < text.size() && !is_space(code_point(first_character(text.substr(end)))))
      end += first_character(text.substr(end)).size();
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return parts;
}

std::vector<std::string> rsplit(std::string_view text, std::optional<std::string_view> separator, int64_t most) {
  std::vector<std::string> parts;
  if (separator) {
    for (size_t at; most != 0 && (at = text.rfind(*separator)) != std::string_view::npos; --most) {
      parts.emplace_back(text.substr(at + separator->size()));
      text = text.substr(0, at);
    }
    parts.emplace_back(text);
  } else {
    for (text = strip(text, false, true); !text.empty(); text = strip(text, false, true)) {
      if (most-- == 0) {
        parts.emplace_back(text);
        break;
      }
      size_t begin = text.size();
      while (begin > 0 && !is_space(code_point(last_character(text.substr(0, begin)))))
        begin -= last_character(text.substr(0, begin)).size();
      parts.emplace_back(text.substr(begin));
      text = text.substr(0, begin);
    }
  }
  std::reverse(parts.begin(), parts.end());
  return parts;
}

std::vector<std::string> split_lines(std::string_view text, bool keep_ends) {
  std::vector<std::string> lines;
  size_t begin = 0, i = 0;
  while (i < text.size()) {
    const std::string_view c = first_character(text.substr(i));
    const uint32_t code = code_point(c);
    const bool ends =
        (code >= 10 && code <= 13) || (code >= 0x1c && code <= 0x1e) || code == 0x85 || code == 0x2028 || code == 0x2029;
    size_t next = i + c.size();
    if (ends) {
      if (code == 13 && next < text.size() && text[next] == '\n') ++next;
      lines.emplace_back(text.substr(begin, (keep_ends ? next : i) - begin));
      begin = next;
    }
    i = next;
  }
  if (begin < text.size()) lines.emplace_back(text.substr(begin));
  return lines;
}

std::string replace(std::string_view text, std::string_view from, std::string_view to, int64_t most) {
  std::string out;
  if (from.empty()) {  // before each character, and at the end
    const auto characters = characters_of(text);
    size_t i = 0;
    for (; i < characters.size() && most != 0; ++i, --most) (out += to) += characters[i];
    for (; i < characters.size(); ++i) out += characters[i];
    return most != 0 ? out += to : out;
  }
  for (size_t at; most != 0 && (at = text.find(from)) != std::string_view::npos; --most) {
    (out += text.substr(0, at)) += to;
    text.remove_prefix(at + from.size());
  }
  return out += text;
}

std::string repr(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
  char buffer[32];
  const auto shortest = std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::scientific);
  std::string text(buffer, shortest.ptr);
  const size_t e = text.find('e');
  const int exponent = std::stoi(text.substr(e + 1));
  if (exponent < -4 || exponent >= 16) return text;  // to_chars writes e+16 and e-05, as Python
  const auto fixed = std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::fixed);
  text.assign(buffer, fixed.ptr);
  return text.find('.') == std::string::npos ? text + ".0" : text;
}

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '\'': out += "&#39;"; break;
      case '"': out += "&#34;"; break;
      default: out.push_back(c);
    }
  return out;
}

}  // namespace model::jinja
