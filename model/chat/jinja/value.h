// What a template computes with: Python's values, as far as chat templates use them.
//
// Values are immutable, but for namespaces and for iterators, which are used up. Text is UTF-8; lengths, indices and slices
// count code points, as Python does. Integers have 64 bits: an overflow is a Problem, not a longer number.
//
// A template is somebody else's program: values nest at most `deepest` levels and weigh at most `heaviest`, so that walking
// through one ends.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace model::jinja {

// What is wrong in a template or with its input, without the place: the interpreter puts it before.
class Problem : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// iterator: what Python's generators and views are here, a run of values of which some were taken already.
// space: a namespace; loop: the loop variable; method: a method that is not called yet; function: a global one.
enum class Kind { undefined, none, boolean, integer, real, text, list, tuple, range, dict, view, iterator, space, loop, macro, method, function };

__extension__ typedef __int128 Wide;  // of a result before it is known to fit

constexpr int deepest = 200;
constexpr int64_t heaviest = int64_t{64} << 20;

// Throws Problem for text or a list that would be larger than `heaviest`.
void check_weight(int64_t weight);

struct Data {
  virtual ~Data() = default;
};

class Value;
using Values = std::vector<Value>;
using Pairs = std::vector<std::pair<Value, Value>>;

class Value {
 public:
  Value() = default;  // undefined
  static Value undefined(std::string why);
  static Value none() { return Value(Kind::none); }
  static Value boolean(bool b);
  static Value integer(int64_t i);
  static Value real(double d);
  static Value text(std::string s, bool safe = false);  // safe: passed through |safe or |escape (markupsafe.Markup)
  // kind: list, tuple, range, view or iterator.
  static Value sequence(Kind kind, Values values);
  static Value dict(Pairs pairs);
  static Value of(Kind kind, std::shared_ptr<Data> data);

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  bool is_number() const { return kind_ == Kind::boolean || kind_ == Kind::integer || kind_ == Kind::real; }
  bool is_whole() const { return kind_ == Kind::boolean || kind_ == Kind::integer; }
  bool is_sequence() const { return kind_ == Kind::list || kind_ == Kind::tuple || kind_ == Kind::range; }  // has indices

  bool truth() const { return boolean_; }         // boolean
  int64_t whole() const { return is(Kind::boolean) ? boolean_ : integer_; }
  double number() const { return is(Kind::real) ? real_ : static_cast<double>(whole()); }
  const std::string& text() const;                // text; of undefined: why
  bool safe() const;                              // text only
  const Values& values() const;                   // of a sequence or a view
  const Pairs& pairs() const;                     // of a dict
  int depth() const;                              // of nesting; 0: holds no values
  int64_t weight() const;                         // bytes of all text in it, and one for each value
  const std::shared_ptr<Data>& data() const { return data_; }
  template <typename T>
  T& as() const {
    return static_cast<T&>(*data_);
  }

 private:
  explicit Value(Kind kind) : kind_(kind) {}

  Kind kind_ = Kind::undefined;
  union {
    bool boolean_;
    int64_t integer_ = 0;
    double real_;
  };
  std::shared_ptr<Data> data_;
};

struct TextData : Data {
  std::string text;
  bool safe = false;
};
struct Nested : Data {
  int depth = 1;
  int64_t weight = 1;
  void holds(const Value& inner);  // counts it; throws Problem for what is too deep or too heavy
};
struct SequenceData : Nested {
  Values values;
};
struct DictData : Nested {
  Pairs pairs;  // in order of insertion
};
struct IteratorData : SequenceData {
  size_t next = 0;
  std::string problem;  // not empty: what going past the values meets
};
struct SpaceData : Data {
  std::vector<std::pair<std::string, Value>> attributes;
};
struct LoopData : Data {
  Values items;
  size_t index = 0;
};
struct MethodData : Data {
  Value self;
  std::string name;
};

// Of a dict; nullptr: the key is not there. Throws Problem for a key that Python cannot hash.
const Value* find_key(const Value& dict, const Value& key);
const Value* find_key(const Value& dict, std::string_view key);
// Replaces or appends.
void put(Pairs& pairs, const Value& key, const Value& value);

// The values that a for loop would see: of a sequence, a view, an iterator (which is used up), a dict (its keys), text (its
// characters), undefined (none). Throws Problem for what cannot be iterated.
Values iterate(const Value& value);

// Python's name of the type: "str", "list", ...
const char* type_name(const Value& value);

}  // namespace model::jinja
