#include "model/tokenizer/bpe.h"

#include <algorithm>
#include <queue>

#include "kernels/error.h"
#include "model/tokenizer/byte_level.h"
#include "model/files/json_fields.h"

namespace model {

using kernels::fail_usage;
using nlohmann::json;

namespace {

constexpr int64_t kLargestId = (int64_t{1} << 24) - 1;
constexpr size_t kCachedPieces = 1 << 16, kCachedPieceBytes = 64;

void refuse_text(const JsonFields& f, const char* key) {
  if (!f.string(key, "").empty()) f.wrong(key, "null: it is not supported");
}

}  // namespace

Bpe::Bpe(const json& model, const std::string& where) {
  const JsonFields f(model, where);
  if (f.string("type", "BPE") != "BPE") f.wrong("type", "BPE: other models are not supported");
  if (f.number("dropout", 0.0) != 0.0) f.wrong("dropout", "null: it is not supported");
  refuse_text(f, "continuing_subword_prefix");
  refuse_text(f, "end_of_word_suffix");
  ignore_merges_ = f.boolean("ignore_merges", false);
  read_vocabulary(model, where);
  read_merges(model, where);
  read_unknown(model, where);
}

void Bpe::read_vocabulary(const json& model, const std::string& where) {
  const JsonFields f(model, where);
  const json& vocabulary = f.need("vocab");
  if (!vocabulary.is_object()) f.wrong("vocab", "an object of tokens and ids");
  byte_ids_.fill(-1);
  vocabulary_.reserve(vocabulary.size());
  // Ids far above the count would only be holes; the bound keeps a hostile file from taking memory.
  const int64_t largest = std::min<int64_t>(kLargestId, static_cast<int64_t>(vocabulary.size()) * 2 + 1024);
  for (const auto& [token, id] : vocabulary.items()) {
    if (!id.is_number_integer() || id < 0 || id > largest)
      fail_usage("{}: vocab: the id of {} is {}, but must be an integer from 0 to {}.", where, shown(token), shown(id), largest);
    const auto n = id.get<int32_t>();
    if (n >= static_cast<int64_t>(spelling_.size())) spelling_.resize(n + 1);
    if (!spelling_[n].empty()) fail_usage("{}: vocab: {} and {} both have id {}.", where, shown(spelling_[n]), shown(token), n);
    spelling_[n] = token;
    vocabulary_.emplace(token, n);
    const auto bytes = from_byte_level(token);
    if (bytes && bytes->size() == 1) byte_ids_[static_cast<unsigned char>((*bytes)[0])] = n;
    if (bytes && ignore_merges_) by_bytes_.emplace(*bytes, n);
  }
}

// ["a b", ...] in old files, [["a", "b"], ...] in newer ones.
void Bpe::read_merges(const json& model, const std::string& where) {
  const JsonFields f(model, where);
  const json& merges = f.need("merges");
  if (!merges.is_array()) f.wrong("merges", "a list");
  merges_.reserve(merges.size());
  int32_t rank = 0;
  for (const auto& entry : merges) {
    std::string left, right;
    if (entry.is_string()) {
      const auto& text = entry.get_ref<const std::string&>();
      const size_t space = text.find(' ');
      if (space != std::string::npos) left = text.substr(0, space), right = text.substr(space + 1);
    } else if (entry.is_array() && entry.size() == 2 && entry[0].is_string() && entry[1].is_string()) {
      left = entry[0].get<std::string>(), right = entry[1].get<std::string>();
    }
    if (left.empty() || right.empty())
      fail_usage("{}: merges: entry {} is {}, but must be \"a b\" or [\"a\", \"b\"].", where, rank, shown(entry));
    const auto id = [&](const std::string& token) {
      const auto it = vocabulary_.find(token);
      if (it == vocabulary_.end())
        fail_usage("{}: merges: entry {} needs the token {}, which is not in the vocabulary.", where, rank, shown(token));
      return it->second;
    };
    const uint64_t key = static_cast<uint64_t>(id(left)) << 32 | static_cast<uint32_t>(id(right));
    merges_[key] = {rank, id(left + right)};
    ++rank;
  }
}

void Bpe::read_unknown(const json& model, const std::string& where) {
  const JsonFields f(model, where);
  const auto unknown = f.string("unk_token", "");
  const bool complete = std::find(byte_ids_.begin(), byte_ids_.end(), -1) == byte_ids_.end();
  if (complete) return;  // then no byte is ever unknown
  if (f.boolean("byte_fallback", false)) f.wrong("byte_fallback", "false: it is not supported");
  if (unknown.empty()) return;
  if (f.boolean("fuse_unk", false)) f.wrong("fuse_unk", "false: it is not supported");
  const auto it = vocabulary_.find(unknown);
  if (it == vocabulary_.end()) f.wrong("unk_token", "a token of the vocabulary");
  unknown_id_ = it->second;
}

const Bpe::Merge* Bpe::find_merge(int32_t left, int32_t right) const {
  const auto it = merges_.find(static_cast<uint64_t>(left) << 32 | static_cast<uint32_t>(right));
  return it == merges_.end() ? nullptr : &it->second;
}

int32_t Bpe::id_of_byte(std::string_view piece, size_t at) const {
  const int32_t id = byte_ids_[static_cast<unsigned char>(piece[at])];
  if (id >= 0) return id;
  if (unknown_id_ >= 0) return unknown_id_;
  size_t begin = at;
  while (begin > 0 && (static_cast<unsigned char>(piece[begin]) & 0xc0) == 0x80) --begin;
  const auto length = std::max<size_t>(1, utf8_length(piece, begin));
  kernels::fail("tokenizer: the character {} is not in its alphabet. Leave it out of the text, or add it to the alphabet.",
                shown(std::string(piece.substr(begin, length))));
}

void Bpe::merge(std::string_view piece, std::vector<int32_t>& ids) const {
  struct Symbol {
    int32_t id;  // -1: joined into the one before it
    int32_t previous, next;
  };
  struct Candidate {
    int32_t rank, at, id;
    bool operator>(const Candidate& o) const { return rank != o.rank ? rank > o.rank : at > o.at; }
  };
  const auto n = static_cast<int32_t>(piece.size());
  std::vector<Symbol> symbols(n);
  for (int32_t i = 0; i < n; ++i) symbols[i] = {id_of_byte(piece, i), i - 1, i + 1 < n ? i + 1 : -1};
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates;
  const auto consider = [&](int32_t at) {
    if (at < 0 || symbols[at].next < 0) return;
    if (const Merge* m = find_merge(symbols[at].id, symbols[symbols[at].next].id)) candidates.push({m->rank, at, m->id});
  };
  for (int32_t i = 0; i + 1 < n; ++i) consider(i);
  while (!candidates.empty()) {
    const Candidate c = candidates.top();
    candidates.pop();
    Symbol& left = symbols[c.at];
    if (left.id < 0 || left.next < 0) continue;
    Symbol& right = symbols[left.next];
    const Merge* m = find_merge(left.id, right.id);
    if (!m || m->id != c.id) continue;  // stale: one of the two has changed since
    left.id = c.id;
    left.next = right.next;
    if (right.next >= 0) symbols[right.next].previous = c.at;
    right.id = -1;
    consider(left.previous);
    consider(c.at);
  }
  for (const Symbol& s : symbols)
    if (s.id >= 0) ids.push_back(s.id);
}

void Bpe::encode(std::string_view piece, std::vector<int32_t>& ids) const {
  if (piece.size() == 1) return ids.push_back(id_of_byte(piece, 0));
  if (piece.size() > INT32_MAX / 2) kernels::fail("tokenizer: a piece of {} bytes without a split is too long", piece.size());
  if (ignore_merges_) {
    const auto it = by_bytes_.find(std::string(piece));
    if (it != by_bytes_.end()) return ids.push_back(it->second);
  }
  if (piece.size() > kCachedPieceBytes) return merge(piece, ids);
  const std::string key(piece);
  {
    const std::lock_guard lock(cache_mutex_);
    const auto it = cache_.find(key);
    if (it != cache_.end()) {
      ids.insert(ids.end(), it->second.begin(), it->second.end());
      return;
    }
  }
  std::vector<int32_t> own;
  merge(piece, own);
  ids.insert(ids.end(), own.begin(), own.end());
  const std::lock_guard lock(cache_mutex_);
  if (cache_.size() < kCachedPieces) cache_.emplace(key, std::move(own));
}

}  // namespace model
