#include "reward/math/lexer.h"

#include <fmt/core.h>

#include <algorithm>

#include "reward/extract.h"
#include "reward/math/names.h"
#include "reward/math/normalise.h"
#include "reward/number.h"

namespace reward::math {
namespace {

constexpr auto npos = std::string_view::npos;

class Lexer {
 public:
  Lexer(std::string_view text, const Limits& limits, const Hint& hint)
      : s_(text), limits_(limits), hint_(hint), lone_dollar_(std::count(text.begin(), text.end(), '$') == 1) {}

  Tokens run() {
    while (i_ < s_.size()) step();
    if (!braces_.empty()) throw Failure{"syntax", "a { is not closed"};
    put(Token::end, "");
    return std::move(out_);
  }

 private:
  enum class Brace : uint8_t { group, roman, silent };

  char at(size_t k) const { return k < s_.size() ? s_[k] : '\0'; }
  bool roman() const { return roman_ > 0 && !math_in_text_; }

  void put(Token::Type type, std::string_view text) {
    if (static_cast<int64_t>(out_.size()) > limits_.tokens)
      throw Failure{"too_many_tokens", fmt::format("more than {} tokens", limits_.tokens)};
    Token token;
    token.type = type;
    token.text = text;
    token.at = i_;
    token.gap = gap_;
    token.roman = roman();
    out_.push_back(std::move(token));
    gap_ = Gap::none;
  }
  void sign(std::string_view text, size_t length) {
    put(Token::sign, text);
    i_ += length;
  }
  void space(Gap gap, size_t length) {
    gap_ = std::max(gap_, gap);
    i_ += length;
  }

  void step() {
    const char c = s_[i_];
    if (is_space(c) || c == '~') space(Gap::space, 1);
    else if (c == '$') dollar();
    else if (is_digit(c) || (c == '.' && is_digit(at(i_ + 1)))) number();
    else if (is_letter(c) || static_cast<unsigned char>(c) >= 0x80) word();
    else if (c == '\\') command();
    else if (c == '{') open_brace();
    else if (c == '}') close_brace();
    else if (c == '"' || c == '`') space(Gap::none, 1);
    else punctuation(c);
  }

  void dollar() {
    if (lone_dollar_ && is_digit(at(i_ + 1))) return sign("dollar", 1);
    if (roman_ > 0) math_in_text_ = !math_in_text_;
    space(Gap::none, 1);
  }

  size_t digits_from(size_t k) const {
    while (k < s_.size() && is_digit(s_[k])) ++k;
    return k;
  }

  void number() {
    const size_t begin = i_;
    size_t end = digits_from(i_);
    if (at(end) == '.' && is_digit(at(end + 1))) end = digits_from(end + 1);
    std::string text(s_.substr(begin, end - begin));
    if (text[0] == '.') text.insert(0, "0");
    const bool whole = text.find('.') == npos;
    // "0.\overline{3}" and "0.(3)" keep the point; "18." of a sentence loses it.
    if (whole && at(end) == '.' && at(end + 1) != '.') {
      if (at(end + 1) == '\\' || at(end + 1) == '(') text += '.';
      ++end;
    }
    put(Token::number, text);
    i_ = end;
    scale(whole);
  }

  // The e-4 of 1.5e-4. "2e+3" and "2e^3" are formulas in e.
  void scale(bool whole) {
    const char e = at(i_);
    if ((e != 'e' && e != 'E') || (hint_.euler && e == 'e')) return;
    const bool signed_exponent = at(i_ + 1) == '-' || at(i_ + 1) == '+';
    const size_t begin = i_ + 1 + signed_exponent, end = digits_from(begin);
    if (end == begin || end - begin > 9 || is_letter(at(end)) || at(end) == '.' || at(end) == '^' || at(end) == '/') return;
    auto& token = out_.back();
    if (e == 'e' && at(i_ + 1) == '+' && whole && end - begin == 1 && token.text != "1") return;
    for (size_t k = begin; k < end; ++k) token.value = token.value * 10 + (s_[k] - '0');
    if (at(i_ + 1) == '-') token.value = -token.value;
    token.scientific = true;
    i_ = end;
  }

  void word() {
    size_t end = i_;
    while (end < s_.size() && (is_letter(s_[end]) || static_cast<unsigned char>(s_[end]) >= 0x80)) ++end;
    const auto run = s_.substr(i_, end - i_);
    if ((run == "np" || run == "math") && at(end) == '.' && is_letter(at(end + 1))) return space(Gap::none, run.size() + 1);
    put(Token::word, run);
    i_ = end;
  }

  void open_brace() {
    if (s_.substr(i_, 3) == "{,}") return sign("{,}", 3);
    braces_.push_back(Brace::group);
    sign("{", 1);
  }

  void close_brace() {
    if (braces_.empty()) throw Failure{"syntax", fmt::format("a }} at byte {} closes nothing", i_)};
    const Brace brace = braces_.back();
    braces_.pop_back();
    if (brace == Brace::group) return sign("}", 1);
    if (brace == Brace::roman && --roman_ == 0) math_in_text_ = false;
    space(Gap::none, 1);
  }

  void punctuation(char c) {
    static constexpr std::pair<std::string_view, std::string_view> longer[] = {
        {"+/-", "pm"}, {"...", "dots"}, {"**", "^"}, {"<=", "<="}, {">=", ">="}, {"=<", "<="}, {"==", "="},
        {":=", "="},   {"=>", "Rightarrow"}, {"->", "to"}};
    for (const auto& [spelling, meaning] : longer) {
      if (s_.substr(i_, spelling.size()) != spelling) continue;
      return sign(meaning, spelling.size());
    }
    if (c == '!' && at(i_ + 1) == '=' && !after_factorial()) return sign("!=", 2);
    sign(std::string_view(&s_[i_], 1), 1);
  }

