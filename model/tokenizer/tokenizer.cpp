#include "model/tokenizer/tokenizer.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <unordered_map>

#include "kernels/error.h"
#include "model/tokenizer/added_tokens.h"
#include "model/tokenizer/bpe.h"
#include "model/tokenizer/byte_level.h"
#include "model/files/json_fields.h"
#include "model/tokenizer/pre_tokenizer.h"

namespace model {

using kernels::fail;
using kernels::fail_usage;
using nlohmann::json;

struct Tokenizer::Impl {
  std::string json_text;
  bool nfc = false;
  Bpe bpe;
  PreTokenizer pre_tokenizer;
  AddedTokenFinder raw_finder, normalized_finder;
  std::vector<std::string> bytes;  // by id
  std::vector<bool> special;
  std::unordered_map<std::string, int32_t> ids;

  void encode_plain(std::string_view text, std::vector<int32_t>& out) const;
};

namespace {

// The parts of a file that this class reads, each refused by name when it is not covered.

void check_type(const json& part, const std::string& where, const std::vector<std::string>& covered, const char* children) {
  if (part.is_null()) return;
  const JsonFields f(part, where);
  const auto type = f.string("type");
  std::string list;
  for (const auto& name : covered) list += (list.empty() ? "" : ", ") + name;
  if (std::find(covered.begin(), covered.end(), type) == covered.end()) f.wrong("type", "a supported part: " + list);
  if (type != "Sequence") return;
  const json& parts = f.need(children);
  if (!parts.is_array()) f.wrong(children, "a list");
  for (const auto& child : parts) {
    if (child.is_object() && child.value("type", json()) == "Sequence")
      fail_usage("{}: a Sequence inside a Sequence is not supported.", where);
    check_type(child, where, covered, children);
  }
}

bool reads_nfc(const json& normalizer) {
  return normalizer.is_object() && (normalizer["type"] == "NFC" || !normalizer.value("normalizers", json::array()).empty());
}

std::string to_nfc(std::string_view text) {
  if (std::all_of(text.begin(), text.end(), [](char c) { return static_cast<signed char>(c) >= 0; })) return std::string(text);
  utf8proc_uint8_t* out = nullptr;
  const auto size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()), &out,
                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  if (size < 0) fail("tokenizer: NFC of a text of {} bytes failed: {}", text.size(), utf8proc_errmsg(size));
  std::string result(reinterpret_cast<char*>(out), static_cast<size_t>(size));
  std::free(out);
  return result;
}

std::vector<AddedToken> read_added_tokens(const json& list, const Bpe& bpe, const std::string& where) {
  std::vector<AddedToken> tokens;
  if (list.is_null()) return tokens;
  if (!list.is_array()) fail_usage("{}: is {}, but must be a list.", where, shown(list));
  const auto largest = static_cast<int64_t>(bpe.spelling().size() + list.size()) * 2 + 1024;
  for (const auto& entry : list) {
    const JsonFields f(entry, where);
    AddedToken t;
    t.id = static_cast<int32_t>(f.integer("id", 0, largest));
    t.content = f.string("content");
    t.single_word = f.boolean("single_word", false);
    t.left_strip = f.boolean("lstrip", false);
    t.right_strip = f.boolean("rstrip", false);
    t.special = f.boolean("special", false);
    t.normalized = f.boolean("normalized", !t.special);
    if (t.content.empty()) f.wrong("content", "at least one character");
    const auto known = bpe.vocabulary().find(t.content);
    if (known != bpe.vocabulary().end() && known->second != t.id)
      fail_usage("{}: {} has id {}, but id {} in the vocabulary.", where, shown(t.content), t.id, known->second);
    if (known == bpe.vocabulary().end() && t.id < static_cast<int64_t>(bpe.spelling().size()) && !bpe.spelling()[t.id].empty())
      fail_usage("{}: {} has id {}, which is {} in the vocabulary.", where, shown(t.content), t.id, shown(bpe.spelling()[t.id]));
    tokens.push_back(std::move(t));
  }
  return tokens;
}

std::vector<AddedToken> select(const std::vector<AddedToken>& tokens, bool normalized, bool nfc) {
  std::vector<AddedToken> chosen;
  for (auto token : tokens) {
    if (token.normalized != normalized) continue;
    if (normalized && nfc) token.content = to_nfc(token.content);
    chosen.push_back(std::move(token));
  }
  return chosen;
}

const json& field(const json& root, const char* key) {
  static const json null;
  const auto it = root.find(key);
  return it == root.end() ? null : *it;
}

}  // namespace

