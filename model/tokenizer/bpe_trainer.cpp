#include "model/tokenizer/bpe_trainer.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <queue>
#include <unordered_map>

#include "kernels/error.h"
#include "model/files/json_fields.h"
#include "model/tokenizer/byte_level.h"

namespace model {

using kernels::fail;
using kernels::fail_usage;
using nlohmann::ordered_json;

namespace {

constexpr int64_t kMostTokens = 1 << 22;

ordered_json byte_level(bool use_regex) {
  return {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", use_regex}};
}

// The patterns of the models of these names.
ordered_json pre_tokenizer_json(const std::string& pattern) {
  if (pattern == "gpt2") return byte_level(true);
  if (pattern != "qwen2" && pattern != "llama3") fail_usage("pattern: is {}, but must be gpt2, qwen2 or llama3.", shown(pattern));
  const std::string digits = pattern == "qwen2" ? R"(\p{N})" : R"(\p{N}{1,3})";
  const std::string regex = R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|)" + digits +
                            R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
  const ordered_json split{{"type", "Split"}, {"pattern", {{"Regex", regex}}}, {"behavior", "Isolated"}, {"invert", false}};
  return {{"type", "Sequence"}, {"pretokenizers", {split, byte_level(false)}}};
}

ordered_json normalizer_json(const std::string& pattern) {
  return pattern == "qwen2" ? ordered_json{{"type", "NFC"}} : ordered_json(nullptr);
}

uint64_t pair_of(int32_t left, int32_t right) {
  return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
}
int32_t left_of(uint64_t pair) { return static_cast<int32_t>(pair >> 32); }
int32_t right_of(uint64_t pair) { return static_cast<int32_t>(pair & 0xffffffffu); }

struct PairHash {
  size_t operator()(uint64_t pair) const { return (pair ^ pair >> 29) * 0x9e3779b97f4a7c15u >> 7; }
};

// The merges of one training. Words stay in one block; a merge shortens them in place.
class Merger {
 public:
  Merger(const TokenTable& words, const std::vector<int64_t>& counts, std::vector<std::string> tokens);
  void run(int64_t vocab_size);

  const std::vector<std::string>& tokens() const { return tokens_; }  // byte-level spelling, by id
  const std::vector<uint64_t>& merges() const { return merges_; }
  int64_t rarest() const { return rarest_; }

 private:
  struct Word {
    size_t begin;
    int32_t size;
  };
  // A pair and the words in which it came about at one time. A pair may have several.
  struct Candidate {
    int64_t count;
    uint64_t pair;
    std::vector<int32_t> words;  // ascending
    bool operator<(const Candidate& o) const { return count != o.count ? count < o.count : pair > o.pair; }
  };
  using Places = std::unordered_map<uint64_t, std::vector<int32_t>, PairHash>;
  static void note(Places& places, uint64_t pair, int32_t word);
  void queue(Places& places);
  void merge(const Candidate& candidate, int32_t id, Places& places);
  int32_t id_of(const std::string& token);

