// Filters that go through a run of values.
#include <algorithm>
#include <charconv>
#include <map>

#include "model/chat/jinja/filters.h"
#include "model/chat/jinja/library.h"
#include "model/chat/jinja/operators.h"
#include "model/chat/jinja/python_text.h"

namespace model::jinja {

Value value_at(const Value& item, const Value& attribute) {
  if (attribute.is_whole()) return subscript_of(item, attribute);
  Value at = item;
  for (const std::string& part : split(text_of("an attribute", attribute), ".", -1)) {
    int64_t index = 0;
    const auto read = std::from_chars(part.data(), part.data() + part.size(), index);
    const bool number = !part.empty() && read.ptr == part.data() + part.size() && part[0] != '-';
    at = subscript_of(at, number ? Value::integer(index) : Value::text(part));
  }
  return at;
}

Value without_case(const Value& value) { return value.is(Kind::text) ? Value::text(lower(value.text())) : value; }

namespace {

Value iterator(Values values) { return Value::sequence(Kind::iterator, std::move(values)); }

// What a Python generator would give: a problem shows only when somebody asks for the value that it hides.
template <typename Fill>
Value generated(Fill fill) {
  Values values;
  std::string problem;
  try {
    fill(values);
  } catch (const Problem& met) {
    problem = met.what();
  }
  Value run = iterator(std::move(values));
  run.as<IteratorData>().problem = std::move(problem);
  return run;
}

Value items(const Value& v, const Arguments& a, Budget&) {
  bind("items", a, {});
  if (v.is(Kind::undefined)) return iterator({});
  return generated([&](Values& pairs) {
    if (!v.is(Kind::dict)) throw Problem(fmt::format("items needs a dict but was given a {}", type_name(v)));
    for (const auto& [key, value] : v.pairs()) pairs.push_back(Value::sequence(Kind::tuple, {key, value}));
  });
}

Value list(const Value& v, const Arguments& a, Budget&) {
  bind("list", a, {});
  return Value::sequence(Kind::list, iterate(v));
}

Value first(const Value& v, const Arguments& a, Budget&) {
  bind("first", a, {});
  if (v.is(Kind::iterator)) {
    auto& run = v.as<IteratorData>();
    if (run.next < run.values.size()) return run.values[run.next++];
    if (!run.problem.empty()) throw Problem(run.problem);
  }
  const Values values = iterate(v);
  return values.empty() ? Value::undefined("the first item of an empty sequence") : values.front();
}

void check_reversible(const char* what, const Value& v) {
  if (v.is(Kind::iterator)) throw Problem(fmt::format("{} does not work on a {}; use |list before it", what, type_name(v)));
}

Value last(const Value& v, const Arguments& a, Budget&) {
  bind("last", a, {});
  check_reversible("last", v);
  const Values values = iterate(v);
  return values.empty() ? Value::undefined("the last item of an empty sequence") : values.back();
}

Value reverse(const Value& v, const Arguments& a, Budget&) {
  bind("reverse", a, {});
  Values values = iterate(v);
  std::reverse(values.begin(), values.end());
  if (!v.is(Kind::text))
    return v.is(Kind::iterator) ? Value::sequence(Kind::list, std::move(values)) : iterator(std::move(values));
  std::string text;
  for (const Value& c : values) text += c.text();
  return Value::text(std::move(text), v.safe());
}

Value join(const Value& v, const Arguments& a, Budget&) {
  const auto given = bind("join", a, {"d", "attribute"});
  const std::string between = given[0] ? to_text(*given[0]) : "";
  std::string out;
  bool any = false;
  for (const Value& item : iterate(v)) {
    if (any) out += between;
    out += to_text(given[1] && !given[1]->is(Kind::none) ? value_at(item, *given[1]) : item);
    check_weight(static_cast<int64_t>(out.size()));
    any = true;
  }
  return Value::text(std::move(out));
}

struct Sorted {
  Value key, value;
};

// `boxed`: the keys are compared as lists of one, so equal ones need no order.
void sort_by_key(std::vector<Sorted>& run, bool reversed, bool boxed = false) {
  std::stable_sort(run.begin(), run.end(), [&](const Sorted& a, const Sorted& b) {
    if (boxed && equal(a.key, b.key)) return false;
    return reversed ? less(b.key, a.key) : less(a.key, b.key);
  });
}

Value sort(const Value& v, const Arguments& a, Budget& budget) {
  const auto given = bind("sort", a, {"reverse", "case_sensitive", "attribute"});
  const bool exact = given[1] && truth(*given[1]);
  std::vector<Sorted> run;
  for (const Value& item : iterate(v)) {
    Value key = item;
    if (given[2] && !given[2]->is(Kind::none)) {
      if (given[2]->is(Kind::text) && given[2]->text().find(',') != std::string::npos)
        throw Problem("sort by several attributes is outside the supported part of Jinja");
      key = value_at(item, *given[2]);
    }
    run.push_back({exact ? key : without_case(key), item});
    budget.charge(item.weight());
  }
  sort_by_key(run, given[0] && truth(*given[0]), given[2] && !given[2]->is(Kind::none));
  Values values;
  for (auto& s : run) values.push_back(std::move(s.value));
  return Value::sequence(Kind::list, std::move(values));
}

Value dictsort(const Value& v, const Arguments& a, Budget& budget) {
  const auto given = bind("dictsort", a, {"case_sensitive", "by", "reverse"});
  const bool exact = given[0] && truth(*given[0]);
  const std::string by = given[1] ? text_of("dictsort", *given[1]) : "key";
  if (by != "key" && by != "value") throw Problem("dictsort: by is key or value");
  if (!v.is(Kind::dict))
    throw Problem(v.is(Kind::undefined) ? v.text() : fmt::format("dictsort needs a dict but was given a {}", type_name(v)));
  std::vector<Sorted> run;
  for (const auto& [key, value] : v.pairs()) {
    const Value& sorted = by == "key" ? key : value;
    run.push_back({exact ? sorted : without_case(sorted), Value::sequence(Kind::tuple, {key, value})});
    budget.charge(value.weight());
  }
  sort_by_key(run, given[2] && truth(*given[2]));
  Values values;
  for (auto& s : run) values.push_back(std::move(s.value));
  return Value::sequence(Kind::list, std::move(values));
}

Value unique(const Value& v, const Arguments& a, Budget& budget) {
  const auto given = bind("unique", a, {"case_sensitive", "attribute"});
  const bool exact = given[0] && truth(*given[0]);
  return generated([&](Values& values) {
    Pairs seen;
    for (const Value& item : iterate(v)) {
      Value key = given[1] && !given[1]->is(Kind::none) ? value_at(item, *given[1]) : item;
      if (!exact) key = without_case(key);
      const size_t before = seen.size();
      budget.charge(static_cast<int64_t>(before) * 16);
      put(seen, key, Value::none());
      if (seen.size() > before) values.push_back(item);
    }
  });
}

Value sum(const Value& v, const Arguments& a, Budget&) {
  const auto given = bind("sum", a, {"attribute", "start"});
  Value total = given[1] ? *given[1] : Value::integer(0);
  for (const Value& item : iterate(v))
    total = add(total, given[0] && !given[0]->is(Kind::none) ? value_at(item, *given[0]) : item);
  return total;
}

template <bool largest>
Value extreme(const Value& v, const Arguments& a, Budget&) {
  const auto given = bind(largest ? "max" : "min", a, {"case_sensitive", "attribute"});
  const bool exact = given[0] && truth(*given[0]);
  std::optional<Sorted> best;
  for (const Value& item : iterate(v)) {
    Value key = given[1] && !given[1]->is(Kind::none) ? value_at(item, *given[1]) : item;
    if (!exact) key = without_case(key);
    if (!best || (largest ? less(best->key, key) : less(key, best->key))) best = Sorted{key, item};
  }
  return best ? best->value : Value::undefined("the extreme of an empty sequence");
}

// The arguments from the n-th on, for the test or filter that the first ones name.
Arguments rest(const Arguments& a, size_t n) {
  Arguments inner = a;
  inner.positional.erase(inner.positional.begin(),
                         inner.positional.begin() + static_cast<std::ptrdiff_t>(std::min(n, inner.positional.size())));
  return inner;
}

Value map(const Value& v, const Arguments& a, Budget& budget) {
  if (!truth(v)) return iterator({});  // whatever it is
  return generated([&](Values& values) {
    if (a.positional.empty()) {
      const auto given = bind("map", a, {"attribute", "default"}, 1);
      for (const Value& item : iterate(v)) {
        budget.charge();
        Value at = value_at(item, *given[0]);
        values.push_back(at.is(Kind::undefined) && given[1] ? *given[1] : at);
      }
      return;
    }
    const std::string& name = text_of("map", a.positional[0]);
    const Arguments inner = rest(a, 1);
    for (const Value& item : iterate(v)) values.push_back(apply_filter(name, item, inner, budget));
  });
}

template <bool keep, bool by_attribute>
Value select(const Value& v, const Arguments& a, Budget& budget) {
  if (!truth(v)) return iterator({});
  return generated([&](Values& values) {
    if (by_attribute && a.positional.empty()) throw Problem("selectattr and rejectattr need the name of an attribute");
    const size_t skip = by_attribute ? 1 : 0;
    const bool tests = a.positional.size() > skip;
    const Arguments inner = rest(a, skip + 1);
    for (const Value& item : iterate(v)) {
      budget.charge(item.weight());
      const Value looked_at = by_attribute ? value_at(item, a.positional[0]) : item;
      const bool holds = tests ? apply_test(text_of("select", a.positional[skip]), looked_at, inner) : truth(looked_at);
      if (holds == keep) values.push_back(item);
    }
  });
}

}  // namespace

Filter sequence_filter(const std::string& name) {
  static const std::map<std::string, Filter> table = {
      {"items", items},   {"list", list},         {"first", first},   {"last", last},
      {"reverse", reverse}, {"join", join},       {"sort", sort},     {"dictsort", dictsort},
      {"unique", unique}, {"sum", sum},           {"min", extreme<false>}, {"max", extreme<true>},
      {"map", map},       {"select", select<true, false>},  {"reject", select<false, false>},
      {"selectattr", select<true, true>},         {"rejectattr", select<false, true>}};
  const auto found = table.find(name);
  return found == table.end() ? nullptr : found->second;
}

}  // namespace model::jinja
