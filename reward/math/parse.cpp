#include "reward/math/parse.h"

#include <fmt/core.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "reward/math/lexer.h"
#include "reward/math/names.h"
#include "reward/math/normalise.h"
#include "reward/math/parser.h"

namespace reward::math {
namespace {

Tree leaf(Kind kind, std::string text = {}) {
  Tree tree;
  tree.nodes.push_back({kind, std::move(text), 0, {}});
  tree.root = 0;
  return tree;
}

Hint hint_of(const Tree* gold) {
  Hint hint;
  if (!gold || gold->root < 0) return hint;
  hint.given = true;
  const Node& root = (*gold)[gold->root];
  hint.text = root.kind == Kind::text;
  hint.choice = root.kind == Kind::choice;
  const bool listed = root.kind == Kind::list || root.kind == Kind::set;
  if (listed || root.kind == Kind::tuple || root.kind == Kind::interval) hint.elements = root.children.size();
  if (root.kind == Kind::quantity) hint.unit = root.text;
  for (const Node& node : gold->nodes) {
    if (node.kind == Kind::euler) hint.euler = true;
    if (node.kind == Kind::symbol && hint.symbols.size() < 64) hint.symbols.push_back(node.text);
  }
  return hint;
}

bool is_capital(const Token& token) {
  return token.type == Token::word && token.text.size() == 1 && token.text[0] >= 'A' && token.text[0] <= 'Z';
}

bool is_small(const Token& token) {
  return token.type == Token::word && token.text.size() == 1 && token.text[0] >= 'a' && token.text[0] <= 'z';
}

struct Choice {
  char letter = '\0';  // 0: none
  size_t rest = 0;     // tokens from here on are the option's content; 0: nothing follows
};

// Does another option follow, or a word that takes the first one back: "(A) 5 (B) 6", "A) or B)"?
bool hedges(const Tokens& tokens, size_t rest, char letter) {
  static const std::unordered_set<std::string_view> words = {"or", "and", "nor", "but", "not", "maybe"};
  if (tokens[rest].type == Token::word && words.count(lower(tokens[rest].text)) > 0) return true;
  for (size_t k = rest; k + 2 < tokens.size(); ++k) {
    const Token& next = tokens[k + 1];
    const bool option = next.is_sign(")") || ((next.is_sign(".") || next.is_sign(":")) && tokens[k + 2].type != Token::end);
    if (is_capital(tokens[k]) && tokens[k].text[0] <= 'J' && tokens[k].text[0] != letter && option) return true;
  }
  return false;
}

// (B), B, B., "option B", "(B) 12".
Choice choice_at_front(const Tokens& tokens, const Hint& hint) {
  size_t k = 0;
  const auto skip_braces = [&] {
    while (tokens[k].is_sign("{") || tokens[k].is_sign("}")) ++k;
  };
  skip_braces();
  if (tokens[k].type == Token::word) {
    const auto word = lower(tokens[k].text);
    if (word == "option" || word == "choice" || word == "answer") ++k;
    skip_braces();
  }
  const bool open = tokens[k].is_sign("(");
  if (open) ++k;
  skip_braces();
  const bool small = hint.choice && open && is_small(tokens[k]);
  if (!small && !is_capital(tokens[k])) return {};
  const char letter = small ? static_cast<char>(tokens[k].text[0] - 'a' + 'A') : tokens[k].text[0];
  ++k;
  skip_braces();
  const bool bracket = tokens[k].is_sign(")");
  if (open && !bracket) return {};
  const bool closed = bracket || tokens[k].is_sign(".") || tokens[k].is_sign(":");
  if (closed) ++k;
  skip_braces();
  if (tokens[k].type == Token::end) return {letter, 0};
  const Token& next = tokens[k];
  const bool content = next.type == Token::number || next.type == Token::word || next.type == Token::command ||
                       next.is_sign("\\{") || next.is_sign("dollar");
  if (!closed || !content || next.gap == Gap::none || letter > 'J' || hedges(tokens, k, letter)) return {};
  return {letter, k};
}

bool wordish(const Token& token) {
  return token.type == Token::word || token.type == Token::number || token.type == Token::command;
}

// Words only, but for points, commas and hyphens?
bool is_prose(const Tokens& tokens) {
  return std::all_of(tokens.begin(), tokens.end(), [](const Token& token) {
    if (token.type == Token::sign) return token.text == "." || token.text == "," || token.text == "-" || token.text == "'";
    return token.type == Token::word || token.type == Token::number || token.type == Token::end;
  });
}

std::string spelling_of(const Token& token, bool prose) {
  if (token.type == Token::word) return prose || token.roman || reads_as_word(token.text, false) ? lower(token.text) : token.text;
  if (token.is_command("mathbb")) return std::string("\\") + static_cast<char>(token.value);
  if (token.type == Token::command) return "\\" + token.text;
  if (token.type == Token::begin) return "\\begin{" + token.text + "}";
  if (token.type == Token::finish) return "\\end{" + token.text + "}";
  if (token.scientific) return fmt::format("{}e{}", token.text, token.value);
  return token.text;
}

// One spelling for texts that differ in layout alone.
std::string normal_text(const Tokens& tokens) {
  const bool prose = is_prose(tokens);
  size_t begin = 0, end = tokens.size() - 1;  // without the end token
  if (prose && tokens[0].type == Token::word) {
    const auto first = lower(tokens[0].text);
    if (end > 1 && tokens[1].type == Token::word && (first == "a" || first == "an" || first == "the")) begin = 1;
  }
  while (end > begin && (tokens[end - 1].is_sign(".") || tokens[end - 1].is_sign(",") || tokens[end - 1].is_sign("quad"))) --end;
  std::string out;
  for (size_t k = begin; k < end; ++k) {
    const bool apart = k > begin && wordish(tokens[k - 1]) && wordish(tokens[k]) && (tokens[k].gap != Gap::none || !prose);
    if (apart) out += ' ';
    out += spelling_of(tokens[k], prose);
  }
  return out;
}

bool says_something(const std::string& text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
  });
}

