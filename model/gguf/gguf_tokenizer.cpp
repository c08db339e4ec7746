// tokenizer.ggml.* of a GGUF file -> a complete tokenizer.json.
#include <set>

#include "kernels/error.h"
#include "model/tokenizer/byte_level.h"
#include "model/gguf/gguf.h"
#include "model/files/json_fields.h"

namespace model {

using kernels::fail_usage;
using nlohmann::json;
using nlohmann::ordered_json;

namespace {

constexpr int64_t kControl = 3, kUserDefined = 4;  // token types of llama.cpp

ordered_json byte_level(bool use_regex) {
  return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", use_regex}};
}

ordered_json sequence(ordered_json first, ordered_json second) {
  return {{"type", "Sequence"}, {"pretokenizers", ordered_json::array({std::move(first), std::move(second)})}};
}

// The pattern of Llama 3; Qwen2 has it with single digits.
ordered_json split_words(const std::string& digits) {
  const auto pattern = R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|)" + digits +
                       R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
  return {{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}};
}

struct Kind {
  ordered_json pre_tokenizer, normalizer = nullptr;
  bool ignore_merges = false;
};

Kind kind_of(const JsonFields& f) {
  const auto name = f.string("tokenizer.ggml.pre", "gpt-2");
  if (name == "gpt-2") return {byte_level(true)};
  if (name == "smollm") return {sequence({{"type", "Digits"}, {"individual_digits", true}}, byte_level(true))};
  if (name == "llama-bpe") return {sequence(split_words(R"(\p{N}{1,3})"), byte_level(false)), nullptr, true};
  if (name == "qwen2") return {sequence(split_words(R"(\p{N})"), byte_level(false)), {{"type", "NFC"}}};
  f.wrong("tokenizer.ggml.pre", "a supported pre-tokenizer: gpt-2, smollm, llama-bpe, qwen2");
}

const std::string& text_of(const json& value, const JsonFields& f, const char* key) {
  if (!value.is_string() || find_invalid_utf8(value.get_ref<const std::string&>()) != std::string::npos)
    f.wrong(key, "a list of UTF-8 strings");
  return value.get_ref<const std::string&>();
}

const json& list_of(const JsonFields& f, const char* key) {
  const json& list = f.need(key);
  if (!list.is_array()) f.wrong(key, "a list");
  return list;
}

// A post-processor that puts the first token of a text; transformers applies it, our encode() does not.
ordered_json put_first(const std::string& token, int64_t id) {
  const auto special = ordered_json{{"SpecialToken", {{"id", token}, {"type_id", 0}}}};
  const auto part = [](const char* name, int type) { return ordered_json{{"Sequence", {{"id", name}, {"type_id", type}}}}; };
  return {{"type", "TemplateProcessing"},
          {"single", ordered_json::array({special, part("A", 0)})},
          {"pair", ordered_json::array({special, part("A", 0), special, part("B", 1)})},
          {"special_tokens", {{token, {{"id", token}, {"ids", {id}}, {"tokens", {token}}}}}}};
}

}  // namespace

std::string gguf_tokenizer_json(const json& metadata, const std::string& file) {
  const JsonFields f(metadata, file);
  if (f.string("tokenizer.ggml.model") != "gpt2") f.wrong("tokenizer.ggml.model", "\"gpt2\": only byte-level BPE is supported");
  const Kind kind = kind_of(f);
  const json& tokens = list_of(f, "tokenizer.ggml.tokens");
  const json* types = f.find("tokenizer.ggml.token_type");
  if (types && (!types->is_array() || types->size() != tokens.size()))
    f.wrong("tokenizer.ggml.token_type", "a list, one a token");

  std::set<std::string> seen;
  ordered_json::object_t vocabulary;
  ordered_json added = ordered_json::array(), merges = ordered_json::array();
  vocabulary.reserve(tokens.size());
  for (size_t id = 0; id < tokens.size(); ++id) {
    const auto& token = text_of(tokens[id], f, "tokenizer.ggml.tokens");
    if (!seen.insert(token).second) fail_usage("{}: tokenizer.ggml.tokens: {} comes twice.", file, shown(token));
    vocabulary.Container::emplace_back(token, id);  // in the order of ids, without ordered_map's search for equals
    const json type = types ? (*types)[id] : json(1);
    if (type != kControl && type != kUserDefined) continue;
    added.push_back({{"id", id},
                     {"content", token},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", type == kControl}});
  }
  for (const auto& merge : list_of(f, "tokenizer.ggml.merges")) merges.push_back(text_of(merge, f, "tokenizer.ggml.merges"));

  ordered_json post = nullptr;
  if (f.boolean("tokenizer.ggml.add_bos_token", false)) {
    const int64_t id = f.integer("tokenizer.ggml.bos_token_id", 0, static_cast<int64_t>(tokens.size()) - 1);
    post = put_first(tokens[static_cast<size_t>(id)].get<std::string>(), id);
  }
  const ordered_json model{{"type", "BPE"},
                           {"dropout", nullptr},
                           {"unk_token", nullptr},
                           {"continuing_subword_prefix", nullptr},
                           {"end_of_word_suffix", nullptr},
                           {"fuse_unk", false},
                           {"byte_fallback", false},
                           {"ignore_merges", kind.ignore_merges},
                           {"vocab", std::move(vocabulary)},
                           {"merges", std::move(merges)}};
  const ordered_json root{{"version", "1.0"},
                          {"truncation", nullptr},
                          {"padding", nullptr},
                          {"added_tokens", std::move(added)},
                          {"normalizer", kind.normalizer},
                          {"pre_tokenizer", kind.pre_tokenizer},
                          {"post_processor", post},
                          {"decoder", byte_level(true)},
                          {"model", std::move(model)}};
  return root.dump(1) + "\n";
}

}  // namespace model