  // 5!=120 is a factorial, x!=5 is an inequation.
  bool after_factorial() const {
    return gap_ == Gap::none && !out_.empty() && (out_.back().type == Token::number || out_.back().is_sign(")"));
  }

  void command() {
    if (!is_letter(at(i_ + 1))) return symbol_command();
    size_t end = i_ + 1;
    while (end < s_.size() && is_letter(s_[end])) ++end;
    const auto name = s_.substr(i_ + 1, end - i_ - 1);
    const size_t length = end - i_;
    if (name == "left" || name == "right") return delimiter(name == "left", end);
    if (name == "quad" || name == "qquad") return wide_space(length);
    if (name == "begin" || name == "end") return environment(name == "begin", end);
    if (name == "mathbb" || name == "Bbb") return blackboard(end);
    if (is_layout(name)) return space(Gap::none, length);
    if (is_layout_with_group(name)) return i_ = end, skip_group();
    if (is_style(name)) return space(Gap::none, length);
    if (is_text_command(name)) return text_command(end);
    if (const auto meaning = sign_of_command(name); !meaning.empty()) return sign(meaning, length);
    if (name == "lt" || name == "gt") return sign(name == "lt" ? "<" : ">", length);
    if (name.size() == 1 && std::string_view("RNZQC").find(name[0]) != npos) return put_set(name, end);
    put(Token::command, normal_command(name));
    i_ = end;
  }

  void symbol_command() {
    const char c = at(i_ + 1);
    switch (c) {
      case ',': case ':': case ';': case '>': return space(Gap::thin, 2);
      case '!':
        if (!out_.empty() && out_.back().is_sign(",")) out_.back().text = "{,}";
        return space(Gap::none, 2);
      case '{': return sign("\\{", 2);
      case '}': return sign("\\}", 2);
      case '|': return sign("||", 2);
      case '%': return sign("%", 2);
      case '$': return sign("dollar", 2);
      case '\\': return row();
      case '(': case ')': case '[': case ']': case '\0': return space(Gap::none, c == '\0' ? 1 : 2);
      default: return space(Gap::space, is_space(c) ? 2 : 1);
    }
  }

  void row() {
    size_t end = i_ + 2;
    if (at(end) == '[' && is_digit(at(end + 1))) {  // \\[2pt]
      const auto close = s_.substr(end, 12).find(']');
      if (close != npos && is_letter(s_[end + close - 1])) end += close + 1;
    }
    sign("row", end - i_);
  }

  // \left and \right tell the two bars of |x| apart, and may stand before a point that is no sign.
  void delimiter(bool left, size_t end) {
    while (is_space(at(end))) ++end;
    const char c = at(end);
    if (c == '|') return i_ = end, sign(left ? "lvert" : "rvert", 1);
    if (c == '<' || c == '>') return i_ = end, sign(left ? "langle" : "rangle", 1);
    space(Gap::none, end - i_ + (c == '.' ? 1 : 0));
  }

  // Parts two statements, but is only layout next to words and at the ends.
  void wide_space(size_t length) {
    const bool begins = out_.empty() || out_.back().roman || out_.back().is_sign(",") || out_.back().is_sign(";");
    if (begins || roman()) return space(Gap::space, length);
    sign("quad", length);
  }

  std::string_view braced_name(size_t& end) const {
    while (is_space(at(end))) ++end;
    if (at(end) != '{') return {};
    const auto close = s_.substr(end, 40).find('}');
    if (close == npos) return {};
    const auto name = s_.substr(end + 1, close - 1);
    end += close + 1;
    return name;
  }

  void environment(bool begins, size_t end) {
    auto name = trim(braced_name(end));
    if (!name.empty() && name.back() == '*') name.remove_suffix(1);
    put(begins ? Token::begin : Token::finish, name);
    i_ = end;
    if (begins && (name == "array" || name == "tabular")) skip_group();
  }

  void blackboard(size_t end) {
    size_t after = end;
    auto name = trim(braced_name(after));
    if (name.empty()) {
      while (is_space(at(after))) ++after;
      name = s_.substr(after, 1);
      ++after;
    }
    if (name.size() == 1 && std::string_view("RNZQC").find(name[0]) != npos) return put_set(name, after);
    space(Gap::none, end - i_);
  }

  void put_set(std::string_view name, size_t end) {
    put(Token::command, "mathbb");
    out_.back().value = name[0];
    i_ = end;
  }

  void text_command(size_t end) {
    if (at(end) == '*') ++end;
    while (is_space(at(end))) ++end;
    if (at(end) == '{') {
      braces_.push_back(Brace::roman);
      ++roman_;
      ++end;
    }
    space(Gap::none, end - i_);
  }

  // Drops a following {...}, of any length, at once.
  void skip_group() {
    while (is_space(at(i_))) ++i_;
    if (at(i_) != '{') return;
    int64_t depth = 0;
    for (; i_ < s_.size(); ++i_) {
      if (s_[i_] == '\\') {
        ++i_;
        continue;
      }
      if (s_[i_] == '{') ++depth;
      if (s_[i_] == '}' && --depth == 0) break;
    }
    if (i_ >= s_.size()) throw Failure{"syntax", "a { is not closed"};
    ++i_;
  }

  std::string_view s_;
  const Limits& limits_;
  const Hint& hint_;
  bool lone_dollar_;
  size_t i_ = 0;
  Gap gap_ = Gap::none;
  std::vector<Brace> braces_;
  int64_t roman_ = 0;
  bool math_in_text_ = false;
  Tokens out_;
};

}  // namespace

Tokens lex(std::string_view latex, const Limits& limits, const Hint& hint) { return Lexer(latex, limits, hint).run(); }

}  // namespace reward::math
