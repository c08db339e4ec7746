#include "model/files/json_fields.h"

#include <cmath>
#include <fstream>
#include <sstream>

#include "kernels/error.h"

namespace model {

using kernels::fail_usage;
using nlohmann::json;

namespace {

// Printing, copying and reading a value recurse, so a file may not choose how deep.
constexpr int kDeepest = 100;

bool too_deep(const std::string& text) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\') ++i;
    else if (c == '"') in_string = !in_string;
    else if (in_string) continue;
    else if (c == '{' || c == '[') ++depth;
    else if (c == '}' || c == ']') --depth;
    if (depth > kDeepest) return true;
  }
  return false;
}

}  // namespace

json parse_json(const std::string& text, const std::string& file) {
  if (too_deep(text)) fail_usage("{}: this JSON is nested more than {} deep. Is it the right file?", file, kDeepest);
  try {
    return json::parse(text);
  } catch (const json::exception& e) {
    fail_usage("{}: this is not JSON ({}). Was the file cut off?", file, e.what());
  }
}

std::string read_text_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (in && in.peek() != std::ifstream::traits_type::eof()) text << in.rdbuf();  // copying nothing would count as a failure
  if (in.bad() || !in.is_open() || !text) fail_usage("{}: cannot be read. Check the path.", path);
  return text.str();
}

std::string shown(const json& value) {
  auto text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() <= 60) return text;
  size_t cut = 57;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80) --cut;  // not inside a character
  return text.substr(0, cut) + "...";
}

JsonFields::JsonFields(const json& object, std::string where) : object_(object), where_(std::move(where)) {
  if (!object.is_object()) fail_usage("{}: is {}, but a JSON object is expected.", where_, shown(object));
}

const json* JsonFields::find(const char* key) const {
  const auto it = object_.find(key);
  return it == object_.end() || it->is_null() ? nullptr : &*it;
}

bool JsonFields::absent(const char* key) const { return !object_.contains(key); }

const json& JsonFields::need(const char* key) const {
  const json* value = find(key);
  if (!value) fail_usage("{}: {}: is missing.", where_, key);
  return *value;
}

void JsonFields::wrong(const char* key, const std::string& expectation) const {
  const json* value = find(key);
  fail_usage("{}: {}: is {}, but must be {}.", where_, key, value ? shown(*value) : "null", expectation);
}

int64_t JsonFields::integer(const char* key, int64_t low, int64_t high, std::optional<int64_t> fallback) const {
  const json* value = fallback ? find(key) : &need(key);
  if (!value) return *fallback;
  const auto expectation = fmt::format("an integer from {} to {}", low, high);
  if (!value->is_number_integer()) wrong(key, expectation);
  if (value->is_number_unsigned() && value->get<uint64_t>() > static_cast<uint64_t>(INT64_MAX)) wrong(key, expectation);
  const auto n = value->get<int64_t>();
  if (n < low || n > high) wrong(key, expectation);
  return n;
}

double JsonFields::number(const char* key, std::optional<double> fallback) const {
  const json* value = fallback ? find(key) : &need(key);
  if (!value) return *fallback;
  if (!value->is_number() || !std::isfinite(value->get<double>())) wrong(key, "a number");
  return value->get<double>();
}

bool JsonFields::boolean(const char* key, std::optional<bool> fallback) const {
  const json* value = fallback ? find(key) : &need(key);
  if (!value) return *fallback;
  if (!value->is_boolean()) wrong(key, "true or false");
  return value->get<bool>();
}

std::string JsonFields::string(const char* key, std::optional<std::string> fallback) const {
  const json* value = fallback ? find(key) : &need(key);
  if (!value) return *fallback;
  if (!value->is_string()) wrong(key, "a string");
  return value->get<std::string>();
}

JsonFields JsonFields::object(const char* key) const { return JsonFields(need(key), where_ + ": " + key); }

}  // namespace model
