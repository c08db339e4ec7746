// Values as text: str(), repr() and JSON.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "model/chat/jinja/operators.h"
#include "model/chat/jinja/python_text.h"

namespace model::jinja {
namespace {

std::string joined_reprs(const Values& values) {
  std::string out;
  for (const Value& v : values) (out += out.empty() ? "" : ", ") += repr(v);
  return out;
}

std::string repr_dict(const Pairs& pairs) {
  std::string out = "{";
  for (const auto& [key, value] : pairs) ((out += out.size() == 1 ? "" : ", ") += repr(key) + ": ") += repr(value);
  return out += "}";
}

class JsonWriter {
 public:
  explicit JsonWriter(const JsonStyle& style) : style_(style) {
    indented_ = !style.indent.is(Kind::none);
    if (style.indent.is(Kind::text)) indent_ = style.indent.text();
    else if (style.indent.is_whole()) {
      if (style.indent.whole() > 1000) throw Problem("tojson: indent is larger than 1000");
      indent_.assign(static_cast<size_t>(std::max<int64_t>(0, style.indent.whole())), ' ');
    } else if (indented_) throw Problem(fmt::format("tojson: indent is a {}, not a number or text", type_name(style.indent)));
    items_ = !style.item_separator.empty() ? style.item_separator : indented_ ? "," : ", ";
    keys_ = !style.key_separator.empty() ? style.key_separator : ": ";
  }

  std::string write(const Value& value) {
    put(value, 0);
    return std::move(out_);
  }

 private:
  void put(const Value& v, int level) {
    check_weight(static_cast<int64_t>(out_.size()));
    switch (v.kind()) {
      case Kind::none: out_ += "null"; break;
      case Kind::boolean: out_ += v.truth() ? "true" : "false"; break;
      case Kind::integer: out_ += fmt::format("{}", v.whole()); break;
      case Kind::real: out_ += number(v.number()); break;
      case Kind::text: put_text(v.text()); break;
      case Kind::list:
      case Kind::tuple: put_list(v.values(), level); break;
      case Kind::dict: put_dict(v.pairs(), level); break;
      case Kind::undefined: throw Problem(fmt::format("tojson of a value that is not there: {}", v.text()));
      default: throw Problem(fmt::format("tojson: a {} is not JSON", type_name(v)));
    }
  }

  static std::string number(double d) {
    return std::isnan(d) ? "NaN" : std::isinf(d) ? d < 0 ? "-Infinity" : "Infinity" : repr(d);
  }

  void new_line(int level) {
    if (!indented_) return;
    out_ += '\n';
    for (int i = 0; i < level; ++i) out_ += indent_;
  }

  void put_list(const Values& values, int level) {
    out_ += '[';
    for (size_t i = 0; i < values.size(); ++i) {
      if (i > 0) out_ += items_;
      new_line(level + 1);
      put(values[i], level + 1);
    }
    if (!values.empty()) new_line(level);
    out_ += ']';
  }

  static std::string key_text(const Value& key) {
    switch (key.kind()) {
      case Kind::text: return key.text();
      case Kind::boolean: return key.truth() ? "true" : "false";
      case Kind::none: return "null";
      case Kind::integer: return fmt::format("{}", key.whole());
      case Kind::real: return number(key.number());
      default: throw Problem(fmt::format("tojson: a {} cannot be a key in JSON", type_name(key)));
    }
  }

  void put_dict(Pairs pairs, int level) {
    if (style_.sort_keys)
      std::stable_sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) { return less(a.first, b.first); });
    out_ += '{';
    for (size_t i = 0; i < pairs.size(); ++i) {
      if (i > 0) out_ += items_;
      new_line(level + 1);
      put_text(key_text(pairs[i].first));
      out_ += keys_;
      put(pairs[i].second, level + 1);
    }
    if (!pairs.empty()) new_line(level);
    out_ += '}';
  }

  void put_unit(uint32_t unit) { out_ += fmt::format("\\u{:04x}", unit); }

  void put_text(const std::string& text) {
    out_ += '"';
    for (const auto c : characters_of(text)) {
      const uint32_t code = code_point(c);
      switch (code) {
        case '"': out_ += "\\\""; break;
        case '\\': out_ += "\\\\"; break;
        case '\n': out_ += "\\n"; break;
        case '\r': out_ += "\\r"; break;
        case '\t': out_ += "\\t"; break;
        case '\f': out_ += "\\f"; break;
        case '\b': out_ += "\\b"; break;
        default:
          if (code < 0x20 || (style_.ascii && code > 0x7e && code < 0x10000)) put_unit(code);
          else if (style_.ascii && code >= 0x10000)
            put_unit(0xd800 + ((code - 0x10000) >> 10)), put_unit(0xdc00 + ((code - 0x10000) & 0x3ff));
          else out_ += c;
      }
    }
    out_ += '"';
  }

  const JsonStyle& style_;
  bool indented_ = false;
  std::string indent_, items_, keys_, out_;
};

}  // namespace

std::string repr(const Value& v) {
  switch (v.kind()) {
    case Kind::undefined: return "Undefined";
    case Kind::none: return "None";
    case Kind::boolean: return v.truth() ? "True" : "False";
    case Kind::integer: return fmt::format("{}", v.whole());
    case Kind::real: return repr(v.number());
    case Kind::text: return v.safe() ? "Markup(" + repr(v.text()) + ")" : repr(v.text());
    case Kind::list: return "[" + joined_reprs(v.values()) + "]";
    case Kind::tuple: return "(" + joined_reprs(v.values()) + (v.values().size() == 1 ? ",)" : ")");
    case Kind::dict: return repr_dict(v.pairs());
    default: throw Problem(fmt::format("a {} cannot be printed; use |list or an attribute of it", type_name(v)));
  }
}

std::string to_text(const Value& v) {
  if (v.is(Kind::text)) return v.text();
  return v.is(Kind::undefined) ? "" : repr(v);
}

std::string to_json(const Value& value, const JsonStyle& style) { return JsonWriter(style).write(value); }

}  // namespace model::jinja
