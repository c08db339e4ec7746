// Units behind a value: "5 cm^2", "12\text{ square feet}", "30 miles per hour", "14\text{ right triangles}".
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "reward/math/lexer.h"
#include "reward/math/names.h"

namespace reward::math {
namespace {

using Map = std::unordered_map<std::string_view, std::string_view>;

// Other spellings of a unit; singular, lower case. No bare letters: in 2t the t is a variable.
const Map& unit_names() {
  static const Map map = {
      {"mm", "mm"}, {"millimeter", "mm"}, {"millimetre", "mm"}, {"cm", "cm"}, {"centimeter", "cm"}, {"centimetre", "cm"},
      {"dm", "dm"}, {"decimeter", "dm"}, {"meter", "m"}, {"metre", "m"}, {"km", "km"}, {"kilometer", "km"},
      {"kilometre", "km"}, {"nm", "nm"}, {"inch", "inch"}, {"inche", "inch"}, {"in", "inch"}, {"foot", "foot"}, {"feet", "foot"},
      {"ft", "foot"}, {"yard", "yard"}, {"yd", "yard"}, {"mile", "mile"}, {"mi", "mile"}, {"mg", "mg"}, {"milligram", "mg"},
      {"gram", "g"}, {"gm", "g"}, {"kg", "kg"}, {"kilogram", "kg"}, {"ton", "ton"}, {"tonne", "ton"}, {"pound", "pound"},
      {"lb", "pound"}, {"ounce", "ounce"}, {"oz", "ounce"}, {"ml", "ml"}, {"milliliter", "ml"}, {"millilitre", "ml"},
      {"liter", "l"}, {"litre", "l"}, {"gallon", "gallon"}, {"gal", "gallon"}, {"quart", "quart"}, {"pint", "pint"},
      {"cup", "cup"}, {"second", "second"}, {"sec", "second"}, {"minute", "minute"}, {"min", "minute"}, {"hour", "hour"},
      {"hr", "hour"}, {"day", "day"}, {"week", "week"}, {"month", "month"}, {"year", "year"}, {"yr", "year"},
      {"degree", "degree"}, {"deg", "degree"}, {"radian", "radian"}, {"rad", "radian"}, {"percent", "percent"},
      {"dollar", "dollar"}, {"usd", "dollar"}, {"cent", "cent"}, {"euro", "euro"}, {"yuan", "yuan"}, {"rupee", "rupee"},
      {"mph", "mile/hour"}, {"kph", "km/hour"}, {"kmh", "km/hour"}, {"rpm", "rpm"}, {"unit", "unit"}, {"people", "people"},
      {"person", "people"}, {"student", "student"}, {"way", "way"}, {"integer", "integer"}, {"point", "point"},
      {"hz", "hz"}, {"hertz", "hz"}, {"joule", "j"}, {"newton", "n"}, {"watt", "w"}, {"volt", "v"}, {"ampere", "a"},
      {"kelvin", "k"}, {"kj", "kj"}, {"kw", "kw"}, {"ev", "ev"}, {"mev", "mev"}, {"pa", "pa"}, {"pascal", "pa"},
      {"acre", "acre"}, {"hectare", "hectare"}, {"time", "time"}, {"page", "page"}, {"coin", "coin"}, {"mol", "mol"},
      {"mole", "mol"}, {"number", "number"}, {"solution", "solution"}, {"digit", "digit"}, {"edge", "edge"}, {"ball", "ball"},
      {"apple", "apple"}, {"orange", "orange"}, {"book", "book"}, {"game", "game"}, {"card", "card"}, {"child", "child"},
      {"children", "child"}, {"men", "man"}, {"man", "man"}, {"women", "woman"}, {"woman", "woman"}, {"boy", "boy"},
      {"girl", "girl"}, {"celsius", "celsius"}, {"fahrenheit", "fahrenheit"}, {"pair", "pair"},
      {"triangle", "triangle"}, {"square", "square"}};
  return map;
}

// Letters that are units when roman, or when the gold has none of them as a variable.
const Map& letter_units() {
  static const Map map = {{"m", "m"}, {"s", "second"}, {"g", "g"}, {"h", "hour"}, {"l", "l"}, {"L", "l"}, {"N", "n"},
                          {"J", "j"}, {"W", "w"}, {"V", "v"}, {"A", "a"}, {"K", "k"}, {"C", "celsius"}, {"F", "fahrenheit"}};
  return map;
}

// "sixths", "hundredth": parts of one. "month" and "cloth" are none.
bool is_part_word(std::string_view word) {
  static const std::unordered_set<std::string_view> set = {
      "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth", "thirteenth", "fourteenth",
      "fifteenth", "sixteenth", "twentieth", "hundredth", "thousandth", "millionth", "billionth"};
  if (!word.empty() && word.back() == 's') word.remove_suffix(1);
  return set.count(word) > 0;
}

// Words that change the value or part it from another: what has one of them is no unit.
bool is_number_word(std::string_view word) {
  static const std::unordered_set<std::string_view> set = {
      "pi", "factorial", "half", "halves", "third", "thirds", "quarter", "quarters", "and", "or", "to", "less", "more", "than",
      "plus", "minus", "times", "over", "not", "no", "mod", "modulo", "base", "about", "negative", "of", "is", "are", "if",
      "where", "for", "when", "with", "but", "then", "so", "as", "score", "approximately", "exactly", "either", "both",
      "infinity",
      "by", "from", "the", "a", "an", "any", "all", "below", "above", "before", "st", "nd", "rd", "th", "at", "least", "most",
      "up", "too", "nor", "neither", "none", "except", "unless", "without", "never", "maybe", "perhaps", "possibly", "probably",
      "unlikely", "impossible", "wrong", "incorrect", "false", "untrue", "error", "squared", "cubed", "doubled", "tripled",
      "halved", "twice", "thrice", "fold", "basis", "binary", "imaginary", "tens", "hundreds", "thousands", "millions",
      "billions", "dozens", "gross", "lakh", "lakhs", "crore", "crores"};
  return set.count(word) > 0 || number_of_word(word) >= 0 || is_part_word(word);
}

// Words that make a bound when nothing follows: "5 greater". "5 larger tiles" are five.
bool is_comparison(std::string_view word) {
  static const std::unordered_set<std::string_view> set = {"greater", "fewer", "larger", "smaller", "higher", "lower"};
  return set.count(word) > 0;
}

// Powers of ten by name, 0 if none; a dozen is apart.
int zeros_of(std::string_view word) {
  static const std::unordered_map<std::string_view, int> map = {
      {"hundred", 2}, {"thousand", 3}, {"million", 6}, {"billion", 9}, {"trillion", 12}};
  const auto found = map.find(word);
  return found == map.end() ? 0 : found->second;
}

std::string singular(std::string word) {
  if (word.size() > 3 && word.back() == 's' && word[word.size() - 2] != 's') word.pop_back();
  return word;
}

struct Phrase {
  std::string unit;
  size_t end = 0;
};

class UnitReader {
 public:
  UnitReader(const Tokens& tokens, const Hint& hint) : tokens_(tokens), hint_(hint) {}

