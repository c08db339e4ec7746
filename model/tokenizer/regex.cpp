#define PCRE2_CODE_UNIT_WIDTH 8
#include "model/tokenizer/regex.h"

#include <pcre2.h>

#include <algorithm>
#include <array>
#include <utility>

#include "kernels/error.h"

namespace model {

using kernels::fail_usage;

namespace {

constexpr const char* kSpaces = R"(\x09-\x0d\x20\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
constexpr const char* kOthers =
    R"(\x00-\x08\x0e-\x1f\x21-\x{84}\x{86}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e})"
    R"(\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{d7ff}\x{e000}-\x{10ffff})";
constexpr const char* kPosixWords = R"(\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\p{Alphabetic})";
constexpr const char* kWords = R"(\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\p{Alphabetic}\x{b2}\x{b3}\x{b9}\x{bc}-\x{be})";
constexpr const char* kGraphs = R"(\p{L}\p{M}\p{N}\p{P}\p{S}\p{Cf}\p{Co})";
constexpr const char* kPrints = R"(\p{L}\p{M}\p{N}\p{P}\p{S}\p{Cf}\p{Co}\p{Zs})";
// [:name:] where PCRE2 means others by it.
constexpr std::array<std::pair<std::string_view, const char*>, 10> kNamed{{{"alpha", R"(\p{Alphabetic})"},
                                                                          {"alnum", R"(\p{Alphabetic}\p{Nd})"},
                                                                          {"upper", R"(\p{Uppercase})"},
                                                                          {"lower", R"(\p{Lowercase})"},
                                                                          {"word", kPosixWords},
                                                                          {"space", kSpaces},
                                                                          {"blank", R"(\p{Zs}\t)"},
                                                                          {"punct", R"(\p{P}\p{S})"},
                                                                          {"graph", kGraphs},
                                                                          {"print", kPrints}}};

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

pcre2_code* compile(const std::string& text, int* error) {
  PCRE2_SIZE offset = 0;
  return pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                       PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, error, &offset, nullptr);
}

bool is_valid(const std::string& text) {
  int error = 0;
  auto* code = compile(text, &error);
  pcre2_code_free(code);
  return code != nullptr;
}

// Reads a pattern once, left to right.
class Translator {
 public:
  Translator(const std::string& pattern, const std::string& where) : pattern_(pattern), where_(where) {}

  std::string run() {
    while (at_ < pattern_.size()) {
      const bool after_interval = std::exchange(after_interval_, false);
      const char c = pattern_[at_];
      if (c == '\\' && at_ + 1 < pattern_.size())
        escape();
      else if (in_class_)
        inside_class();
      else if (c == '[')
        open_class();
      else if (c == '{')
        interval();
      else if (c == '+' && after_interval)
        no("+ after an interval such as {1,3}");
      else if (starts("(?"))
        group();
      else
        copy(1);
    }
    return std::move(out_);
  }

 private:
  [[noreturn]] void no(const std::string& part) const { refuse(pattern_, where_, part + " is not supported"); }
  bool starts(std::string_view text) const { return pattern_.compare(at_, text.size(), text) == 0; }
  void copy(size_t count) {
    out_.append(pattern_, at_, count);
    at_ += count;
  }
  void put_class(const std::string& members) { out_ += in_class_ ? members : "[" + members + "]"; }

  void escape() {
    const char next = pattern_[at_ + 1];
    if ((next == 'p' || next == 'P') && at_ + 2 < pattern_.size() && pattern_[at_ + 2] == '{') return property();
    at_ += 2;
    if (next == 's' || next == 'S') {
      put_class(next == 's' ? kSpaces : kOthers);
    } else if (next == 'w') {
      put_class(kWords);
    } else if (next == 'W') {
      if (in_class_) no("\\W inside []");
      out_ += std::string("[^") + kWords + "]";
    } else if ((next == 'b' || next == 'B') && !in_class_) {
      const std::string after = std::string("(?<=[") + kWords + "])", before = std::string("(?=[") + kWords + "])";
      const std::string not_after = std::string("(?<![") + kWords + "])", not_before = std::string("(?![") + kWords + "])";
      out_ += next == 'b' ? "(?:" + after + not_before + "|" + not_after + before + ")"
                          : "(?:" + after + before + "|" + not_after + not_before + ")";
    } else if (next == 'h' || next == 'H') {
      no(std::string("\\") + next);
    } else if (next == 'x' && starts("{")) {  // a code point, no interval
      out_ += "\\x";
      copy(std::min(pattern_.find('}', at_), pattern_.size() - 1) + 1 - at_);
    } else if (next == 'v') {
      out_ += R"(\x0b)";
    } else {
      out_ += {'\\', next};
    }
  }

