// Reads fields of a JSON object that somebody else wrote: a wrong type or range is one clear UsageError that names
// file, key, value and what was expected.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace model {

// Parses text. `file` is named in the error.
nlohmann::json parse_json(const std::string& text, const std::string& file);
// The whole file. Throws UsageError when it cannot be read.
std::string read_text_file(const std::string& path);
// Value as it stands in a message, cut at 60 bytes.
std::string shown(const nlohmann::json& value);

class JsonFields {
 public:
  // `object` must outlive this. Throws UsageError when it is no object; `where` is "file" or "file: path.to.object".
  JsonFields(const nlohmann::json& object, std::string where);

  // The value, or nullptr when the key is absent or null.
  const nlohmann::json* find(const char* key) const;
  bool absent(const char* key) const;  // null is not absent
  const nlohmann::json& need(const char* key) const;

  // Without a default the key must be there. Integers must lie in [low, high].
  int64_t integer(const char* key, int64_t low, int64_t high, std::optional<int64_t> fallback = {}) const;
  double number(const char* key, std::optional<double> fallback = {}) const;
  bool boolean(const char* key, std::optional<bool> fallback = {}) const;
  std::string string(const char* key, std::optional<std::string> fallback = {}) const;
  JsonFields object(const char* key) const;

  [[noreturn]] void wrong(const char* key, const std::string& expectation) const;
  const std::string& where() const { return where_; }

 private:
  const nlohmann::json& object_;
  std::string where_;
};

}  // namespace model
