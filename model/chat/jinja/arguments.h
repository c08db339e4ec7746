// Arguments of a call, and how a callee takes them apart.
#pragma once

#include <fmt/core.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "model/chat/jinja/value.h"

namespace model::jinja {

struct Arguments {
  Values positional;
  std::vector<std::pair<std::string, Value>> named;

  bool empty() const { return positional.empty() && named.empty(); }
};

// The arguments in the order of `names`, which the callee `what` has; the first `needed` must be given. Throws Problem.
inline std::vector<std::optional<Value>> bind(const std::string& what, const Arguments& given,
                                              std::initializer_list<const char*> names, size_t needed = 0) {
  std::vector<std::optional<Value>> bound(names.size());
  if (given.positional.size() > names.size())
    throw Problem(fmt::format("{} takes at most {} arguments but was given {}", what, names.size(), given.positional.size()));
  for (size_t i = 0; i < given.positional.size(); ++i) bound[i] = given.positional[i];
  for (const auto& [name, value] : given.named) {
    size_t i = 0;
    while (i < names.size() && name != names.begin()[i]) ++i;
    if (i == names.size() || bound[i])
      throw Problem(fmt::format("{} takes no argument {}{}", what, name, i < names.size() ? " twice" : ""));
    bound[i] = value;
  }
  for (size_t i = 0; i < needed; ++i)
    if (!bound[i]) throw Problem(fmt::format("{} needs the argument {}", what, names.begin()[i]));
  return bound;
}

// Of an argument that must have a type.
const std::string& text_of(const std::string& what, const Value& value);
int64_t whole_of(const std::string& what, const Value& value);

}  // namespace model::jinja
