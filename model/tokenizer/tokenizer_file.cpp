#include "model/tokenizer/tokenizer_file.h"

#include <simdjson.h>

#include <algorithm>

#include "kernels/error.h"
#include "model/files/json_fields.h"

namespace model {

using kernels::fail_usage;
using nlohmann::json;
namespace dom = simdjson::dom;

namespace {

constexpr int64_t kLargestId = (int64_t{1} << 24) - 1;

json to_json(dom::element value) {  // simdjson refuses more than 1024 levels
  switch (value.type()) {
    case dom::element_type::ARRAY: {
      json list = json::array();
      for (dom::element entry : dom::array(value)) list.push_back(to_json(entry));
      return list;
    }
    case dom::element_type::OBJECT: {
      json object = json::object();
      for (const auto [key, entry] : dom::object(value)) object[std::string(key)] = to_json(entry);
      return object;
    }
    case dom::element_type::STRING:
      return std::string(std::string_view(value));
    case dom::element_type::INT64:
      return int64_t(value);
    case dom::element_type::UINT64:
      return uint64_t(value);
    case dom::element_type::DOUBLE:
      return double(value);
    case dom::element_type::BOOL:
      return bool(value);
    case dom::element_type::NULL_VALUE:
      break;
  }
  return nullptr;
}

void read_vocabulary(dom::object tokens, const std::string& where, TokenTable& table) {
  // Ids far above the count would only be holes; the bound keeps a hostile file from taking memory.
  const auto count = static_cast<int64_t>(std::distance(tokens.begin(), tokens.end()));
  const int64_t largest = std::min<int64_t>(kLargestId, count * 2 + 1024);
  table.reserve(static_cast<size_t>(count), static_cast<size_t>(count) * 8);
  for (const auto [token, value] : tokens) {
    int64_t id = -1;
    if (value.get(id) != simdjson::SUCCESS || id < 0 || id > largest)
      fail_usage("{}: vocab: the id of {} is {}, but must be an integer from 0 to {}.", where, shown(std::string(token)),
                 shown(to_json(value)), largest);
    if (token.empty()) continue;  // no text gives it, and it gives no text
    const auto n = static_cast<int32_t>(id);
    if (table.add(token, n)) continue;
    if (n < table.ids() && table.has(n))
      fail_usage("{}: vocab: {} and {} both have id {}.", where, shown(std::string(table.spelling(n))),
                 shown(std::string(token)), n);
    fail_usage("{}: vocab: {} comes twice, with ids {} and {}.", where, shown(std::string(token)), table.find(token), n);
  }
}

// ["a b", ...] in old files, [["a", "b"], ...] in newer ones.
bool read_pair(dom::element entry, std::string_view& left, std::string_view& right) {
  std::string_view text;
  if (entry.get(text) == simdjson::SUCCESS) {
    const size_t space = text.find(' ');
    if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos) return false;
    left = text.substr(0, space), right = text.substr(space + 1);
  } else {
    dom::array pair;
    if (entry.get(pair) != simdjson::SUCCESS || pair.size() != 2) return false;
    if (pair.at(0).get(left) != simdjson::SUCCESS || pair.at(1).get(right) != simdjson::SUCCESS) return false;
  }
  return !left.empty() && !right.empty();
}

void read_merges(dom::array list, const std::string& where, const TokenTable& table, std::vector<TokenizerFile::Merge>& merges) {
  merges.reserve(list.size());
  std::string joined;
  size_t entries = 0;
  for (const dom::element entry : list) {
    const size_t at = entries++;
    std::string_view text, left, right;
    if (entry.get(text) == simdjson::SUCCESS && text.starts_with("#version")) continue;  // the head of a merges.txt
    if (!read_pair(entry, left, right))
      fail_usage("{}: merges: entry {} is {}, but must be \"a b\" or [\"a\", \"b\"].", where, at, shown(to_json(entry)));
    const auto id = [&](std::string_view token) {
      const int32_t found = table.find(token);
      if (found < 0)
        fail_usage("{}: merges: entry {} needs the token {}, which is not in the vocabulary.", where, at,
                   shown(std::string(token)));
      return found;
    };
    joined.assign(left).append(right);
    merges.push_back({id(left), id(right), id(joined)});
  }
}

}  // namespace

const json& part_of(const json& root, const char* key) {
  static const json null;
  const auto it = root.find(key);
  return it == root.end() ? null : *it;
}

TokenizerFile read_tokenizer_json(const std::string& text, const std::string& file) {
  dom::parser parser;
  dom::element root;
  const auto error = parser.parse(text).get(root);
  if (error != simdjson::SUCCESS) {
    parse_json(text, file);  // says where
    fail_usage("{}: this is not JSON that can be read ({}).", file, simdjson::error_message(error));
  }
  TokenizerFile result;
  result.name = file;
  dom::object parts, model;
  if (root.get(parts) != simdjson::SUCCESS) fail_usage("{}: is {}, but a JSON object is expected.", file, shown(to_json(root)));
  result.root = json::object();
  for (const auto [key, value] : parts)
    if (key != "model") result.root[std::string(key)] = to_json(value);

  const auto where = file + ": model";
  if (parts["model"].get(model) != simdjson::SUCCESS) {
    auto found = parts["model"];
    fail_usage("{}: is {}, but a JSON object is expected.", where,
               found.error() == simdjson::SUCCESS ? shown(to_json(found.value())) : "missing");
  }
  json& fields = result.root["model"] = json::object();
  dom::object vocabulary;
  dom::array merges;
  for (const auto [key, value] : model) {
    if (key == "vocab" && value.get(vocabulary) == simdjson::SUCCESS) continue;
    if (key == "merges" && value.get(merges) == simdjson::SUCCESS) continue;
    fields[std::string(key)] = to_json(value);
  }
  const JsonFields f(fields, where);
  if (f.string("type", "BPE") != "BPE") f.wrong("type", "BPE: other models are not supported");
  const auto need = [&](const char* key, const char* expectation) {
    if (f.find(key) || model[key].error() != simdjson::SUCCESS) f.need(key), f.wrong(key, expectation);
  };
  need("vocab", "an object of tokens and ids");
  need("merges", "a list");
  read_vocabulary(vocabulary, where, result.vocabulary);
  read_merges(merges, where, result.vocabulary, result.merges);
  return result;
}

}  // namespace model