  // The bare name of a script means its own characters; to PCRE2 also those that it shares with others.
  void property() {
    const size_t end = pattern_.find('}', at_);
    if (end == std::string::npos) return copy(pattern_.size() - at_);
    const size_t name = at_ + (pattern_.compare(at_ + 3, 1, "^") == 0 ? 4 : 3);
    const std::string script = "sc:" + pattern_.substr(name, end - name);
    if (script.find_first_of("\\[]()") == std::string::npos && is_valid("\\p{" + script + "}")) {
      out_.append(pattern_, at_, name - at_).append(script);
      at_ = end;
    }
    copy(end + 1 - at_);
  }

  void open_class() {
    in_class_ = true;
    copy(1);
    if (starts("^")) copy(1);
    if (starts("]")) copy(1);  // as the first one it stands for itself
  }

  void inside_class() {
    if (starts("[:")) return named_class();
    if (starts("[")) no("a class inside a class");
    if (starts("&&")) no("&& inside []");
    in_class_ = pattern_[at_] != ']';
    copy(1);
  }

  void named_class() {
    const size_t end = pattern_.find(":]", at_);
    if (end == std::string::npos) refuse(pattern_, where_, "[: has no end");
    const bool negated = pattern_[at_ + 2] == '^';
    const std::string_view name = std::string_view(pattern_).substr(at_ + 2 + negated, end - at_ - 2 - negated);
    for (const auto& [known, members] : kNamed) {
      if (name != known) continue;
      if (negated) no("[:^" + std::string(name) + ":]");
      out_ += members;
      at_ = end + 2;
      return;
    }
    copy(end + 2 - at_);
  }

  // {2}, {2,}, {2,3} and {,3}; any other brace stands for itself.
  void interval() {
    const size_t end = pattern_.find_first_not_of("0123456789,", at_ + 1);
    after_interval_ =
        end != std::string::npos && pattern_[end] == '}' && end > at_ + 1 && pattern_.compare(at_, end - at_, "{,") != 0;
    if (!after_interval_) return copy(1);
    if (starts("{,")) {
      out_ += "{0";
      ++at_;
    }
    copy(end + 1 - at_);
  }

  // Ruby's m lets the dot match line ends, PCRE2's s does; and options without a colon reach over | in Ruby.
  void group() {
    const size_t end = pattern_.find_first_not_of("imsx-", at_ + 2);
    if (end == at_ + 2 || end == std::string::npos || (pattern_[end] != ':' && pattern_[end] != ')')) return copy(2);
    if (pattern_[end] == ')' && at_ > 0) no("an option such as (?i) that is not at the start");
    for (; at_ < end; ++at_) out_ += pattern_[at_] == 'm' ? 's' : pattern_[at_];
  }

  const std::string &pattern_, &where_;
  std::string out_;
  size_t at_ = 0;
  bool in_class_ = false;
  bool after_interval_ = false;  // {2,3} has just ended
};

}  // namespace

std::string translate_regex(const std::string& pattern, const std::string& where) { return Translator(pattern, where).run(); }

Regex::Regex(const std::string& pattern, const std::string& where) : pattern_(pattern) {
  if (pattern.size() > 20000)
    refuse(pattern.substr(0, 40) + "...", where, fmt::format("is {} bytes long, more than 20000", pattern.size()));
  const auto text = translate_regex(pattern, where);
  int error = 0;
  auto* code = compile(text, &error);
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