  // The unit whose words begin at `k`; empty if there is none.
  Phrase read(size_t k) const {
    Phrase phrase;
    std::string separator;
    for (int words = 0; words < 8; ++words) {
      size_t j = k;
      std::string power = prefix_power(j);
      const auto name = unit_word(j);
      if (name.empty()) return separator == "/" ? Phrase{} : phrase;
      ++j;
      if (tokens_[j].is_sign(".") && tokens_[j].roman) ++j;
      if (const auto raised = exponent(j); !raised.empty()) power = raised;
      if (power.empty()) power = suffix_power(j);
      phrase.unit += separator + name + power;
      phrase.end = j;
      if (per(j)) separator = "/";
      else if (tokens_[j].is_sign("*") && tokens_[j + 1].roman) ++j, separator = "*";
      else if (tokens_[j].type == Token::word && tokens_[j].roman) separator = " ";
      else break;
      k = j;
    }
    return phrase;
  }

 private:
  // "square" and "cubic" before another word; `k` moves behind it.
  std::string prefix_power(size_t& k) const {
    if (tokens_[k].type != Token::word) return {};
    const auto word = lower(tokens_[k].text);
    if (word != "square" && word != "sq" && word != "cubic") return {};
    const size_t next = tokens_[k + 1].is_sign(".") ? k + 2 : k + 1;
    if (tokens_[next].type != Token::word) return {};
    k = next;
    return word == "cubic" ? "^3" : "^2";
  }

  // "squared" and "cubed" behind a unit; `k` moves behind it.
  std::string suffix_power(size_t& k) const {
    if (tokens_[k].type != Token::word) return {};
    const auto word = lower(tokens_[k].text);
    if (word != "squared" && word != "cubed") return {};
    ++k;
    return word == "cubed" ? "^3" : "^2";
  }

