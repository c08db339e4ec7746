// Jinja templates as transformers' apply_chat_template runs them: jinja2 3.1 in a sandbox with trim_blocks, lstrip_blocks,
// loop controls, tojson without HTML escapes, raise_exception, strftime_now and {% generation %}.
//
// What chat templates use is here: if, for (with else, if, break, continue and the loop variable), set, macro, call, filter, with,
// raw, expressions, some 40 filters and the tests, methods of text, dicts and lists, namespaces. Everything else is an error that
// names the construct and the line; nothing is guessed. Differences from jinja2, all of them errors there or here: whole numbers
// have 64 bits; views, iterators and namespaces are not printed; text that |safe marked has few methods; filters such as select
// look at all values at once.
//
// A template is untrusted: nesting, steps and sizes are bounded (value.h, budget.h).
#pragma once

#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/chat/jinja/value.h"

namespace model::jinja {

struct Span {
  int64_t begin = 0, end = 0;  // bytes
};

struct Output {
  std::string text;
  std::vector<Span> generation;  // what stands between {% generation %} and {% endgeneration %}, in order
};

struct Program;

class Template {
 public:
  // `name` stands before the line in errors. Throws kernels::UsageError "name:line: ...".
  Template(std::string_view source, std::string name);
  ~Template();

  // `variables`: a dict with text keys. `now`: what strftime_now shows. With `spans`, a {% generation %} inside a macro or
  // another block that collects its text is an error, because its place is not known. Throws kernels::UsageError, also for
  // raise_exception, whose message stands at the end. Thread-safe.
  Output render(const Value& variables, const std::tm& now, bool spans = false) const;

  bool has_generation() const;

 private:
  std::unique_ptr<const Program> program_;
  std::string name_;
};

}  // namespace model::jinja
