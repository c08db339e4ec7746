// Compares what a program printed with what it should have printed.
#pragma once

#include <string>
#include <string_view>

namespace reward::code {

struct Checker {
  enum class Kind {
    tokens,           // the same words, separated by any white space
    lines,            // the same lines, but for white space at the end of each and empty lines at the end
    exact,            // the same bytes
    floats,           // tokens; two numbers may differ by tolerance * max(1, |expected|), whole numbers may not
    unordered_lines,  // the same lines of tokens, as often, in any order
    yes_no,           // tokens; yes and no in any case
  };
  Kind kind = Kind::tokens;
  double tolerance = 0;
};

// "tokens", "lines", "exact", "float:1e-6", "unordered_lines", "yes_no". Throws Error for anything else.
Checker parse_checker(const std::string& name);

// All of the expected output must be there, and nothing else. Never throws; time n log n in the texts' sizes.
bool accepts(const Checker& checker, std::string_view printed, std::string_view expected);

}  // namespace reward::code