  std::string unit_word(size_t k) const {
    const Token& token = tokens_[k];
    if (token.type != Token::word) return {};
    const auto word = lower(token.text);
    if (word == "per" && tokens_[k + 1].type == Token::word && lower(tokens_[k + 1].text) == "cent") return {};
    if (token.text.size() == 1) return letter_unit(token);
    if (is_number_word(word) || zeros_of(word) || word == "dozen") return {};
    if (is_comparison(word) && tokens_[k + 1].type != Token::word) return {};
    const auto found = unit_names().find(word);
    if (found != unit_names().end()) return std::string(found->second);
    const auto one = singular(word);
    const auto plural = unit_names().find(one);
    if (plural != unit_names().end()) return std::string(plural->second);
    return token.roman && function_name(token.text).empty() ? one : std::string();
  }

  std::string letter_unit(const Token& token) const {
    const auto found = letter_units().find(token.text);
    if (found == letter_units().end()) return {};
    const std::string unit(found->second);
    const auto& used = hint_.symbols;
    const bool variable = std::find(used.begin(), used.end(), token.text) != used.end();
    const bool named = hint_.unit == unit;
    const bool bare = hint_.given && !variable && token.gap == Gap::space && token.text.find_first_of("msgh") == 0;
    return token.roman || named || bare ? unit : std::string();
  }

  // "^2" behind a unit; `k` moves behind it.
  std::string exponent(size_t& k) const {
    if (!tokens_[k].is_sign("^")) return {};
    size_t j = k + 1;
    const bool braced = tokens_[j].is_sign("{");
    if (braced) ++j;
    const bool minus = tokens_[j].is_sign("-");
    if (minus) ++j;
    const Token& digits = tokens_[j];
    if (digits.type != Token::number || digits.text.size() > 2) return {};
    if (braced && !tokens_[j + 1].is_sign("}")) return {};
    k = j + (braced ? 2 : 1);
    return (minus ? "^-" : "^") + digits.text;
  }

  bool per(size_t& k) const {
    const bool word = tokens_[k].type == Token::word && lower(tokens_[k].text) == "per";
    if (!word && !tokens_[k].is_sign("/")) return false;
    if (tokens_[k + 1].type != Token::word) return false;
    ++k;
    return true;
  }

  const Tokens& tokens_;
  const Hint& hint_;
};

// May a value end with this token?
bool ends_value(const Token& token) {
  switch (token.type) {
    case Token::number:
    case Token::based: return true;
    case Token::command:
      return token.text == "pi" || token.text == "circ" || token.text == "million" || is_symbol_command(token.text);
    case Token::word: return token.text.size() == 1 || token.text == "pi";
    case Token::sign:
      return token.text == ")" || token.text == "}" || token.text == "!" || token.text == "%" || token.text == "deg" ||
             token.text == "rvert" || token.text == "|" || token.text == "quad";
    default: return false;
  }
}

bool ends_answer(const Token& token) {
  if (token.type == Token::end) return true;
  if (token.type == Token::word) return token.text == "and" || token.text == "or";
  static const std::unordered_set<std::string_view> set = {",", ";", ")", "]", "\\}", "}", "=", "<", ">", "<=", ">=", "quad",
                                                           "approx", "&", "row"};
  return token.type == Token::sign && set.count(token.text) > 0;
}

}  // namespace

void join_units(Tokens& tokens, const Hint& hint) {
  Tokens out;
  out.reserve(tokens.size());
  const UnitReader reader(tokens, hint);
  for (size_t k = 0; k < tokens.size(); ++k) {
    const Token& token = tokens[k];
    if (token.type == Token::word && !out.empty() && ends_value(out.back())) {
      const auto word = lower(token.text);
      if (zeros_of(word) || word == "dozen") {  // 5 million: a factor
        out.push_back(token);
        out.back().type = Token::command;
        out.back().text = "million";
        out.back().value = zeros_of(word);
        continue;
      }
      const auto phrase = reader.read(k);
      const bool roman_letter = token.text.size() == 1 && (token.text == "e" || token.text == "i");
      if (!phrase.unit.empty() && !roman_letter && ends_answer(tokens[phrase.end])) {
        if (out.back().is_sign("quad")) out.pop_back();
        out.push_back(token);
        out.back().type = Token::unit;
        out.back().text = phrase.unit;
        k = phrase.end - 1;
        continue;
      }
    }
    out.push_back(token);
  }
  tokens = std::move(out);
}

}  // namespace reward::math
