#include "model/tokenizer/token_table.h"

#include <bit>
#include <cstring>

#include "kernels/error.h"

namespace model {

namespace {

uint64_t mix(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

}  // namespace

uint64_t hash_of(std::string_view bytes) {
  constexpr uint64_t k0 = 0x9e3779b97f4a7c15u, k1 = 0xd6e8feb86659fd93u;
  uint64_t h = k0 ^ bytes.size();
  const char* at = bytes.data();
  size_t left = bytes.size();
  uint64_t word = 0;
  for (; left >= 8; left -= 8, at += 8) {
    std::memcpy(&word, at, 8);
    h = mix(h ^ word, k1);
  }
  word = 0;
  if (left >= 4) {  // two reads that overlap, so no loop over bytes
    uint32_t first, last;
    std::memcpy(&first, at, 4);
    std::memcpy(&last, at + left - 4, 4);
    word = static_cast<uint64_t>(first) << 32 | last;
  } else if (left > 0) {
    const auto byte = [&](size_t i) { return static_cast<uint64_t>(static_cast<unsigned char>(at[i])); };
    word = byte(0) << 16 | byte(left / 2) << 8 | byte(left - 1);
  }
  return mix(h ^ word, k0);
}

void TokenTable::reserve(size_t tokens, size_t bytes) {
  text_.reserve(bytes);
  spans_.reserve(tokens);
  if (tokens * 2 > slots_.size()) grow(std::bit_ceil(tokens * 2 + 16));
}

void TokenTable::grow(size_t slots) {
  slots_.assign(slots, -1);
  for (int32_t id = 0; id < ids(); ++id) {
    if (!has(id)) continue;
    size_t slot = hash_of(spelling(id)) & (slots - 1);
    while (slots_[slot] >= 0) slot = (slot + 1) & (slots - 1);
    slots_[slot] = id;
  }
}

bool TokenTable::add(std::string_view token, int32_t id) {
  if (id < ids() && has(id)) return false;
  if (static_cast<size_t>(count_ + 1) * 2 > slots_.size()) grow(std::bit_ceil(slots_.size() * 2 + 16));
  size_t slot = hash_of(token) & (slots_.size() - 1);
  for (; slots_[slot] >= 0; slot = (slot + 1) & (slots_.size() - 1))
    if (spelling(slots_[slot]) == token) return false;
  if (text_.size() + token.size() > UINT32_MAX) kernels::fail("tokenizer: a vocabulary of more than 4 GB");
  if (id >= ids()) spans_.resize(static_cast<size_t>(id) + 1);
  spans_[static_cast<size_t>(id)] = {static_cast<uint32_t>(text_.size()), static_cast<uint32_t>(token.size())};
  text_.append(token);
  slots_[slot] = id;
  ++count_;
  return true;
}

int32_t TokenTable::find(std::string_view token) const {
  if (slots_.empty()) return -1;
  for (size_t slot = hash_of(token) & (slots_.size() - 1); slots_[slot] >= 0; slot = (slot + 1) & (slots_.size() - 1))
    if (spelling(slots_[slot]) == token) return slots_[slot];
  return -1;
}

std::string_view TokenTable::spelling(int32_t id) const {
  const Span span = spans_[static_cast<size_t>(id)];
  return std::string_view(text_).substr(span.begin, span.size);
}

}  // namespace model
