#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "model/gguf/gguf_tokenizer_parts.h"

namespace model {

namespace {

struct Merge {
  int64_t left, right;
  float score;
  int64_t left_length, right_length;  // characters
};

bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }

}  // namespace

nlohmann::ordered_json sentencepiece_merges(const std::vector<std::string>& pieces, const std::vector<float>& scores) {
  std::unordered_map<std::string_view, int64_t> ids;
  for (size_t id = 0; id < pieces.size(); ++id) ids.emplace(pieces[id], static_cast<int64_t>(id));
  std::vector<Merge> merges;
  for (size_t id = 0; id < pieces.size(); ++id) {
    const std::string_view piece = pieces[id];
    const auto length = static_cast<int64_t>(std::count_if(piece.begin(), piece.end(), starts_character));
    const size_t first = merges.size();
    int64_t characters = 0;
    for (size_t at = 0; at < piece.size(); ++at) {
      if (!starts_character(piece[at])) continue;
      if (characters++ == 0) continue;
      const auto left = ids.find(piece.substr(0, at)), right = ids.find(piece.substr(at));
      if (left == ids.end() || right == ids.end()) continue;
      merges.push_back({left->second, right->second, scores[id], characters - 1, length - characters + 1});
    }
    std::sort(merges.begin() + static_cast<std::ptrdiff_t>(first), merges.end(),
              [](const Merge& a, const Merge& b) { return std::tie(a.left, a.right) < std::tie(b.left, b.right); });
  }
  std::stable_sort(merges.begin(), merges.end(), [](const Merge& a, const Merge& b) {
    return std::tie(a.score, a.left_length, a.right_length) > std::tie(b.score, b.left_length, b.right_length);
  });
  auto list = nlohmann::ordered_json::array();
  for (const Merge& m : merges) list.push_back({pieces[static_cast<size_t>(m.left)], pieces[static_cast<size_t>(m.right)]});
  return list;
}

}  // namespace model
