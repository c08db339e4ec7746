#include "model/tokenizer/bpe.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <climits>
#include <cstring>
#include <functional>
#include <memory>

#include "kernels/error.h"
#include "model/files/json_fields.h"
#include "model/tokenizer/byte_level.h"

namespace model {

namespace {

constexpr uint64_t kFree = ~uint64_t{0};
constexpr size_t kShort = 48;  // symbols up to which a scan for the best pair beats a heap

uint64_t pair_of(int32_t left, int32_t right) {
  return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
}

size_t slot_of(uint64_t pair, size_t slots) {
  uint64_t h = pair * 0x9e3779b97f4a7c15u;
  h ^= h >> 32;
  return h * 0xd6e8feb86659fd93u >> 20 & (slots - 1);
}

// The latest pieces of one thread, each where its hash says: a new one replaces the old one. One cache line an entry.
struct CacheEntry {
  static constexpr size_t kBytes = 26, kIds = 8;
  uint32_t serial = 0;  // of no model
  uint8_t size = 0, count = 0;
  char piece[kBytes];
  int32_t ids[kIds];
};
static_assert(sizeof(CacheEntry) == 64);
constexpr size_t kCacheEntries = 1 << 14;

CacheEntry& cached(uint64_t hash) {
  thread_local const auto entries = std::make_unique<CacheEntry[]>(kCacheEntries);
  return entries[hash & (kCacheEntries - 1)];
}

void refuse_text(const JsonFields& f, const char* key) {
  if (!f.string(key, "").empty()) f.wrong(key, "null: it is not supported");
}

}  // namespace

struct Bpe::Scratch {
  struct Links {
    int32_t previous, next;
  };
  struct Candidate {
    uint64_t order;  // rank << 32 | place
    int32_t id;
    bool operator>(const Candidate& o) const { return order > o.order; }
  };
  std::vector<int32_t> symbols;  // -1: joined into the one before it
  std::vector<Links> links;
  std::vector<Candidate> heap;
};

Bpe::Bpe(TokenizerFile& file) {
  const auto& model = part_of(file.root, "model");
  const JsonFields f(model, file.name + ": model");
  if (f.number("dropout", 0.0) != 0.0) f.wrong("dropout", "null: it is not supported");
  refuse_text(f, "continuing_subword_prefix");
  refuse_text(f, "end_of_word_suffix");
  ignore_merges_ = f.boolean("ignore_merges", false);
  static std::atomic<uint32_t> models{0};
  serial_ = ++models * 2;

  vocabulary_ = std::move(file.vocabulary);
  merges_.assign(std::bit_ceil(file.merges.size() * 2 + 16), {kFree, 0, 0});
  for (size_t rank = 0; rank < file.merges.size(); ++rank) {
    const auto& m = file.merges[rank];
    add_merge(m.left, m.right, static_cast<int32_t>(rank), m.joined);
  }
  drops_missing_ = !file.merges.empty();
  file.merges = {};
  read_unknown(file);
}

void Bpe::add_merge(int32_t left, int32_t right, int32_t rank, int32_t id) {
  const uint64_t pair = pair_of(left, right);
  size_t slot = slot_of(pair, merges_.size());
  while (merges_[slot].pair != kFree && merges_[slot].pair != pair) slot = (slot + 1) & (merges_.size() - 1);
  merges_[slot] = {pair, rank, id};  // of a pair that is listed twice the later one counts
}

const Bpe::Merge* Bpe::find_merge(int32_t left, int32_t right) const {
  const uint64_t pair = pair_of(left, right);
  for (size_t slot = slot_of(pair, merges_.size());; slot = (slot + 1) & (merges_.size() - 1)) {
    const Merge& m = merges_[slot];
    if (m.pair == pair) return &m;
    if (m.pair == kFree) return nullptr;
  }
}

void Bpe::read_unknown(const TokenizerFile& file) {
  const JsonFields f(part_of(file.root, "model"), file.name + ": model");
  bool bytes_complete = true;
  byte_fallback_ = f.boolean("byte_fallback", false);
  fuse_unknown_ = f.boolean("fuse_unk", false);
  for (int b = 0; b < 256; ++b) {
    byte_ids_[b] = vocabulary_.find(byte_level_character(static_cast<unsigned char>(b)));
    fallback_ids_[b] = vocabulary_.find(fmt::format("<0x{:02X}>", b));
    bytes_complete &= byte_ids_[b] >= 0;
  }
  unknown_id_ = vocabulary_.find(f.string("unk_token", ""));
  bytes_need_spelling_ = !bytes_complete && (byte_fallback_ || unknown_id_ >= 0);
}

void Bpe::missing(std::string_view character) const {
  if (drops_missing_) return;
  kernels::fail("tokenizer: the character {} is not in its alphabet. Leave it out of the text, or add it to the alphabet.",
                shown(std::string(character)));
}

void Bpe::symbols_of_bytes(std::string_view piece, std::vector<int32_t>& symbols) const {
  for (size_t at = 0; at < piece.size(); ++at) {
    const int32_t id = byte_ids_[static_cast<unsigned char>(piece[at])];
    if (id >= 0) {
      symbols.push_back(id);
    } else {
      const size_t begin = character_before(piece, at + 1);
      missing(piece.substr(begin, std::max<size_t>(1, utf8_length(piece, begin))));
    }
  }
}

void Bpe::symbols_of_text(std::string_view piece, std::vector<int32_t>& symbols) const {
  int32_t waiting = -1;  // an unknown token that may yet grow
  const auto finish = [&] {
    if (waiting >= 0) symbols.push_back(waiting);
    waiting = -1;
  };
  for (size_t at = 0, length; at < piece.size(); at += length) {
    length = utf8_length(piece, at);
    const std::string_view character = piece.substr(at, length);
    const int32_t id = vocabulary_.find(character);
    if (id >= 0) {
      finish();
      symbols.push_back(id);
      continue;
    }
    const auto has_token = [&](char b) { return fallback_ids_[static_cast<unsigned char>(b)] >= 0; };
    if (byte_fallback_ && std::all_of(character.begin(), character.end(), has_token)) {
      for (const char b : character) symbols.push_back(fallback_ids_[static_cast<unsigned char>(b)]);
    } else if (unknown_id_ >= 0) {
      if (!fuse_unknown_) finish();
      waiting = unknown_id_;
    } else {
      missing(character);
    }
  }
  finish();
}

// All pairs' merges side by side; the best is looked for from the left each time.
void Bpe::merge_short(std::vector<int32_t>& symbols) const {
  int32_t rank[kShort], joined[kShort];  // of symbols i and i + 1
  size_t n = symbols.size();
  const auto consider = [&](size_t i) {
    const Merge* m = find_merge(symbols[i], symbols[i + 1]);
    rank[i] = m ? m->rank : INT_MAX;
    joined[i] = m ? m->id : -1;
  };
  for (size_t i = 0; i + 1 < n; ++i) consider(i);
  while (n > 1) {
    size_t best = 0;
    for (size_t i = 1; i + 1 < n; ++i)
      if (rank[i] < rank[best]) best = i;
    if (rank[best] == INT_MAX) break;
    symbols[best] = joined[best];
    for (size_t i = best + 1; i + 1 < n; ++i) {
      symbols[i] = symbols[i + 1];
      rank[i] = rank[i + 1], joined[i] = joined[i + 1];
    }
    --n;
    if (best > 0) consider(best - 1);
    if (best + 1 < n) consider(best);
  }
  symbols.resize(n);
}

// A heap of candidates with stale entries skipped: O(n log n).
void Bpe::merge_long(Scratch& scratch) const {
  auto& symbols = scratch.symbols;  // no structured binding: clang 14 lets no lambda capture one
  auto& links = scratch.links;
  auto& heap = scratch.heap;
  const auto n = static_cast<int32_t>(symbols.size());
  links.resize(symbols.size());
  heap.clear();
  const auto consider = [&](int32_t at) {
    if (at < 0 || links[at].next < 0) return false;
    const Merge* m = find_merge(symbols[at], symbols[links[at].next]);
    if (m) heap.push_back({static_cast<uint64_t>(m->rank) << 32 | static_cast<uint32_t>(at), m->id});
    return m != nullptr;
  };
  const auto push = [&](int32_t at) {
    if (consider(at)) std::push_heap(heap.begin(), heap.end(), std::greater<>());
  };
  for (int32_t i = 0; i < n; ++i) links[i] = {i - 1, i + 1 < n ? i + 1 : -1};
  for (int32_t i = 0; i < n; ++i) consider(i);
  std::make_heap(heap.begin(), heap.end(), std::greater<>());
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    const Scratch::Candidate c = heap.back();
    heap.pop_back();
    const auto at = static_cast<int32_t>(c.order & 0xffffffffu);
    const int32_t next = links[at].next;
    if (symbols[at] < 0 || next < 0) continue;
    const Merge* m = find_merge(symbols[at], symbols[next]);
    if (!m || m->id != c.id) continue;  // stale: one of the two has changed since
    symbols[at] = c.id;
    symbols[next] = -1;
    links[at].next = links[next].next;
    if (links[at].next >= 0) links[links[at].next].previous = at;
    push(links[at].previous);
    push(at);
  }
  symbols.erase(std::remove(symbols.begin(), symbols.end(), -1), symbols.end());
}

