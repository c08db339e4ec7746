#include "model/tokenizer/tokenizer.h"

#include <algorithm>
#include <unordered_map>

#include "kernels/error.h"
#include "kernels/thread_pool.h"
#include "model/files/json_fields.h"
#include "model/tokenizer/added_tokens.h"
#include "model/tokenizer/bpe.h"
#include "model/tokenizer/byte_level.h"
#include "model/tokenizer/decoder.h"
#include "model/tokenizer/normalizer.h"
#include "model/tokenizer/post_processor.h"
#include "model/tokenizer/pre_tokenizer.h"
#include "model/tokenizer/tokenizer_file.h"

namespace model {

using kernels::fail;
using kernels::fail_usage;
using nlohmann::json;

struct Tokenizer::Impl {
  struct Token {
    std::string spelling, bytes;
    bool special = false;
  };
  std::string json_text;
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  Bpe bpe;
  Decoder decoder;
  PostProcessor post_processor;
  AddedTokenFinder raw_finder, normalized_finder;
  std::vector<Token> tokens;                          // by id
  std::unordered_map<std::string, int32_t> added_ids;

  Impl(const std::string& text, TokenizerFile& file, const std::vector<AddedToken>& added, int64_t ids);
  void fill_tokens(const std::vector<AddedToken>& added);
  void encode_part(std::string_view text, bool first, std::vector<int32_t>& ids) const;
  const Token& token(int32_t id) const;
  void decode(int32_t id, bool skip_special, Decoder::Stream& stream, std::string& text) const;
};

namespace {

std::vector<AddedToken> read_added_tokens(const json& list, const TokenTable& vocabulary, const std::string& where) {
  std::vector<AddedToken> tokens;
  if (list.is_null()) return tokens;
  if (!list.is_array()) fail_usage("{}: is {}, but must be a list.", where, shown(list));
  const auto largest = (vocabulary.ids() + static_cast<int64_t>(list.size())) * 2 + 1024;
  for (size_t i = 0; i < list.size(); ++i) {
    const auto place = fmt::format("{}[{}]", where, i);
    const JsonFields f(list[i], place);
    AddedToken t;
    t.id = static_cast<int32_t>(f.integer("id", 0, largest));
    t.content = f.string("content");
    t.single_word = f.boolean("single_word", false);
    t.left_strip = f.boolean("lstrip", false);
    t.right_strip = f.boolean("rstrip", false);
    t.special = f.boolean("special", false);
    t.normalized = f.boolean("normalized", !t.special);
    if (t.content.empty()) f.wrong("content", "at least one character");
    const int32_t known = vocabulary.find(t.content);
    if (known >= 0 && known != t.id)
      fail_usage("{}: {} has id {}, but id {} in the vocabulary.", place, shown(t.content), t.id, known);
    if (known < 0 && t.id < vocabulary.ids() && vocabulary.has(t.id))
      fail_usage("{}: {} has id {}, which is {} in the vocabulary.", place, shown(t.content), t.id,
                 shown(std::string(vocabulary.spelling(t.id))));
    tokens.push_back(std::move(t));
  }
  return tokens;
}

// Those to look for in the normalised text, or in the text as it is; special ones first, so that they win over equal ones.
std::vector<AddedToken> select(const std::vector<AddedToken>& tokens, bool normalized, const Normalizer& normalizer) {
  std::vector<AddedToken> chosen;
  for (auto token : tokens) {
    if (token.normalized != normalized) continue;
    std::string storage;
    bool cut = false;
    if (normalized) token.content = std::string(normalizer.apply(token.content, storage, &cut));
    chosen.push_back(std::move(token));
  }
  std::stable_partition(chosen.begin(), chosen.end(), [](const auto& t) { return t.special; });
  return chosen;
}

int64_t count_ids(const TokenTable& vocabulary, const std::vector<AddedToken>& added) {
  int64_t ids = vocabulary.ids();
  for (const auto& token : added) ids = std::max<int64_t>(ids, token.id + 1);
  return ids;
}

}  // namespace

Tokenizer::Impl::Impl(const std::string& text, TokenizerFile& file, const std::vector<AddedToken>& added, int64_t ids)
    : json_text(text),
      normalizer(part_of(file.root, "normalizer"), file.name + ": normalizer"),
      pre_tokenizer(part_of(file.root, "pre_tokenizer"), file.name + ": pre_tokenizer"),
      bpe(file),
      decoder(part_of(file.root, "decoder"), file.name + ": decoder"),
      post_processor(part_of(file.root, "post_processor"), file.name + ": post_processor", ids),
      raw_finder(select(added, false, normalizer)),
      normalized_finder(select(added, true, normalizer)),
      tokens(static_cast<size_t>(ids)) {
  fill_tokens(added);
}

void Tokenizer::Impl::fill_tokens(const std::vector<AddedToken>& added) {
  const auto& vocabulary = bpe.vocabulary();
  for (int32_t id = 0; id < vocabulary.ids(); ++id) {
    if (!vocabulary.has(id)) continue;
    Token& token = tokens[static_cast<size_t>(id)];
    token.spelling = vocabulary.spelling(id);
    token.bytes = decoder.takes_bytes() ? from_byte_level(token.spelling).value_or(token.spelling) : decoder.inside(token.spelling);
  }
  for (const auto& a : added) {
    Token& token = tokens[static_cast<size_t>(a.id)];
    token.spelling = a.content;
    token.bytes = decoder.takes_bytes() ? a.content : decoder.inside(a.content);
    token.special = a.special;
    added_ids.emplace(a.content, a.id);
  }
}

Tokenizer::Tokenizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tokenizer::~Tokenizer() = default;

std::shared_ptr<const Tokenizer> Tokenizer::from_json(const std::string& json_text, const std::string& file) {
  TokenizerFile parts = read_tokenizer_json(json_text, file);
  const auto added = read_added_tokens(part_of(parts.root, "added_tokens"), parts.vocabulary, file + ": added_tokens");
  const int64_t ids = count_ids(parts.vocabulary, added);
  if (ids == 0) fail_usage("{}: the vocabulary is empty.", file);
  return std::shared_ptr<const Tokenizer>(new Tokenizer(std::make_unique<Impl>(json_text, parts, added, ids)));
}

std::shared_ptr<const Tokenizer> Tokenizer::from_directory(const std::string& directory) {
  const auto file = directory + "/tokenizer.json";
  return from_json(read_text_file(file), file);
}

// A part without raw added tokens. `first`: the whole input starts with it.
void Tokenizer::Impl::encode_part(std::string_view text, bool first, std::vector<int32_t>& ids) const {
  thread_local std::vector<AddedTokenFinder::Part> parts;
  thread_local PreTokenizer::Pieces pieces;
  std::string storage;
  bool cut_front = false;
  const auto normalized = normalizer.apply(text, storage, &cut_front);
  first = first && !cut_front;
  parts.clear();
  normalized_finder.split(normalized, parts);
  for (const auto& part : parts) {
    if (part.id >= 0) {
      ids.push_back(part.id);
      continue;
    }
    pre_tokenizer.split(part.text, first && part.text.data() == normalized.data(), pieces);
    for (const auto piece : pieces.list) bpe.encode(piece, pre_tokenizer.byte_level(), ids);
  }
}

std::vector<int32_t> Tokenizer::encode(std::string_view text, bool add_special_tokens) const {
  const size_t bad = find_invalid_utf8(text);
  if (bad != std::string_view::npos) fail("tokenizer: byte {} of a text of {} bytes is not UTF-8", bad, text.size());
  std::vector<int32_t> ids;
  ids.reserve(text.size() / 3 + 8);
  std::vector<AddedTokenFinder::Part> parts;
  impl_->raw_finder.split(text, parts);
  for (const auto& part : parts) {
    if (part.id >= 0)
      ids.push_back(part.id);
    else
      impl_->encode_part(part.text, part.text.data() == text.data(), ids);
  }
  return add_special_tokens ? impl_->post_processor.apply(std::move(ids)) : ids;
}

std::vector<std::vector<int32_t>> Tokenizer::encode_batch(const std::vector<std::string_view>& texts,
                                                          bool add_special_tokens) const {
  std::vector<std::vector<int32_t>> ids(texts.size());
  kernels::parallel_for(static_cast<int64_t>(texts.size()), [&](int64_t i) {
    ids[static_cast<size_t>(i)] = encode(texts[static_cast<size_t>(i)], add_special_tokens);
  });
  return ids;
}

const Tokenizer::Impl::Token& Tokenizer::Impl::token(int32_t id) const {
  if (id < 0 || static_cast<size_t>(id) >= tokens.size())
    fail("tokenizer: token id {} is not in the vocabulary of {} tokens", id, tokens.size());
  return tokens[static_cast<size_t>(id)];
}

void Tokenizer::Impl::decode(int32_t id, bool skip_special, Decoder::Stream& stream, std::string& text) const {
  const Token& t = token(id);
  if (t.spelling.empty() || (skip_special && t.special)) return;
  stream.push(decoder.takes_bytes() ? t.bytes : t.spelling, text);
}

std::string Tokenizer::decode(const std::vector<int32_t>& ids, bool skip_special) const {
  std::string text;
  Decoder::Stream stream(impl_->decoder);
  for (const int32_t id : ids) impl_->decode(id, skip_special, stream, text);
  stream.finish(text);
  return text;
}

const std::string& Tokenizer::token_bytes(int32_t id) const { return impl_->token(id).bytes; }

const std::string& Tokenizer::spelling(int32_t id) const { return impl_->token(id).spelling; }

int64_t Tokenizer::size() const { return static_cast<int64_t>(impl_->tokens.size()); }

int32_t Tokenizer::id_of(std::string_view token) const {
  const int32_t id = impl_->bpe.vocabulary().find(token);
  if (id >= 0) return id;
  const auto it = impl_->added_ids.find(std::string(token));
  return it == impl_->added_ids.end() ? -1 : it->second;
}

bool Tokenizer::is_special(int32_t id) const { return id >= 0 && id < size() && impl_->tokens[static_cast<size_t>(id)].special; }

const std::string& Tokenizer::json() const { return impl_->json_text; }

struct TextStream::State {
  Decoder::Stream stream;
  bool skip_special;
};

TextStream::TextStream(std::shared_ptr<const Tokenizer> tokenizer, bool skip_special)
    : tokenizer_(std::move(tokenizer)), state_(new State{Decoder::Stream(tokenizer_->impl_->decoder), skip_special}) {}
TextStream::~TextStream() = default;

std::string TextStream::push(int32_t id) {
  std::string text;
  tokenizer_->impl_->decode(id, state_->skip_special, state_->stream, text);
  return text;
}

std::string TextStream::finish() {
  std::string text;
  state_->stream.finish(text);
  return text;
}

}  // namespace model
