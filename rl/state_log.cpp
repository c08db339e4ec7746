#include "rl/state_log.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "kernels/thread_pool.h"
#include "rl/line_log.h"

namespace rl {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kPiece = 1 << 16;  // values
constexpr uint64_t kOdd = 0x9E3779B97F4A7C15ull;

// Spreads every bit over the word (the finisher of splitmix64).
uint64_t mixed(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

uint64_t combined(uint64_t a, uint64_t b) { return mixed(a * kOdd + b); }

// Eight chains, so that the processor need not wait for one multiplication after the other.
uint64_t hash_piece(const float* values, int64_t count) {
  constexpr size_t lanes = 8;
  std::array<uint64_t, lanes> state;
  for (size_t i = 0; i < lanes; ++i) state[i] = mixed(i + 1);
  int64_t at = 0;
  for (; at + 16 <= count; at += 16) {
    std::array<uint64_t, lanes> words;
    std::memcpy(words.data(), values + at, sizeof words);
    for (size_t i = 0; i < lanes; ++i) state[i] = (state[i] ^ words[i]) * kOdd, state[i] ^= state[i] >> 29;
  }
  uint64_t hash = static_cast<uint64_t>(count);
  for (; at < count; ++at) {
    uint32_t word;
    std::memcpy(&word, values + at, sizeof word);
    hash = combined(hash, word);
  }
  for (const uint64_t s : state) hash = combined(hash, s);
  return hash;
}

std::string hex(uint64_t x) { return fmt::format("{:016x}", x); }

}  // namespace

uint64_t hash_floats(const float* values, int64_t count) {
  std::vector<uint64_t> pieces(static_cast<size_t>((count + kPiece - 1) / kPiece));
  kernels::parallel_for(static_cast<int64_t>(pieces.size()), [&](int64_t i) {
    pieces[static_cast<size_t>(i)] = hash_piece(values + i * kPiece, std::min(kPiece, count - i * kPiece));
  });
  uint64_t hash = static_cast<uint64_t>(count);
  for (const uint64_t piece : pieces) hash = combined(hash, piece);
  return hash;
}

StateHash hash_state(const model::ParameterStore& store, const std::string& stage, int64_t step) {
  StateHash state{stage, step, "", {}};
  uint64_t all = 0;
  const auto add = [&](const std::string& name, const float* values, int64_t count) {
    const uint64_t hash = hash_floats(values, count);
    all = combined(all, hash);
    state.parts.emplace_back(name, hex(hash));
  };
  for (const auto& p : store.parameters()) add(p.name, kernels::f32(store.master) + p.offset, p.size);
  add("first_moment", kernels::f32(store.first_moment), store.size());
  add("second_moment", kernels::f32(store.second_moment), store.size());
  state.all = hex(all);
  return state;
}

void append_state(const std::string& file, const StateHash& state) {
  Json tensors = Json::object();
  for (size_t i = 0; i + 2 < state.parts.size(); ++i) tensors[state.parts[i].first] = state.parts[i].second;
  Json json{{"stage", state.stage}, {"step", state.step}, {"hash", state.all}};
  for (size_t i = state.parts.size() - 2; i < state.parts.size(); ++i) json[state.parts[i].first] = state.parts[i].second;
  json["tensors"] = std::move(tensors);
  line_log(file).append(json.dump());
}

std::vector<StateHash> read_states(const std::string& file) {
  std::vector<StateHash> states;
  std::ifstream in(file, std::ios::binary);
  for (std::string line; std::getline(in, line);) {
    const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object()) continue;
    try {
      StateHash state{json.at("stage"), json.at("step"), json.at("hash"), {}};
      for (const auto& [name, hash] : json.at("tensors").items()) state.parts.emplace_back(name, hash);
      for (const char* name : {"first_moment", "second_moment"}) state.parts.emplace_back(name, json.at(name));
      states.push_back(std::move(state));
    } catch (const nlohmann::json::exception& e) {
      kernels::fail_usage("{}: a line is no state of a run: {}.", file, e.what());
    }
  }
  return states;
}

}  // namespace rl
