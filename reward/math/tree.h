// The tree that the parser makes of an answer and that the comparison reads.
//
// Nodes lie in one vector, children before parents, and name each other by index: no pointers, so a tree is copied and
// bounded easily. Nothing is evaluated or simplified here: 2/4 stays a quotient, 0.50 keeps its digits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace reward::math {

enum class Kind : uint8_t {
  // leaves
  integer,      // text: decimal digits without sign and separators ("1234")
  decimal,      // text: digits '.' digits as written ("0.50"); number: power of ten of scientific notation (1.5e3: 3)
  based,        // text: digits 0-9A-Z; number: the base, 2 to 36 (204_5)
  symbol,       // text: name, subscript and primes in it: "x", "x_1", "alpha", "f'"; case kept
  pi, euler, imaginary, infinity,
  empty_set,
  number_set,   // text: N, Z, Q, R or C
  text,         // text: words, case-folded, single spaces, articles and final punctuation taken away ("yes")
  choice,       // text: one capital letter, read from "(B)", "\text{B}" or B alone: the comparison also takes it as a symbol
  // arithmetic
  sum,          // 2 or more children
  product,      // 2 or more children
  quotient,     // numerator, denominator
  power,        // base, exponent
  negation,     // 1 child
  root,         // radicand, index (\sqrt x has the index 2 as a child)
  factorial,    // 1 child
  plus_minus,   // 1 child (\pm a) or 2 (a \pm b); number: 1, or -1 for \mp
  percent,      // 1 child: 28\%
  degrees,      // 1 child: 45^\circ
  function,     // text: sin cos tan cot sec csc arcsin arccos arctan arccot arcsec arccsc sinh cosh tanh coth arcsinh arccosh
                // arctanh exp ln log (1 child: base 10; 2: argument, base) abs floor ceil binomial gcd lcm max min mod
                // (a, b) re im conj arg det sgn norm; children: the arguments. \sin^2 x is power(sin(x), 2), \sin^{-1} x is
                // arcsin
  call,         // text: the unknown function's name; children: its arguments: f(x). Only for f, g, h, F, G, H and primes of them
  finite_sum,   // index symbol, lower, upper, body
  finite_product,
  // collections
  tuple,        // (a, b, ...): two children may also be meant as an open interval
  list,         // a, b and c without brackets; also "a or b"; 2 or more children
  set,          // \{a, b\}
  interval,     // lower, upper; number: 1 closed on the left + 2 closed on the right. (a, b) is a tuple, (a, \infty) an interval
  set_union, set_intersection, set_difference,  // 2 or more children
  matrix,       // children row by row; number: columns
  ratio,        // a : b : c
  // statements
  relation,     // 2 or more children; text: the signs between them, separated by spaces, of: = != < <= > >= in notin approx
  conjunction,  // "and" of relations
  disjunction,  // "or" of relations
  // with a unit
  quantity,     // 1 child; text: the unit's normal name: "cm", "cm^2", "m/s", "dollar", "hour"
};

using Index = int32_t;

struct Node {
  Kind kind = Kind::integer;
  std::string text;
  int64_t number = 0;
  std::vector<Index> children;
};

struct Tree {
  std::vector<Node> nodes;
  Index root = -1;
  const Node& operator[](Index i) const { return nodes[static_cast<size_t>(i)]; }
};

// Readable form for results, logs and tests: prefix notation, "(sum 1 (product 2 x))", one spelling per tree.
std::string to_string(const Tree& tree);

// All limits are counts, so a verdict never depends on the machine's speed.
struct Limits {
  int64_t answer_bytes = 16384;   // of the extracted answer
  int64_t tokens = 4096;
  int64_t depth = 64;
  int64_t nodes = 10000;
  int64_t result_bits = 100000;   // log2 of any number made; beyond it a power or factorial is not evaluated
  int64_t work = 2000000;         // steps of the comparison, see compare.h
};

// Conventions that conflict between verifiers; each profile is a set of these. Made by name in profile.h.
struct Conventions {
  bool percent_is_hundredth = true;      // 28% equals 0.28
  bool percent_sign_optional = false;    // 28% equals 28
  bool units_optional = true;            // 5 cm equals 5; different units never match
  bool degrees_optional = true;          // 45^\circ equals 45
  bool round_to_gold = false;            // a decimal gold accepts what rounds to its digits
  int64_t decimal_digits = 6;            // literals with at least so many significant digits match what agrees; 0: exact only
  double relative_tolerance = 0;         // of non-integers only
  bool unordered_tuples = false;         // (a, b) equals (b, a)
  bool interval_is_tuple = true;         // (a, b) is either, the other side decides
  bool ignore_interval_ends = false;     // [a, b) equals (a, b)
  bool relation_is_value = true;         // x = 5 equals 5, f(x) = e equals e
  bool relation_is_interval = true;      // 1 < x < 2 equals (1, 2)
  bool solve_relations = true;           // 2x = 4 equals x = 2
  bool reduce_fractions = true;          // 2/4 equals 1/2
  bool strings_only = false;             // equal normal strings, nothing else (hendrycks)
};

}  // namespace reward::math
