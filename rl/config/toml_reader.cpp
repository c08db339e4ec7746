#include "rl/config/toml_reader.h"

#include <fmt/core.h>
#include <toml++/toml.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "kernels/error.h"

namespace rl {
namespace {

TomlNode plain(const toml::node& node, int64_t line) {
  TomlNode out;
  out.line = line;
  if (const auto* table = node.as_table()) {
    for (const auto& [key, value] : *table) {
      out.children.emplace_back(key.str(), plain(value, key.source().begin.line));
    }
    // toml++ sorts by name; people read errors in the order of the file.
    std::stable_sort(out.children.begin(), out.children.end(),
                     [](const auto& a, const auto& b) { return a.second.line < b.second.line; });
  } else if (const auto* array = node.as_array()) {
    out.kind = TomlNode::Kind::array;
    for (const auto& value : *array) out.children.emplace_back("", plain(value, value.source().begin.line));
  } else if (const auto* text = node.as_string()) {
    out.kind = TomlNode::Kind::text;
    out.text = text->get();
  } else if (const auto* integer = node.as_integer()) {
    out.kind = TomlNode::Kind::integer;
    out.integer = integer->get();
    out.real = static_cast<double>(out.integer);
  } else if (const auto* real = node.as_floating_point()) {
    out.kind = TomlNode::Kind::real;
    out.real = real->get();
  } else if (const auto* boolean = node.as_boolean()) {
    out.kind = TomlNode::Kind::boolean;
    out.boolean = boolean->get();
  } else {
    out.kind = TomlNode::Kind::date;
  }
  return out;
}

}  // namespace

const TomlNode* TomlNode::find(const std::string& key) const {
  for (const auto& [name, node] : children) {
    if (name == key) return &node;
  }
  return nullptr;
}

const char* name_of(TomlNode::Kind kind) {
  switch (kind) {
    case TomlNode::Kind::table: return "a table";
    case TomlNode::Kind::array: return "a list";
    case TomlNode::Kind::text: return "text";
    case TomlNode::Kind::integer: return "an integer";
    case TomlNode::Kind::real: return "a number with a fraction";
    case TomlNode::Kind::boolean: return "true or false";
    case TomlNode::Kind::date: return "a date or time";
  }
  return "?";
}

std::string shown(const TomlNode& node) {
  switch (node.kind) {
    case TomlNode::Kind::text:
      return node.text.size() <= 60 ? toml_quoted(node.text) : toml_quoted(node.text.substr(0, 57) + "...");
    case TomlNode::Kind::integer: return fmt::format("{}", node.integer);
    case TomlNode::Kind::real: return fmt::format("{}", node.real);
    case TomlNode::Kind::boolean: return node.boolean ? "true" : "false";
    case TomlNode::Kind::array: return fmt::format("a list of {}", node.children.size());
    default: return name_of(node.kind);
  }
}

TomlNode read_toml_file(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) kernels::fail_usage("{}: cannot be read. Give the path of a TOML file, such as configs/quickstart.toml.", file);
  std::stringstream text;
  text << in.rdbuf();
  return read_toml_text(text.str(), file);
}

TomlNode read_toml_text(const std::string& text, const std::string& file) {
  try {
    return plain(toml::parse(text, file), 1);
  } catch (const toml::parse_error& error) {
    kernels::fail_usage("{}:{}: is not valid TOML: {}.", file, error.source().begin.line, error.description());
  }
}

TomlNode read_toml_value(const std::string& text) {
  TomlNode node;
  try {
    node = plain(*toml::parse("v = " + text).get("v"), 0);
  } catch (const toml::parse_error&) {
    node.kind = TomlNode::Kind::text;
    node.text = text;
  }
  node.line = 0;
  for (auto& [key, child] : node.children) child.line = 0;
  return node;
}

std::string toml_quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\t': out += "\\t"; break;
      case '\r': out += "\\r"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) out += fmt::format("\\u{:04X}", static_cast<int>(c));
        else out += c;
    }
  }
  return out + "\"";
}

}  // namespace rl
