#include "reward/math/names.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <unordered_map>
#include <unordered_set>

namespace reward::math {
namespace {

using Words = std::unordered_set<std::string_view>;
using Map = std::unordered_map<std::string_view, std::string_view>;

const Map& sign_commands() {
  static const Map map = {
      {"le", "<="}, {"leq", "<="}, {"leqslant", "<="}, {"leqq", "<="}, {"ge", ">="}, {"geq", ">="}, {"geqslant", ">="},
      {"geqq", ">="}, {"lt", "<"}, {"gt", ">"}, {"ne", "!="}, {"neq", "!="}, {"in", "in"}, {"notin", "notin"},
      {"approx", "approx"}, {"simeq", "approx"}, {"thickapprox", "approx"}, {"pm", "pm"}, {"mp", "mp"}, {"cup", "cup"},
      {"cap", "cap"}, {"setminus", "setminus"}, {"backslash", "setminus"}, {"smallsetminus", "setminus"}, {"times", "*"},
      {"cdot", "*"}, {"ast", "*"}, {"bullet", "*"}, {"div", "/"}, {"degree", "deg"}, {"textdegree", "deg"}, {"colon", ":"},
      {"vert", "|"}, {"lvert", "lvert"}, {"rvert", "rvert"}, {"Vert", "||"}, {"lVert", "||"}, {"rVert", "||"},
      {"lbrace", "\\{"}, {"rbrace", "\\}"}, {"lbrack", "["}, {"rbrack", "]"}, {"langle", "langle"}, {"rangle", "rangle"},
      {"lfloor", "lfloor"}, {"rfloor", "rfloor"}, {"lceil", "lceil"}, {"rceil", "rceil"}, {"prime", "'"},
      {"textdollar", "dollar"}, {"euro", "euro"}, {"pounds", "pound"}, {"over", "over"}, {"choose", "choose"},
      {"percent", "%"}, {"bmod", "mod"}, {"mod", "mod"}};
  return map;
}

const Map& other_commands() {
  static const Map map = {
      {"dfrac", "frac"}, {"tfrac", "frac"}, {"cfrac", "frac"}, {"dbinom", "binom"}, {"tbinom", "binom"},
      {"varnothing", "emptyset"}, {"varepsilon", "epsilon"}, {"varphi", "phi"}, {"vartheta", "theta"}, {"varrho", "rho"},
      {"varsigma", "sigma"}, {"varpi", "pi"}, {"varkappa", "kappa"}, {"infin", "infty"}, {"ldots", "dots"}, {"cdots", "dots"},
      {"dotsc", "dots"}, {"dotsb", "dots"}, {"implies", "Rightarrow"}, {"rightarrow", "to"}, {"longrightarrow", "to"},
      {"widehat", "hat"}, {"widetilde", "tilde"}, {"wedge", "land"}, {"vee", "lor"}, {"iff", "Leftrightarrow"}};
  return map;
}

const Map& functions() {
  static const Map map = {
      {"sin", "sin"}, {"cos", "cos"}, {"tan", "tan"}, {"tg", "tan"}, {"cot", "cot"}, {"ctg", "cot"}, {"cotg", "cot"},
      {"sec", "sec"}, {"csc", "csc"}, {"cosec", "csc"}, {"arcsin", "arcsin"}, {"asin", "arcsin"}, {"arccos", "arccos"},
      {"acos", "arccos"}, {"arctan", "arctan"}, {"atan", "arctan"}, {"arctg", "arctan"}, {"arccot", "arccot"},
      {"acot", "arccot"}, {"arcctg", "arccot"}, {"arcsec", "arcsec"}, {"asec", "arcsec"}, {"arccsc", "arccsc"},
      {"acsc", "arccsc"}, {"sinh", "sinh"}, {"cosh", "cosh"}, {"tanh", "tanh"}, {"coth", "coth"}, {"arcsinh", "arcsinh"},
      {"arsinh", "arcsinh"}, {"asinh", "arcsinh"}, {"arccosh", "arccosh"}, {"arcosh", "arccosh"}, {"acosh", "arccosh"},
      {"arctanh", "arctanh"}, {"artanh", "arctanh"}, {"atanh", "arctanh"}, {"exp", "exp"}, {"ln", "ln"}, {"log", "log"},
      {"lg", "log"}, {"abs", "abs"}, {"floor", "floor"}, {"ceil", "ceil"}, {"ceiling", "ceil"}, {"gcd", "gcd"}, {"lcm", "lcm"},
      {"max", "max"}, {"min", "min"}, {"Re", "re"}, {"Im", "im"}, {"arg", "arg"}, {"Arg", "arg"}, {"det", "det"},
      {"sgn", "sgn"}, {"sign", "sgn"}, {"conj", "conj"}, {"norm", "norm"}, {"binom", "binomial"}, {"binomial", "binomial"}};
  return map;
}

const Words& symbols() {
  static const Words set = {
      "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi", "rho",
      "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma",
      "Upsilon", "Phi", "Psi", "Omega", "ell", "hbar", "aleph", "partial", "nabla", "odot", "imath", "jmath", "wp", "mho"};
  return set;
}

// Words of two and three letters; longer ones are told by their vowels.
const Words& short_words() {
  static const Words set = {"no",  "yes", "odd", "one", "two", "six", "ten", "all", "any", "red", "may", "sun", "mon", "tue",
                            "wed", "thu", "fri", "sat", "the", "and", "not", "for", "day", "few", "men", "boy", "cat", "dog",
                            "dne", "non", "row", "set", "add", "are", "has", "its", "her", "his", "she", "can", "but", "was",
                            "bob", "tom", "tim", "joe", "sam", "amy", "ann", "dan", "jim", "kim", "ben", "ron", "fax", "var",
                            "new", "old", "big", "top", "out", "off", "way", "far", "net", "sum", "cup", "law", "low", "up"};
  return set;
}

bool is_vowel(char c) { return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u' || c == 'y'; }

// abc, pqr, xyz: neighbours in the alphabet are variables.
bool alphabetical(std::string_view run) {
  for (size_t i = 1; i < run.size(); ++i)
    if (run[i] != run[i - 1] + 1) return false;
  return true;
}

}  // namespace

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

std::string_view sign_of_command(std::string_view command) {
  const auto found = sign_commands().find(command);
  return found == sign_commands().end() ? std::string_view() : found->second;
}

std::string_view normal_command(std::string_view command) {
  const auto found = other_commands().find(command);
  return found == other_commands().end() ? command : found->second;
}

bool is_layout(std::string_view command) {
  static const Words set = {"displaystyle", "textstyle", "scriptstyle", "limits", "nolimits", "left", "right", "middle", "big",
                            "Big", "bigg", "Bigg", "bigl", "bigr", "Bigl", "Bigr", "biggl", "biggr", "Biggl", "Biggr", "bigm",
                            "thinspace", "nonumber", "notag", "rm", "bf", "it", "therefore", "because", "hfill", "large",
                            "Large", "small", "normalsize", "nobreak", "enspace", "protect", "mathstrut", "strut", "hline"};
  return set.count(command) > 0;
}

bool is_layout_with_group(std::string_view command) {
  static const Words set = {"hspace", "vspace", "phantom", "hphantom", "vphantom", "color", "label", "tag", "textcolor", "kern"};
  return set.count(command) > 0;
}

bool is_text_command(std::string_view command) {
  static const Words set = {"text", "mbox", "hbox", "textbf", "textit", "textrm", "textsf", "texttt", "textnormal", "emph",
                            "mathrm", "operatorname", "textup", "textsc", "mathop"};
  return set.count(command) > 0;
}

bool is_style(std::string_view command) {
  static const Words set = {"mathbf", "mathit", "mathcal", "mathsf", "mathtt", "mathfrak", "mathscr", "boldsymbol", "bm", "pmb",
                            "boxed", "fbox", "underline", "vec", "overrightarrow", "ensuremath", "displaylines", "mathnormal"};
  return set.count(command) > 0;
}

bool is_symbol_command(std::string_view command) { return symbols().count(command) > 0; }

std::string_view function_name(std::string_view name) {
  const auto found = functions().find(name);
  return found == functions().end() ? std::string_view() : found->second;
}

std::string_view inverse_function(std::string_view function) {
  static const Map map = {{"sin", "arcsin"},   {"cos", "arccos"},   {"tan", "arctan"},   {"cot", "arccot"},  {"sec", "arcsec"},
                          {"csc", "arccsc"},   {"sinh", "arcsinh"}, {"cosh", "arccosh"}, {"tanh", "arctanh"}};
  const auto found = map.find(function);
  return found == map.end() ? std::string_view() : found->second;
}

std::string_view command_of_word(std::string_view word) {
  static const Map map = {{"pi", "pi"}, {"Pi", "pi"}, {"PI", "pi"}, {"sqrt", "sqrt"}, {"cbrt", "cbrt"}, {"inf", "infty"},
                          {"oo", "infty"}, {"infty", "infty"}, {"infinity", "infty"}, {"Infinity", "infty"}};
  if (const auto found = map.find(word); found != map.end()) return found->second;
  if (const auto found = functions().find(word); found != functions().end()) return found->first;
  if (word.size() > 2 && lower(word[0]) == word[0]) {
    if (const auto found = symbols().find(word); found != symbols().end()) return *found;
  }
  return {};
}

bool reads_as_word(std::string_view run, bool text) {
  if (run.size() < 2) return false;
  if (text) return true;
  for (const char c : run)
    if (!is_letter(c)) return true;  // ü
  const bool capital = run[0] != lower(run[0]);
  for (const char c : run.substr(1))
    if (c != lower(c)) return false;  // AB, xY
  const std::string word = lower(run);
  if (word.size() <= 3) return short_words().count(word) > 0;
  const auto vowels = std::count_if(word.begin(), word.end(), is_vowel);
  const bool varied = vowels > 0 && vowels < static_cast<int64_t>(word.size());
  return (varied || capital) && !alphabetical(word);
}

int number_of_word(std::string_view word) {
  static constexpr std::array<std::string_view, 21> names = {
      "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
      "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"};
  const auto found = std::find(names.begin(), names.end(), lower(word));
  return found == names.end() ? -1 : static_cast<int>(found - names.begin());
}

}  // namespace reward::math