  std::vector<int32_t> symbols_;
  std::vector<Word> words_;
  const std::vector<int64_t>& counts_;
  std::unordered_map<uint64_t, int64_t, PairHash> pair_counts_;
  std::priority_queue<Candidate> queue_;
  std::vector<std::string> tokens_;
  std::unordered_map<std::string, int32_t> ids_;
  std::vector<uint64_t> merges_;
  int64_t rarest_ = 0;
};

Merger::Merger(const TokenTable& words, const std::vector<int64_t>& counts, std::vector<std::string> tokens)
    : counts_(counts), tokens_(std::move(tokens)) {
  for (size_t i = 0; i < tokens_.size(); ++i) ids_.emplace(tokens_[i], static_cast<int32_t>(i));
  int32_t byte_ids[256];
  for (int b = 0; b < 256; ++b) byte_ids[b] = ids_.at(byte_level_character(static_cast<unsigned char>(b)));
  Places places;
  for (int32_t w = 0; w < words.ids(); ++w) {
    const auto text = words.spelling(w);
    words_.push_back({symbols_.size(), static_cast<int32_t>(text.size())});
    for (const char b : text) symbols_.push_back(byte_ids[static_cast<unsigned char>(b)]);
    const int32_t* at = symbols_.data() + words_.back().begin;
    for (size_t i = 0; i + 1 < text.size(); ++i) {
      const uint64_t pair = pair_of(at[i], at[i + 1]);
      pair_counts_[pair] += counts[static_cast<size_t>(w)];
      note(places, pair, w);
    }
  }
  queue(places);
}

void Merger::note(Places& places, uint64_t pair, int32_t word) {
  auto& list = places[pair];
  if (list.empty() || list.back() != word) list.push_back(word);
}

void Merger::queue(Places& places) {
  for (auto& [pair, words] : places)
    if (const int64_t count = pair_counts_[pair]; count > 0) queue_.push({count, pair, std::move(words)});
  places.clear();
}

int32_t Merger::id_of(const std::string& token) {
  const auto [it, added] = ids_.emplace(token, static_cast<int32_t>(tokens_.size()));
  if (added) tokens_.push_back(token);
  return it->second;
}

void Merger::merge(const Candidate& candidate, int32_t id, Places& places) {
  const int32_t left = left_of(candidate.pair), right = right_of(candidate.pair);
  for (const int32_t w : candidate.words) {
    Word& word = words_[static_cast<size_t>(w)];
    int32_t* const s = symbols_.data() + word.begin;
    const int64_t count = counts_[static_cast<size_t>(w)];
    const auto gain = [&](int32_t a, int32_t b) {
      pair_counts_[pair_of(a, b)] += count;
      note(places, pair_of(a, b), w);
    };
    int32_t written = 0;
    for (int32_t read = 0; read < word.size;) {
      if (s[read] != left || read + 1 == word.size || s[read + 1] != right) {
        s[written++] = s[read++];
        continue;
      }
      if (written > 0) {
        pair_counts_[pair_of(s[written - 1], left)] -= count;
        gain(s[written - 1], id);
      }
      if (read + 2 < word.size) {
        pair_counts_[pair_of(right, s[read + 2])] -= count;
        gain(id, s[read + 2]);
      }
      s[written++] = id;
      read += 2;
    }
    word.size = written;
  }
}

void Merger::run(int64_t vocab_size) {
  Places places;
  while (static_cast<int64_t>(ids_.size()) < vocab_size && !queue_.empty()) {
    Candidate top = std::move(const_cast<Candidate&>(queue_.top()));  // its key stays, so the order of the queue does too
    queue_.pop();
    const int64_t count = pair_counts_[top.pair];
    if (top.count != count) {  // merges have taken neighbours away since
      top.count = count;
      queue_.push(std::move(top));
      continue;
    }
    if (count < 1) break;
    const int32_t id = id_of(tokens_[static_cast<size_t>(left_of(top.pair))] + tokens_[static_cast<size_t>(right_of(top.pair))]);
    merges_.push_back(top.pair);
    rarest_ = count;
    merge(top, id, places);
    queue(places);
  }
}

// Written by hand where it is long: ordered_json looks for each new key among all the others.
std::string write_json(const BpeTraining& training, const std::vector<std::string>& tokens, const std::vector<uint64_t>& merges) {
  ordered_json added = ordered_json::array();
  for (size_t i = 0; i < training.special.size(); ++i)
    added.push_back({{"id", i},
                     {"content", training.special[i]},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  const ordered_json head{{"version", "1.0"},
                          {"truncation", nullptr},
                          {"padding", nullptr},
                          {"added_tokens", added},
                          {"normalizer", normalizer_json(training.pattern)},
                          {"pre_tokenizer", pre_tokenizer_json(training.pattern)},
                          {"post_processor", nullptr},
                          {"decoder", byte_level(true)}};
  std::string text = head.dump(2);
  text.resize(text.size() - 2);  // its last brace
  text += ",\n  \"model\": {\n    \"type\": \"BPE\",\n    \"dropout\": null,\n    \"unk_token\": null,\n"
          "    \"continuing_subword_prefix\": null,\n    \"end_of_word_suffix\": null,\n    \"fuse_unk\": false,\n"
          "    \"byte_fallback\": false,\n    \"ignore_merges\": false,\n    \"vocab\": {";
  const auto quoted = [&](int32_t id) { return nlohmann::json(tokens[static_cast<size_t>(id)]).dump(); };
  for (size_t i = 0; i < tokens.size(); ++i)
    text += fmt::format("{}\n      {}: {}", i > 0 ? "," : "", quoted(static_cast<int32_t>(i)), i);
  text += "\n    },\n    \"merges\": [";
  for (size_t i = 0; i < merges.size(); ++i)
    text += fmt::format("{}\n      [{}, {}]", i > 0 ? "," : "", quoted(left_of(merges[i])), quoted(right_of(merges[i])));
  return text + (merges.empty() ? "]\n  }\n}\n" : "\n    ]\n  }\n}\n");
}

}  // namespace

BpeTrainer::BpeTrainer(BpeTraining training)
    : training_(std::move(training)),
      normalizer_(nlohmann::json(normalizer_json(training_.pattern)), "pattern"),
      pre_tokenizer_(nlohmann::json(pre_tokenizer_json(training_.pattern)), "pattern") {
  const int64_t least = 256 + static_cast<int64_t>(training_.special.size());
  if (training_.vocab_size < least || training_.vocab_size > kMostTokens)
    fail_usage("vocab: is {}, but must be from {} (the bytes and the special tokens) to {}.", training_.vocab_size, least,
               kMostTokens);
  for (size_t i = 0; i < training_.special.size(); ++i) {
    const auto& token = training_.special[i];
    const auto bytes = from_byte_level(token);
    if (token.empty() || find_invalid_utf8(token) != std::string::npos)
      fail_usage("special: {} is empty or not UTF-8.", shown(token));
    if (bytes && bytes->size() == 1) fail_usage("special: {} stands for a byte already; take a longer one.", shown(token));
    if (std::count(training_.special.begin(), training_.special.end(), token) > 1)
      fail_usage("special: {} comes twice; each token has one id.", shown(token));
  }
}

void BpeTrainer::add(std::string_view text) {
  const size_t bad = find_invalid_utf8(text);
  if (bad != std::string_view::npos) fail_usage("byte {} of a text of {} bytes is not UTF-8.", bad, text.size());
  text_bytes_ += static_cast<int64_t>(text.size());
  std::string storage;
  bool cut_front = false;
  pre_tokenizer_.split(normalizer_.apply(text, storage, &cut_front), true, pieces_);
  for (const auto piece : pieces_.list) {
    int32_t word = words_.find(piece);
    if (word < 0) {
      word = static_cast<int32_t>(words_.ids());
      if (word == INT32_MAX / 2) fail("tokenizer: more than a thousand million distinct pieces; take less text");
      words_.add(piece, word);
      counts_.push_back(0);
    }
    ++counts_[static_cast<size_t>(word)];
  }
}

BpeTrainer::Result BpeTrainer::train() {
  std::vector<std::string> tokens = training_.special;
  std::vector<std::string> bytes;
  for (int b = 0; b < 256; ++b) bytes.push_back(byte_level_character(static_cast<unsigned char>(b)));
  std::sort(bytes.begin(), bytes.end());  // UTF-8 sorts as code points do
  tokens.insert(tokens.end(), bytes.begin(), bytes.end());
  Merger merger(words_, counts_, std::move(tokens));
  merger.run(training_.vocab_size);
  return {write_json(training_, merger.tokens(), merger.merges()), static_cast<int64_t>(merger.tokens().size()), merger.rarest()};
}

}  // namespace model
