#include "model/tokenizer/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "kernels/error.h"

namespace model {

namespace {

constexpr const char* kSpaces = R"(\x09-\x0d\x20\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
constexpr const char* kOthers =
    R"(\x00-\x08\x0e-\x1f\x21-\x{84}\x{86}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e})"
    R"(\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{d7ff}\x{e000}-\x{10ffff})";

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

}  // namespace

std::string Regex::spell_out_spaces(const std::string& pattern) {
  std::string out;
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c != '\\' || i + 1 == pattern.size()) {
      if (c == '[') in_class = true;
      if (c == ']') in_class = false;
      out += c;
      continue;
    }
    const char next = pattern[++i];
    if (next == 's' || next == 'S') {
      const char* list = next == 's' ? kSpaces : kOthers;
      out += in_class ? list : fmt::format("[{}]", list);
    } else {
      out += {c, next};
    }
  }
  return out;
}

Regex::Regex(const std::string& pattern) : pattern_(pattern) {
  const auto text = spell_out_spaces(pattern);
  int error = 0;
  PCRE2_SIZE offset = 0;
  auto* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                             PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &offset, nullptr);
  if (!code) kernels::fail_usage("regular expression \"{}\" is not valid: {}", pattern, message_of(error));
  code_ = std::shared_ptr<void>(code, [](void* p) { pcre2_code_free(static_cast<pcre2_code*>(p)); });
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);  // where there is no JIT, pcre2_match interprets
}

Regex::Match Regex::find(std::string_view text, size_t from) const {
  thread_local Scratch scratch;
  // pcre2_match checks the whole text at each call unless told that it is UTF-8; a loop would be quadratic.
  const int rc = pcre2_match(static_cast<const pcre2_code*>(code_.get()), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                             from, PCRE2_NO_UTF_CHECK, scratch.match, scratch.context);
  if (rc == PCRE2_ERROR_NOMATCH) return {};
  if (rc < 0) kernels::fail("regular expression \"{}\" gave up on a text of {} bytes: {}", pattern_, text.size(), message_of(rc));
  const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(scratch.match);
  if (bounds[1] < bounds[0] || bounds[0] < from) kernels::fail("regular expression \"{}\" matched backwards", pattern_);
  return {bounds[0], bounds[1], true};
}

}  // namespace model
