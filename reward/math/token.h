// The tokens between the lexer and the parser.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace reward::math {

enum class Gap : uint8_t { none, thin, space };  // what stood before a token: nothing, \, and its like, a blank

struct Token {
  enum Type : uint8_t {
    number,    // text: digits, or digits with a point; value: power of ten, if `scientific`
    based,     // text: digits 0-9A-Z, perhaps with a point; value: the base
    word,      // text: a run of letters, as written
    letter,    // text: one letter of a run that is a product
    command,   // text: a LaTeX command without backslash, in its normal spelling: "frac", "pi", "sin"
    sign,      // text: everything else: "+", "(", "\\{", "<=", "in", "cup", "deg", "row", ","
    unit,      // text: a unit's normal name
    begin,     // text: an environment's name
    finish,    // text: an environment's name
    end        // after the last token
  };
  Type type = end;
  std::string text;
  size_t at = 0;             // byte in the normalised text
  Gap gap = Gap::none;
  bool roman = false;        // inside \text or \mathrm
  bool scientific = false;
  int64_t value = 0;

  bool is(Type t, const char* spelling) const { return type == t && text == spelling; }
  bool is_sign(const char* spelling) const { return is(sign, spelling); }
  bool is_command(const char* spelling) const { return is(command, spelling); }
};
using Tokens = std::vector<Token>;

// What the reading of an answer takes from the gold's tree.
struct Hint {
  bool given = false;                  // there is a gold
  bool text = false, choice = false;   // what the gold is
  bool euler = false;                  // it holds e, so 2e3 is no power of ten
  size_t elements = 0;                 // of a list, set, tuple or interval
  std::vector<std::string> symbols;    // its variables
  std::string unit;
};

// A text that cannot be read. Never leaves reward/math.
struct Failure {
  std::string reason;  // as in ParseError
  std::string detail;
};

}  // namespace reward::math
