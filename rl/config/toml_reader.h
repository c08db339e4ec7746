// A TOML file as plain nodes with line numbers. The only place that knows toml++.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace rl {

struct TomlNode {
  enum class Kind { table, array, text, integer, real, boolean, date };
  Kind kind = Kind::table;
  int64_t line = 0;                                        // of the key; 0: from the command line
  std::string text;                                        // Kind::text
  int64_t integer = 0;
  double real = 0.0;                                       // Kind::integer too, so both read as a number
  bool boolean = false;
  std::vector<std::pair<std::string, TomlNode>> children;  // table: in the order of the file; array: empty keys

  const TomlNode* find(const std::string& key) const;
};

const char* name_of(TomlNode::Kind kind);    // "an integer", "a table", ...
std::string shown(const TomlNode& node);     // the value as a person would write it, shortened

// Throws kernels::UsageError "file:line: why" for text that is not TOML, and for a file that cannot be read.
TomlNode read_toml_file(const std::string& file);
TomlNode read_toml_text(const std::string& text, const std::string& file);
// The value part of `--set key=value`: TOML, or else a bare word taken as text.
TomlNode read_toml_value(const std::string& text);

std::string toml_quoted(const std::string& text);  // a basic string with escapes

}  // namespace rl