// Words that name a value.
std::variant<Tree, ParseError> read_text(const Tokens& tokens, const Hint& hint, const std::string& why) {
  const auto text = normal_text(tokens);
  if (!says_something(text)) return ParseError{"syntax", why};
  static const std::unordered_map<std::string_view, std::pair<Kind, const char*>> names = {
      {"all real numbers", {Kind::number_set, "R"}}, {"all reals", {Kind::number_set, "R"}},
      {"real numbers", {Kind::number_set, "R"}},     {"all integers", {Kind::number_set, "Z"}},
      {"empty set", {Kind::empty_set, ""}},          {"dne", {Kind::text, "does not exist"}},
      {"doesn't exist", {Kind::text, "does not exist"}}};
  if (const auto found = names.find(text); found != names.end()) return leaf(found->second.first, found->second.second);
  const int number = hint.text ? -1 : number_of_word(text);
  return number >= 0 ? leaf(Kind::integer, std::to_string(number)) : leaf(Kind::text, text);
}

std::variant<Tree, ParseError> read(std::string_view text, const Limits& limits, const Hint& hint) {
  Tokens tokens = lex(text, limits, hint);
  if (tokens.size() == 1) return ParseError{"empty", "nothing but layout"};
  const Choice choice = choice_at_front(tokens, hint);
  if (choice.letter && (choice.rest == 0 || hint.choice || !hint.given)) return leaf(Kind::choice, std::string(1, choice.letter));
  if (choice.letter) tokens.erase(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(choice.rest));
  const Tokens raw = tokens;
  join_numerals(tokens, hint);
  join_units(tokens, hint);
  split_words(tokens, hint);
  try {
    return Parser(std::move(tokens), limits).parse();
  } catch (const Failure& failure) {
    if (failure.reason != "syntax") throw;
    return read_text(raw, hint, failure.detail);
  }
}

}  // namespace

std::variant<Tree, ParseError> parse(std::string_view answer, const Limits& limits, const Tree* gold) {
  if (static_cast<int64_t>(answer.size()) > limits.answer_bytes)
    return ParseError{"too_long", fmt::format("{} bytes, at most {} are read", answer.size(), limits.answer_bytes)};
  const auto latex = to_latex(answer);
  if (!latex) return ParseError{"not_utf8", "not UTF-8, or control characters"};
  const auto text = trim_markup(*latex);
  if (text.empty()) return ParseError{"empty", "nothing but layout"};
  try {
    return read(text, limits, hint_of(gold));
  } catch (const Failure& failure) {
    return ParseError{failure.reason, failure.detail};
  }
}

}  // namespace reward::math
