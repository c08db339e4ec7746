#define PCRE2_CODE_UNIT_WIDTH 8
#include "model/tokenizer/regex.h"

#include <pcre2.h>

#include <utility>

#include "kernels/error.h"

namespace model {

using kernels::fail_usage;

namespace {

constexpr const char* kSpaces = R"(\x09-\x0d\x20\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
constexpr const char* kOthers =
    R"(\x00-\x08\x0e-\x1f\x21-\x{84}\x{86}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e})"
    R"(\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{d7ff}\x{e000}-\x{10ffff})";
constexpr const char* kWords = R"(\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc})";

// What a match needs to write to, one a thread. The JIT's own stack of 32 kB is too small for long runs.
struct Scratch {
  pcre2_match_data* match = pcre2_match_data_create(1, nullptr);
  pcre2_match_context* context = pcre2_match_context_create(nullptr);
  pcre2_jit_stack* stack = pcre2_jit_stack_create(32 << 10, 4 << 20, nullptr);
  Scratch() { pcre2_jit_stack_assign(context, nullptr, stack); }
  ~Scratch() {
    pcre2_match_data_free(match);
    pcre2_match_context_free(context);
    pcre2_jit_stack_free(stack);
  }
};

std::string message_of(int code) {
  PCRE2_UCHAR text[256] = {};
  pcre2_get_error_message(code, text, sizeof text);
  return reinterpret_cast<const char*>(text);
}

[[noreturn]] void refuse(const std::string& pattern, const std::string& where, const std::string& reason) {
  fail_usage("{}regular expression \"{}\": {}", where.empty() ? "" : where + ": ", pattern, reason);
}

}  // namespace

std::string translate_regex(const std::string& pattern, const std::string& where) {
  std::string out;
  bool in_class = false;
  bool interval = false;  // {2,3} has just ended
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    const bool after_interval = std::exchange(interval, false);
    if (c == '\\' && i + 1 < pattern.size()) {
      const char next = pattern[++i];
      const auto in_brackets = [&](const std::string& list) { out += in_class ? list : "[" + list + "]"; };
      if (next == 's' || next == 'S') {
        in_brackets(next == 's' ? kSpaces : kOthers);
      } else if (next == 'w') {
        in_brackets(kWords);
      } else if (next == 'W') {
        if (in_class) refuse(pattern, where, "\\W inside [] is not supported");
        out += std::string("[^") + kWords + "]";
      } else if (next == 'h' || next == 'H') {
        refuse(pattern, where, std::string("\\") + next + " is not supported");
      } else {
        out += {c, next};
      }
      continue;
    }
    if (in_class) {
      if (c == '[' && pattern.compare(i, 2, "[:") != 0) refuse(pattern, where, "a class inside a class is not supported");
      if (c == '&' && pattern.compare(i, 2, "&&") == 0) refuse(pattern, where, "&& inside [] is not supported");
      if (c == '[') {  // [:alpha:]
        const size_t end = pattern.find(":]", i);
        if (end == std::string::npos) refuse(pattern, where, "[: has no end");
        out.append(pattern, i, end + 2 - i);
        i = end + 1;
        continue;
      }
      in_class = c != ']';
      out += c;
      continue;
    }
    if (c == '[') {
      in_class = true;
      out += c;
      if (pattern.compare(i + 1, 1, "^") == 0) out += pattern[++i];
      if (pattern.compare(i + 1, 1, "]") == 0) out += pattern[++i];  // as the first one it stands for itself
      continue;
    }
    if (c == '+' && after_interval) refuse(pattern, where, "+ after an interval such as {1,3} is not supported");
    if (c == '}') {
      const size_t open = pattern.rfind('{', i);
      const char first = open != std::string::npos && open > 0 && open + 1 < i ? pattern[open + 1] : 'x';
      interval = (first >= '0' && first <= '9') || first == ',';
    }
    out += c;
  }
  return out;
}

Regex::Regex(const std::string& pattern, const std::string& where) : pattern_(pattern) {
  if (pattern.size() > 20000)
    refuse(pattern.substr(0, 40) + "...", where, fmt::format("is {} bytes long, more than 20000", pattern.size()));
  const auto text = translate_regex(pattern, where);
  int error = 0;
  PCRE2_SIZE offset = 0;
  auto* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                             PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &offset, nullptr);
  if (!code) refuse(pattern, where, "is not valid: " + message_of(error));
  code_ = std::shared_ptr<void>(code, [](void* p) { pcre2_code_free(static_cast<pcre2_code*>(p)); });
  jit_ = pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) == 0;  // where there is no JIT, pcre2_match interprets
}

Regex::Match Regex::find(std::string_view text, size_t from) const {
  thread_local Scratch scratch;
  const auto* code = static_cast<const pcre2_code*>(code_.get());
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  // pcre2_match checks the whole text at each call unless told that it is UTF-8; a loop would be quadratic.
  const int rc = jit_ ? pcre2_jit_match(code, subject, text.size(), from, 0, scratch.match, scratch.context)
                      : pcre2_match(code, subject, text.size(), from, PCRE2_NO_UTF_CHECK, scratch.match, scratch.context);
  if (rc == PCRE2_ERROR_NOMATCH) return {};
  if (rc < 0) kernels::fail("regular expression \"{}\" gave up on a text of {} bytes: {}", pattern_, text.size(), message_of(rc));
  const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(scratch.match);
  if (bounds[1] < bounds[0] || bounds[0] < from) kernels::fail("regular expression \"{}\" matched backwards", pattern_);
  return {bounds[0], bounds[1], true};
}

}  // namespace model