Tokenizer::Tokenizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tokenizer::~Tokenizer() = default;

std::shared_ptr<const Tokenizer> Tokenizer::from_json(const std::string& json_text, const std::string& file) {
  const nlohmann::json root = parse_json(json_text, file);
  const JsonFields f(root, file);
  check_type(field(root, "normalizer"), file + ": normalizer", {"NFC", "Sequence"}, "normalizers");
  check_type(field(root, "post_processor"), file + ": post_processor", {"ByteLevel", "TemplateProcessing", "Sequence"},
             "processors");
  check_type(field(root, "decoder"), file + ": decoder", {"ByteLevel", "Sequence"}, "decoders");
  const bool nfc = reads_nfc(field(root, "normalizer"));

  auto impl = std::unique_ptr<Impl>(new Impl{json_text,
                                             nfc,
                                             Bpe(f.need("model"), file + ": model"),
                                             PreTokenizer(f.need("pre_tokenizer"), file + ": pre_tokenizer"),
                                             AddedTokenFinder({}),
                                             AddedTokenFinder({}),
                                             {},
                                             {},
                                             {}});
  const auto added = read_added_tokens(field(root, "added_tokens"), impl->bpe, file + ": added_tokens");
  impl->raw_finder = AddedTokenFinder(select(added, false, nfc));
  impl->normalized_finder = AddedTokenFinder(select(added, true, nfc));
  impl->ids = impl->bpe.vocabulary();
  for (const auto& spelled : impl->bpe.spelling()) impl->bytes.push_back(from_byte_level(spelled).value_or(spelled));
  impl->special.resize(impl->bytes.size());
  for (const auto& token : added) {
    if (token.id >= static_cast<int64_t>(impl->bytes.size()))
      impl->bytes.resize(token.id + 1), impl->special.resize(token.id + 1);
    impl->bytes[token.id] = token.content;
    impl->special[token.id] = token.special;
    impl->ids.emplace(token.content, token.id);
  }
  if (impl->bytes.empty()) fail_usage("{}: the vocabulary is empty.", file);
  return std::shared_ptr<const Tokenizer>(new Tokenizer(std::move(impl)));
}

std::shared_ptr<const Tokenizer> Tokenizer::from_directory(const std::string& directory) {
  const auto file = directory + "/tokenizer.json";
  return from_json(read_text_file(file), file);
}

void Tokenizer::Impl::encode_plain(std::string_view text, std::vector<int32_t>& out) const {
  std::deque<std::string> storage;
  for (const auto piece : pre_tokenizer.split(text, storage)) bpe.encode(piece, out);
}

std::vector<int32_t> Tokenizer::encode(std::string_view text) const {
  const size_t bad = find_invalid_utf8(text);
  if (bad != std::string_view::npos) fail("tokenizer: byte {} of a text of {} bytes is not UTF-8", bad, text.size());
  std::vector<int32_t> ids;
  for (const auto& raw : impl_->raw_finder.split(text)) {
    if (raw.id >= 0) {
      ids.push_back(raw.id);
      continue;
    }
    const std::string normalized = impl_->nfc ? to_nfc(raw.text) : std::string();
    for (const auto& part : impl_->normalized_finder.split(impl_->nfc ? normalized : raw.text)) {
      if (part.id >= 0)
        ids.push_back(part.id);
      else
        impl_->encode_plain(part.text, ids);
    }
  }
  return ids;
}

std::string Tokenizer::decode(const std::vector<int32_t>& ids, bool skip_special) const {
  std::string text;
  for (const int32_t id : ids)
    if (!skip_special || !is_special(id)) text += token_bytes(id);
  return text;
}

const std::string& Tokenizer::token_bytes(int32_t id) const {
  if (id < 0 || id >= size()) fail("tokenizer: token id {} is not in the vocabulary of {} tokens", id, size());
  return impl_->bytes[id];
}

int64_t Tokenizer::size() const { return static_cast<int64_t>(impl_->bytes.size()); }

int32_t Tokenizer::id_of(std::string_view token) const {
  const auto it = impl_->ids.find(std::string(token));
  return it == impl_->ids.end() ? -1 : it->second;
}

bool Tokenizer::is_special(int32_t id) const { return id >= 0 && id < size() && impl_->special[id]; }

const std::string& Tokenizer::json() const { return impl_->json_text; }

}  // namespace model
