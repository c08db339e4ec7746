// The tokenizer of models born here: a byte-level BPE without merges, so each character is one token.
#include <set>

#include "kernels/error.h"
#include "model/tokenizer/byte_level.h"
#include "model/files/json_fields.h"
#include "model/tokenizer/tokenizer.h"

namespace model {

using kernels::fail_usage;
using nlohmann::ordered_json;

std::string character_tokenizer_json(const std::string& alphabet, const std::vector<std::string>& special) {
  ordered_json vocabulary = ordered_json::object(), added = ordered_json::array();
  std::set<std::string> seen;
  int64_t next = 0;
  const auto once = [&](const std::string& token) {
    // A special token may not look like the byte-level spelling of a character either.
    if (!seen.insert(token).second || vocabulary.contains(token))
      fail_usage("alphabet and special_tokens: {} comes twice; each token has one id.", shown(token));
  };
  for (size_t i = 0; i < alphabet.size(); ++i) {
    if (static_cast<signed char>(alphabet[i]) < 0)
      fail_usage("alphabet: character {} is {}; only ASCII characters are supported, since a token here is one byte.", i + 1,
                 shown(alphabet.substr(i, std::max<size_t>(1, utf8_length(alphabet, i)))));
    const std::string character(1, alphabet[i]);
    once(character);
    vocabulary[to_byte_level(character)] = next++;
  }
  for (const auto& token : special) {
    if (token.empty()) fail_usage("special_tokens: one is empty; each needs at least one character.");
    if (find_invalid_utf8(token) != std::string::npos) fail_usage("special_tokens: {} is not UTF-8.", shown(token));
    once(token);
    vocabulary[token] = next;
    added.push_back({{"id", next++},
                     {"content", token},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  }
  if (vocabulary.empty()) fail_usage("alphabet: is empty; the tokenizer needs at least one character.");
  const ordered_json byte_level{{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", false}};
  const ordered_json json{{"version", "1.0"},
                          {"truncation", nullptr},
                          {"padding", nullptr},
                          {"added_tokens", added},
                          {"normalizer", nullptr},
                          {"pre_tokenizer", byte_level},
                          {"post_processor", nullptr},
                          {"decoder", byte_level},
                          {"model",
                           {{"type", "BPE"},
                            {"dropout", nullptr},
                            {"unk_token", nullptr},
                            {"continuing_subword_prefix", nullptr},
                            {"end_of_word_suffix", nullptr},
                            {"fuse_unk", false},
                            {"byte_fallback", false},
                            {"ignore_merges", false},
                            {"vocab", vocabulary},
                            {"merges", ordered_json::array()}}}};
  return json.dump(1) + "\n";
}

}  // namespace model
