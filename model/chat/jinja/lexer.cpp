#include "model/chat/jinja/lexer.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "model/chat/jinja/python_text.h"
#include "model/chat/jinja/text_literal.h"

namespace model::jinja {
namespace {

using Kind = Token::Kind;
constexpr size_t npos = std::string_view::npos;

// Newlines of all systems become \n, and one at the end goes.
std::string normalized(std::string_view source) {
  std::string out;
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] != '\r') out += source[i];
    else if (i + 1 == source.size() || source[i + 1] != '\n') out += '\n';
  }
  if (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

class Lexer {
 public:
  explicit Lexer(std::string_view source) : text_(source) {}

  std::vector<Token> run() {
    while (at_ < text_.size()) root();
    add(Kind::end);
    return std::move(tokens_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) { throw SyntaxProblem(line_, what); }

  void move_to(size_t to) {
    line_ += static_cast<int>(
        std::count(text_.begin() + static_cast<std::ptrdiff_t>(at_), text_.begin() + static_cast<std::ptrdiff_t>(to), '\n'));
    at_ = to;
  }
  Token& add(Kind kind, std::string word = "") {
    tokens_.push_back({kind, line_, std::move(word), {}});
    return tokens_.back();
  }
  char here(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool starts(std::string_view with) const { return text_.substr(at_, with.size()) == with; }
  size_t after_space(size_t from) const {
    return text_.size() - strip(text_.substr(from), true, false).size();
  }

  void add_data(std::string_view data) {
    if (!data.empty()) add(Kind::data, std::string(data));
  }
  // Text before a tag: "-" strips it, and a block or comment that begins its line loses its indentation, but for "+".
  std::string_view before_tag(std::string_view data, char sign, bool variable) const {
    if (sign == '-') return strip(data, false, true);
    if (sign == '+' || variable) return data;
    const size_t line = data.rfind('\n') + 1;  // npos + 1 is 0
    if ((line > 0 || line_starting_) && strip(data.substr(line), true, false).empty()) return data.substr(0, line);
    return data;
  }
  // Past the end of a tag that begins at `end`, by its sign; `trims`: a newline after it goes.
  void close_tag(size_t end, char sign, bool trims) {
    if (sign == '-') end = after_space(end);
    else if (sign != '+' && trims && end < text_.size() && text_[end] == '\n') ++end;
    move_to(end);
    line_starting_ = text_[end - 1] == '\n';
  }

  void root() {
    size_t tag = at_;
    while ((tag = text_.find('{', tag)) != npos &&
           (tag + 1 >= text_.size() || std::string_view("%{#").find(text_[tag + 1]) == npos))
      ++tag;
    if (tag == npos) {
      add_data(text_.substr(at_));
      return move_to(text_.size());
    }
    const char kind = text_[tag + 1];
    size_t inside = tag + 2;
    const char sign = inside < text_.size() && (text_[inside] == '-' || text_[inside] == '+') ? text_[inside++] : '\0';
    add_data(before_tag(text_.substr(at_, tag - at_), sign, kind == '{'));
    move_to(tag);
    if (kind == '#') return comment(inside);
    if (kind == '%' && raw(inside)) return;
    add(kind == '%' ? Kind::block_begin : Kind::variable_begin);
    move_to(inside);
    expression(kind == '%');
  }

  void comment(size_t inside) {
    const size_t end = text_.find("#}", inside);
    if (end == npos) fail("a comment {# is not closed by #}");
    const char sign = end > inside && (text_[end - 1] == '-' || text_[end - 1] == '+') ? text_[end - 1] : '\0';
    close_tag(end + 2, sign, true);
  }

  // {% raw %} ... {% endraw %}
  bool raw(size_t inside) {
    const auto tag_end = [&](size_t from, std::string_view name, bool plus, char& sign) {  // npos: it is another tag
      size_t i = after_space(from);
      if (text_.substr(i, name.size()) != name) return npos;
      i = after_space(i + name.size());
      sign = i < text_.size() && (text_[i] == '-' || (plus && text_[i] == '+')) ? text_[i++] : '\0';
      return text_.substr(i, 2) == "%}" ? i + 2 : npos;
    };
    char sign = '\0';
    const size_t begin = tag_end(inside, "raw", false, sign);
    if (begin == npos) return false;
    close_tag(begin, sign, false);
    for (size_t tag = at_; (tag = text_.find("{%", tag)) != npos; ++tag) {
      size_t i = tag + 2;
      const char left = i < text_.size() && (text_[i] == '-' || text_[i] == '+') ? text_[i++] : '\0';
      const size_t end = tag_end(i, "endraw", true, sign);
      if (end == npos) continue;
      add_data(before_tag(text_.substr(at_, tag - at_), left, false));
      move_to(tag);
      close_tag(end, sign, true);
      return true;
    }
    fail("{% raw %} is not closed by {% endraw %}");
  }

  void expression(bool block) {
    const std::string_view close = block ? "%}" : "}}";
    std::string brackets;
    const int first_line = line_;
    while (at_ < text_.size()) {
      if (brackets.empty()) {
        const char sign = here() == '-' || (block && here() == '+') ? here() : '\0';
        const size_t skip = sign == '\0' ? 0 : 1;
        if (text_.substr(at_ + skip, 2) == close) {
          add(block ? Kind::block_end : Kind::variable_end);
          return close_tag(at_ + skip + 2, sign, block);
        }
      }
      if (const size_t next = after_space(at_); next != at_) move_to(next);
      else if (is_digit(here())) number();
      else if (is_name_start(here())) name();
      else if (here() == '\'' || here() == '"') quoted();
      else op(brackets);
    }
    line_ = first_line;
    fail(fmt::format("a tag is not closed by {}", close));
  }

  void name() {
    size_t end = at_;
    while (end < text_.size() && (is_name_start(text_[end]) || is_digit(text_[end]))) ++end;
    if (end < text_.size() && static_cast<unsigned char>(text_[end]) >= 0x80)
      fail("names with letters beyond ASCII are outside the supported part of Jinja");
    add(Kind::name, std::string(text_.substr(at_, end - at_)));
    move_to(end);
  }

  void quoted() {
    size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != here()) end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size()) fail("a text in quotes is not closed");
    try {
      add(Kind::text, text_literal(text_.substr(at_ + 1, end - at_ - 1)));
    } catch (const Problem& problem) {
      fail(problem.what());
    }
    move_to(end + 1);
  }

  // Digits with single underscores between them, from i on.
  size_t digits_end(size_t i) const {
    if (i >= text_.size() || !is_digit(text_[i])) return i;
    for (++i; i < text_.size(); ++i)
      if (!is_digit(text_[i]) && !(text_[i] == '_' && i + 1 < text_.size() && is_digit(text_[i + 1]))) break;
    return i;
  }

  void number() {
    const bool after_dot = at_ > 0 && text_[at_ - 1] == '.';
    size_t end = digits_end(at_);
    bool real = false;
    if (!after_dot) {
      if (end < text_.size() && text_[end] == '.' && digits_end(end + 1) > end + 1) end = digits_end(end + 1), real = true;
      if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
        const size_t sign = end + 1 < text_.size() && (text_[end + 1] == '+' || text_[end + 1] == '-') ? 1 : 0;
        if (digits_end(end + 1 + sign) > end + 1 + sign) end = digits_end(end + 1 + sign), real = true;
      }
    }
    if (end < text_.size() && is_name_start(text_[end]))
      fail("a number is followed by a letter; only decimal numbers are supported");
    std::string digits(text_.substr(at_, end - at_));
    std::erase(digits, '_');
    if (!real && digits.size() > 1 && digits[0] == '0' && digits.find_first_not_of('0') != std::string::npos)
      fail("a whole number begins with 0");
    Token& token = add(Kind::number, digits);
    if (real) {
      double value = 0;
      const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
      if (read.ec != std::errc()) fail(fmt::format("the number {} is too large", digits));
      token.number = Value::real(value);
    } else {
      int64_t value = 0;
      const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
      if (read.ec != std::errc()) fail(fmt::format("the number {} has more than 64 bits", digits));
      token.number = Value::integer(value);
    }
    move_to(end);
  }

  void op(std::string& brackets) {
    for (const std::string_view two : {"//", "**", "==", "!=", ">=", "<="})
      if (starts(two)) {
        add(Kind::op, std::string(two));
        return move_to(at_ + 2);
      }
    const char c = here();
    if (std::string_view("+-/*%~[](){}><=.:|,;").find(c) == npos)
      fail(fmt::format("the character {} is no part of an expression", shown_character()));
    if (c == '(' || c == '[' || c == '{') brackets += c == '(' ? ')' : c == '[' ? ']' : '}';
    if (c == ')' || c == ']' || c == '}') {
      if (brackets.empty() || brackets.back() != c) fail(fmt::format("unexpected '{}'", c));
      brackets.pop_back();
    }
    add(Kind::op, std::string(1, c));
    move_to(at_ + 1);
  }

  std::string shown_character() const { return repr(text_.substr(at_, byte_of(text_.substr(at_), 1))); }

  std::string_view text_;
  size_t at_ = 0;
  int line_ = 1;
  bool line_starting_ = true;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokens_of(std::string_view source) {
  if (!is_utf8(source)) throw SyntaxProblem(1, "the template is not UTF-8");
  const std::string text = normalized(source);
  return Lexer(text).run();
}

}  // namespace model::jinja
