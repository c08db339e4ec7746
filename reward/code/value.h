// Plain Python values, as they cross the wall between a program and its judge, and Python's own equality over them.
//
// The text (ASCII, written by values.py):
//   N | T | F                     None, True, False
//   i[-]HEX;   fBITS;   cBITSBITS;    int of any size; float and complex as the 16 hex digits of each IEEE 754 double
//   sHEX;   bHEX;                 str as UTF-8 (lone surrogates too), bytes
//   (...)   [...]   {...}   <...>     tuple, list, set, frozenset
//   dKVKV...;                     dict and the dicts of collections
//   oHEX;                         an object that is only known to be true, with its type (re.Match)
//   uHEX;   eHEX;                 a value that cannot be written, with its type; an exception, with its type and
//                                 those it derives from, the own one first
// Only exact built-in types are written: an instance of a subclass, which could lie in a comparison, is u.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reward::code {

struct Value {
  enum class Kind { none, boolean, integer, real, complex, text, bytes, tuple, list, set, frozenset, dict, object, unreadable,
                    raised };
  Kind kind = Kind::none;
  bool truth = false;         // boolean
  double re = 0, im = 0;      // real, complex
  std::string text;           // integer: [-]hex without leading zeros; text: UTF-8; bytes; object, unreadable: its type; raised: types
  std::vector<Value> items;   // containers, in order; dict: key, value, key, value...

  bool is_number() const;     // boolean, integer or real
  bool is_sequence() const { return kind == Kind::tuple || kind == Kind::list; }
  bool is_container() const { return kind >= Kind::tuple && kind <= Kind::dict; }
};
Value boolean(bool truth);
Value integer(int64_t value);
Value real(double value);

// All of `text` as one value; nothing if it is not one, or is nested more than 64 deep.
std::optional<Value> read_value(std::string_view text);

// a == b in Python: numbers by value across bool, int, float and complex; tuple and list apart; set equal to frozenset; dicts
// in any order; NaN equal to nothing, at any depth. Objects, unreadable values and exceptions equal nothing.
// Work: n log n in the size of the values.
bool equal(const Value& a, const Value& b);

// a < b in Python. Nothing where Python raises, and where this code cannot tell (an int beyond 2^53 with a float, sets, NaN).
std::optional<bool> less(const Value& a, const Value& b);

// bool(value); false for unreadable values and exceptions.
bool truthy(const Value& value);

// The number as a double, if it is one exactly: bool, float, int up to 2^52.
std::optional<double> as_double(const Value& value);

}  // namespace reward::code