void Bpe::encode_piece(std::string_view piece, bool byte_level, std::vector<int32_t>& ids) const {
  if (byte_level && bytes_need_spelling_) return encode_piece(to_byte_level(piece), false, ids);
  if (piece.size() > INT32_MAX / 2) kernels::fail("tokenizer: a piece of {} bytes without a split is too long", piece.size());
  if (ignore_merges_) {
    const int32_t id = byte_level ? vocabulary_.find(to_byte_level(piece)) : vocabulary_.find(piece);
    if (id >= 0) return ids.push_back(id);
  }
  thread_local Scratch scratch;
  auto& symbols = scratch.symbols;
  symbols.clear();
  byte_level ? symbols_of_bytes(piece, symbols) : symbols_of_text(piece, symbols);
  symbols.size() <= kShort ? merge_short(symbols) : merge_long(scratch);
  ids.insert(ids.end(), symbols.begin(), symbols.end());
  if (symbols.capacity() > (1u << 20)) scratch = {};  // one huge piece shall not hold its memory for ever
}

void Bpe::encode(std::string_view piece, bool byte_level, std::vector<int32_t>& ids) const {
  if (piece.size() > CacheEntry::kBytes) return encode_piece(piece, byte_level, ids);
  const uint32_t serial = serial_ + byte_level;
  CacheEntry& entry = cached(hash_of(piece) + serial);
  if (entry.serial == serial && entry.size == piece.size() && std::memcmp(entry.piece, piece.data(), piece.size()) == 0) {
    ids.insert(ids.end(), entry.ids, entry.ids + entry.count);
    return;
  }
  const size_t before = ids.size();
  encode_piece(piece, byte_level, ids);
  const size_t count = ids.size() - before;
  if (count > CacheEntry::kIds) return;
  entry.serial = serial;
  entry.size = static_cast<uint8_t>(piece.size());
  entry.count = static_cast<uint8_t>(count);
  std::memcpy(entry.piece, piece.data(), piece.size());
  std::copy_n(ids.begin() + static_cast<std::ptrdiff_t>(before), count, entry.ids);
}

}  // namespace model
