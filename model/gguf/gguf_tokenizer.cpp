// tokenizer.ggml.* of a GGUF file -> a complete tokenizer.json.
#include <cmath>
#include <set>

#include "kernels/error.h"
#include "model/gguf/gguf_import.h"
#include "model/gguf/gguf_tokenizer_parts.h"
#include "model/tokenizer/byte_level.h"

namespace model {

using kernels::fail_usage;
using nlohmann::json;
using nlohmann::ordered_json;

namespace {

constexpr int64_t kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5;  // token types of llama.cpp

const json& list_of(const JsonFields& f, const char* key) {
  const json& list = f.need(key);
  if (!list.is_array()) f.wrong(key, "a list");
  return list;
}

const std::string& text_of(const json& value, const JsonFields& f, const char* key) {
  if (!value.is_string() || find_invalid_utf8(value.get_ref<const std::string&>()) != std::string::npos)
    f.wrong(key, "a list of UTF-8 strings");
  return value.get_ref<const std::string&>();
}

struct Vocabulary {
  std::vector<std::string> tokens;
  std::vector<int64_t> types;
};

// Rows that pad the embedding ("unused", at the end) are no tokens.
Vocabulary read_vocabulary(const JsonFields& f) {
  const json& tokens = list_of(f, "tokenizer.ggml.tokens");
  const json* types = f.find("tokenizer.ggml.token_type");
  if (types && (!types->is_array() || types->size() != tokens.size()))
    f.wrong("tokenizer.ggml.token_type", "a list, one a token");
  Vocabulary v;
  std::set<std::string> seen;
  for (size_t id = 0; id < tokens.size(); ++id) {
    const auto& token = text_of(tokens[id], f, "tokenizer.ggml.tokens");
    if (!seen.insert(token).second)
      fail_usage("{}: tokenizer.ggml.tokens: {} comes twice.", f.where(), shown(token));
    const json type = types ? (*types)[id] : json(kNormal);
    if (!type.is_number_integer()) f.wrong("tokenizer.ggml.token_type", "a list of integers");
    v.tokens.push_back(token);
    v.types.push_back(type.get<int64_t>());
  }
  while (!v.types.empty() && v.types.back() == kUnused) {
    v.types.pop_back();
    v.tokens.pop_back();
  }
  return v;
}

ordered_json added_tokens(const Vocabulary& v) {
  ordered_json added = ordered_json::array();
  for (size_t id = 0; id < v.tokens.size(); ++id) {
    const int64_t type = v.types[id];
    if (type != kControl && type != kUserDefined && type != kUnknown) continue;
    added.push_back({{"id", id},
                     {"content", v.tokens[id]},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", type != kUserDefined}});
  }
  return added;
}

ordered_json vocabulary_json(const Vocabulary& v) {
  ordered_json::object_t entries;
  entries.reserve(v.tokens.size());
  // In the order of ids, without ordered_map's search for equals.
  for (size_t id = 0; id < v.tokens.size(); ++id) entries.Container::emplace_back(v.tokens[id], id);
  return entries;
}

// A post-processor that puts tokens around a text; transformers applies it, our encode() does not. Null for none.
ordered_json put_around(const JsonFields& f, const Vocabulary& v, bool begins_with_bos) {
  ordered_json special = ordered_json::object(), begin = ordered_json::array(), end = ordered_json::array();
  const auto take = [&](const char* add_key, bool fallback, const char* id_key, ordered_json& side) {
    if (!f.boolean(add_key, fallback) || (fallback && !f.find(add_key) && !f.find(id_key))) return;
    const int64_t id = f.integer(id_key, 0, static_cast<int64_t>(v.tokens.size()) - 1);
    const auto& token = v.tokens[static_cast<size_t>(id)];
    special[token] = {{"id", token}, {"ids", {id}}, {"tokens", {token}}};
    side.push_back(token);
  };
  take("tokenizer.ggml.add_bos_token", begins_with_bos, "tokenizer.ggml.bos_token_id", begin);
  take("tokenizer.ggml.add_eos_token", false, "tokenizer.ggml.eos_token_id", end);
  if (special.empty()) return nullptr;
  const auto around = [&](const char* name, int type) {
    ordered_json parts = ordered_json::array();
    for (const auto& token : begin) parts.push_back({{"SpecialToken", {{"id", token}, {"type_id", type}}}});
    parts.push_back({{"Sequence", {{"id", name}, {"type_id", type}}}});
    for (const auto& token : end) parts.push_back({{"SpecialToken", {{"id", token}, {"type_id", type}}}});
    return parts;
  };
  const ordered_json single = around("A", 0);
  ordered_json pair = single;
  for (const auto& part : around("B", 1)) pair.push_back(part);
  return {{"type", "TemplateProcessing"}, {"single", single}, {"pair", pair}, {"special_tokens", special}};
}

struct Parts {
  ordered_json normalizer = nullptr, pre_tokenizer = nullptr, post_processor = nullptr, decoder = nullptr;
  ordered_json unk_token = nullptr, merges = nullptr;
  bool byte_fallback = false, ignore_merges = false;
};

std::string write(const Vocabulary& v, Parts parts) {
  const ordered_json model{{"type", "BPE"},
                           {"dropout", nullptr},
                           {"unk_token", parts.unk_token},
                           {"continuing_subword_prefix", nullptr},
                           {"end_of_word_suffix", nullptr},
                           {"fuse_unk", parts.byte_fallback},
                           {"byte_fallback", parts.byte_fallback},
                           {"ignore_merges", parts.ignore_merges},
                           {"vocab", vocabulary_json(v)},
                           {"merges", std::move(parts.merges)}};
  const ordered_json root{{"version", "1.0"},
                          {"truncation", nullptr},
                          {"padding", nullptr},
                          {"added_tokens", added_tokens(v)},
                          {"normalizer", parts.normalizer},
                          {"pre_tokenizer", parts.pre_tokenizer},
                          {"post_processor", parts.post_processor},
                          {"decoder", parts.decoder},
                          {"model", model}};
  return root.dump(1) + "\n";
}

std::string byte_pair_json(const JsonFields& f) {
  BytePairKind kind = byte_pair_kind(f);
  const Vocabulary v = read_vocabulary(f);
  Parts parts;
  parts.normalizer = kind.normalizer;
  parts.pre_tokenizer = kind.pre_tokenizer;
  parts.ignore_merges = kind.ignore_merges;
  parts.merges = ordered_json::array();
  const char* merges = "tokenizer.ggml.merges";
  for (const auto& merge : list_of(f, merges)) parts.merges.push_back(text_of(merge, f, merges));
  parts.decoder = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", true}};
  parts.post_processor = put_around(f, v, kind.starts_with_bos);
  return write(v, std::move(parts));
}

std::vector<float> read_scores(const JsonFields& f, size_t count) {
  const json& list = list_of(f, "tokenizer.ggml.scores");
  std::vector<float> scores;
  for (const auto& score : list)
    if (score.is_number() && std::isfinite(score.get<float>())) scores.push_back(score.get<float>());
  if (scores.size() != list.size() || scores.size() < count) f.wrong("tokenizer.ggml.scores", "a list of numbers, one a token");
  return scores;
}

// Spaces become U+2581, which is put before a text too; characters outside the vocabulary become bytes, <0x0A>.
std::string sentencepiece_json(const JsonFields& f) {
  if (f.boolean("tokenizer.ggml.remove_extra_whitespaces", false))
    f.wrong("tokenizer.ggml.remove_extra_whitespaces", "false: it is not supported");
  const std::string space = "\u2581";
  const bool prefix = f.boolean("tokenizer.ggml.add_space_prefix", true);
  const Vocabulary v = read_vocabulary(f);
  Parts parts;
  parts.merges = sentencepiece_merges(v.tokens, read_scores(f, v.tokens.size()));
  parts.byte_fallback = true;
  ordered_json normalizers = ordered_json::array(), decoders = ordered_json::array();
  if (prefix) normalizers.push_back({{"type", "Prepend"}, {"prepend", space}});
  normalizers.push_back({{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", space}});
  decoders.push_back({{"type", "Replace"}, {"pattern", {{"String", space}}}, {"content", " "}});
  decoders.push_back({{"type", "ByteFallback"}});
  decoders.push_back({{"type", "Fuse"}});
  if (prefix) decoders.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  parts.normalizer = {{"type", "Sequence"}, {"normalizers", normalizers}};
  parts.decoder = {{"type", "Sequence"}, {"decoders", decoders}};
  parts.post_processor = put_around(f, v, true);
  const int64_t unknown = f.integer("tokenizer.ggml.unknown_token_id", 0, static_cast<int64_t>(v.tokens.size()) - 1, -1);
  if (unknown >= 0) parts.unk_token = v.tokens[static_cast<size_t>(unknown)];
  return write(v, std::move(parts));
}

}  // namespace

std::string gguf_tokenizer_json(const json& metadata, const std::string& file) {
  const JsonFields f(metadata, file);
  const auto kind = f.string("tokenizer.ggml.model");
  if (kind == "gpt2") return byte_pair_json(f);
  if (kind == "llama") return sentencepiece_json(f);
  f.wrong("tokenizer.ggml.model", "a tokenizer that is imported: gpt2 (byte-level BPE), llama (SentencePiece BPE)");
}

}  // namespace model
