// Runs of letters that are no unit: functions, constants, products of variables, or words.
#include "reward/math/lexer.h"
#include "reward/math/names.h"

namespace reward::math {
namespace {

bool opens_set(const Token& token) {
  return token.is_sign("(") || token.is_sign("[") || token.is_sign("\\{") || token.is_command("mathbb");
}
bool closes_set(const Token& token) {
  return token.is_sign(")") || token.is_sign("]") || token.is_sign("\\}") || token.is_sign("}");
}

Token derived(const Token& from, Token::Type type, std::string_view text, size_t offset) {
  Token token = from;
  token.type = type;
  token.text = text;
  token.at += offset;
  if (offset > 0) token.gap = Gap::none;
  return token;
}

// Length of the longest name at the front of a run: sin of sinx. Not asin: that is a sin.
size_t name_length(std::string_view run) {
  for (size_t length = std::min<size_t>(run.size(), 9); length >= 2; --length) {
    const auto name = run.substr(0, length);
    const bool short_inverse = name[0] == 'a' && !function_name(name).empty() && name.substr(0, 2) != "ar" && name != "abs";
    if (!short_inverse && !command_of_word(name).empty()) return length;
  }
  return 0;
}

// sinx, xlnx, sinxcosx: functions with one or two letters around them. "cost" and "since" are words.
bool reads_as_functions(std::string_view run) {
  size_t letters = 0, functions = 0;
  for (size_t i = 0; i < run.size();) {
    const size_t length = name_length(run.substr(i));
    if (length == 0 && std::string_view("xyznkabuv").find(run[i]) == std::string_view::npos) return false;
    if (length > 0) ++functions;
    else ++letters;
    i += length > 0 ? length : 1;
  }
  return functions > 0 && letters <= 2;
}

class Splitter {
 public:
  Splitter(Tokens& tokens, const Hint& hint) : tokens_(tokens), hint_(hint) {}

  Tokens run() {
    out_.reserve(tokens_.size() + 8);
    for (k_ = 0; k_ < tokens_.size(); ++k_) {
      if (tokens_[k_].type == Token::word) split(tokens_[k_]);
      else out_.push_back(tokens_[k_]);
    }
    return std::move(out_);
  }

 private:
  void split(const Token& token) {
    const std::string_view run = token.text;
    const Token& next = tokens_[k_ + 1];
    if (run == "U" && !out_.empty() && closes_set(out_.back()) && opens_set(next)) return put(token, Token::sign, "cup");
    if (run == "in" && opens_set(next)) return put(token, Token::sign, "in");
    if (run == "mod") return put(token, Token::sign, "mod");
    if (run.size() == 1 && is_letter(run[0])) return letters(token, run, 0);
    if (run == "and" || run == "or") return put(token, Token::word, run);
    if (const auto command = command_of_word(run); !command.empty()) return named(token, command, 0);
    const bool functions = !token.roman && reads_as_functions(run);
    if (!functions && reads_as_word(run, token.roman || hint_.text)) return put(token, Token::word, run);
    for (size_t i = 0; i < run.size();) {
      const size_t length = name_length(run.substr(i));
      if (length > 0) named(token, command_of_word(run.substr(i, length)), i);
      else letters(token, run.substr(i, 1), i);
      i += length > 0 ? length : 1;
    }
  }

  void put(const Token& from, Token::Type type, std::string_view text, size_t offset = 0) {
    out_.push_back(derived(from, type, text, offset));
  }

  // log2(8) has a base.
  void named(const Token& token, std::string_view command, size_t offset) {
    put(token, Token::command, command, offset);
    const Token& next = tokens_[k_ + 1];
    const bool last = next.type == Token::number && next.gap == Gap::none && tokens_[k_ + 2].is_sign("(");
    if (command == "log" && last) put(token, Token::sign, "_", token.text.size());
  }

  // The 2 of x2 is an index.
  void letters(const Token& token, std::string_view letter, size_t offset) {
    const bool argument = !out_.empty() && (out_.back().is_command("frac") || out_.back().is_command("binom"));  // \frac x2
    put(token, Token::letter, letter, offset);
    const Token& next = tokens_[k_ + 1];
    const bool last = offset + 1 == token.text.size(), constant = letter == "e" || letter == "i";
    if (last && !argument && !constant && !token.roman && next.type == Token::number && next.gap == Gap::none)
      put(token, Token::sign, "_", offset + 1);
  }

  Tokens& tokens_;
  const Hint& hint_;
  size_t k_ = 0;
  Tokens out_;
};

}  // namespace

void split_words(Tokens& tokens, const Hint& hint) { tokens = Splitter(tokens, hint).run(); }

}  // namespace reward::math
