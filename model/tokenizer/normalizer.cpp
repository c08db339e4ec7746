#include "model/tokenizer/normalizer.h"

#include <utf8proc.h>

#include <array>
#include <cstdlib>

#include "kernels/error.h"
#include "model/files/json_fields.h"
#include "model/tokenizer/byte_level.h"
#include "model/tokenizer/character_class.h"

namespace model {

using nlohmann::json;

namespace {

constexpr int kCompose = UTF8PROC_STABLE | UTF8PROC_COMPOSE, kDecompose = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE;

// Characters that are in every form of NFC already, whatever stands beside them.
bool is_composed(char32_t c) {
  constexpr std::array<std::array<char32_t, 2>, 8> ranges{{{0, 0x2ff},
                                                           {0x400, 0x482},
                                                           {0x2010, 0x2027},
                                                           {0x3001, 0x3029},
                                                           {0x3041, 0x3096},
                                                           {0x30a1, 0x30fa},
                                                           {0x4e00, 0x9fff},
                                                           {0xac00, 0xd7a3}}};
  for (const auto& [low, high] : ranges)
    if (c >= low && c <= high) return true;
  return false;
}

bool needs_no_composition(std::string_view text) {
  for (size_t at = 0; at < text.size(); at += utf8_length(text, at))
    if (!is_composed(utf8_code_point(text, at))) return false;
  return true;
}

std::string to_form(std::string_view text, int options) {
  utf8proc_uint8_t* out = nullptr;
  const auto size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()), &out,
                   static_cast<utf8proc_option_t>(options));
  if (size < 0) kernels::fail("tokenizer: the normal form of a text of {} bytes failed: {}", text.size(), utf8proc_errmsg(size));
  std::string result(reinterpret_cast<char*>(out), static_cast<size_t>(size));
  std::free(out);
  return result;
}

std::string_view strip(std::string_view text, bool left, bool right) {
  while (left && !text.empty() && is_space(utf8_code_point(text, 0))) text.remove_prefix(utf8_length(text, 0));
  while (right && !text.empty()) {
    const size_t last = character_before(text, text.size());
    if (!is_space(utf8_code_point(text, last))) break;
    text = text.substr(0, last);
  }
  return text;
}

std::string in_lower_case(std::string_view text) {
  std::string result;
  for (size_t at = 0; at < text.size(); at += utf8_length(text, at)) append_lower_case(result, utf8_code_point(text, at));
  return result;
}

}  // namespace

Normalizer::Normalizer(const json& part, const std::string& where) {
  if (!part.is_null()) read(part, where, 0);
}

void Normalizer::read(const json& part, const std::string& where, int depth) {
  const JsonFields f(part, where);
  const auto type = f.string("type");
  if (type == "Sequence")
    return read_sequence(f, "normalizers", depth, [&](const json& child, const std::string& at) { read(child, at, depth + 1); });
  Step step{};
  if (type == "NFC" || type == "NFD" || type == "NFKC" || type == "NFKD") {
    step.kind = Kind::form;
    step.form = (type.back() == 'C' ? kCompose : kDecompose) | (type.size() == 4 ? UTF8PROC_COMPAT : 0);
  } else if (type == "Lowercase") {
    step.kind = Kind::lowercase;
  } else if (type == "Replace") {
    step.kind = Kind::replace;
    step.pattern = TextPattern(f);
    step.content = f.string("content");
  } else if (type == "Prepend") {
    step.kind = Kind::prepend;
    step.content = f.string("prepend");
  } else if (type == "Strip") {
    step.kind = Kind::strip;
    step.left = f.boolean("strip_left");
    step.right = f.boolean("strip_right");
  } else if (type == "ByteLevel") {
    step.kind = Kind::byte_level;
  } else {
    f.wrong("type", "a supported part: Sequence, NFC, NFD, NFKC, NFKD, Lowercase, Replace, Prepend, Strip, ByteLevel");
  }
  steps_.push_back(std::move(step));
}

std::string Normalizer::apply(const Step& step, std::string_view text) {
  switch (step.kind) {
    case Kind::form:
      return to_form(text, step.form);
    case Kind::lowercase:
      return in_lower_case(text);
    case Kind::replace:
      return step.pattern.replace_all(text, step.content);
    case Kind::prepend:
      return text.empty() ? std::string() : step.content + std::string(text);
    case Kind::strip:
      return std::string(strip(text, step.left, step.right));
    case Kind::byte_level:
      return to_byte_level(text);
  }
  return {};
}

std::string_view Normalizer::apply(std::string_view text, std::string& storage, bool* cut_front) const {
  *cut_front = false;
  for (const Step& step : steps_) {
    if (step.kind == Kind::form && (step.form == kCompose ? needs_no_composition(text) : is_ascii(text))) continue;
    if (step.kind == Kind::strip && step.left && !text.empty()) *cut_front |= is_space(utf8_code_point(text, 0));
    storage = apply(step, text);
    text = storage;
    if (text.size() > (size_t{1} << 31)) kernels::fail("tokenizer: a text grew beyond 2 GB while it was normalised");
  }
  return text;
}

}  // namespace model
