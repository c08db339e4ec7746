// `repetition`: a punishment for saying the same words again.
//
//   value = (1 - different n-grams / all n-grams) * max_penalty         0 for a text of fewer than n words
//
// Words are what white space separates, ASCII letters in lower case; a character of a script that writes no spaces (Han,
// kana, Thai, Lao, Khmer, Myanmar) is a word of its own. max_penalty is 0 or less.
//
// Source: get_repetition_penalty_reward of huggingface/open-r1 (src/open_r1/rewards.py), after Yeo et al.,
// arXiv:2502.03373. There a text without spaces is one word and goes unpunished.

#include <fmt/core.h>

#include <unordered_map>
#include <unordered_set>

#include "reward/builtins.h"
#include "reward/extract.h"
#include "reward/item_reward.h"
#include "reward/scripts.h"

namespace reward {
namespace {

// A number for each word, equal for equal words.
std::vector<uint32_t> word_ids(const std::string& text) {
  std::unordered_map<std::string_view, uint32_t> known;
  std::vector<uint32_t> ids;
  const auto add = [&](size_t begin, size_t end) {
    if (end > begin)
      ids.push_back(known.try_emplace(std::string_view(text).substr(begin, end - begin), known.size()).first->second);
  };
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t here = at;
    const bool space = is_space(text[here]);
    const bool alone = writes_no_spaces(script_of(next_code_point(text, at)));
    if (!space && !alone) continue;
    add(begin, here);
    if (alone) add(here, at);
    begin = at;
  }
  add(begin, text.size());
  return ids;
}

class RepetitionReward : public ItemReward {
 public:
  RepetitionReward(int64_t n, double max_penalty)
      : ItemReward("repetition"), n_(static_cast<size_t>(n)), max_penalty_(max_penalty) {}

  std::string check_answer(const std::string&) override { return ""; }

  std::string self_test() override {
    std::string twice;  // n + 1 equal words have 2 n-grams, 1 of them different
    for (size_t i = 0; i <= n_; ++i) twice += "word ";
    return check_examples(
        *this, {{twice, "", Status::scored, max_penalty_ == 0 ? 0 : 0.5 * max_penalty_}, {"", "", Status::scored, 0}});
  }

 protected:
  Outcome score_one(const Item& item) const override {
    std::string text = item.completion;
    for (char& c : text)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const auto words = word_ids(text);
    if (words.size() < n_) return scored(0, fmt::format("{} words", words.size()), "few_words");
    const size_t all = words.size() - n_ + 1;
    const size_t different = different_ngrams(words);
    const double share = 1.0 - static_cast<double>(different) / static_cast<double>(all);
    return scored(share == 0 ? 0 : share * max_penalty_, fmt::format("{} of {} {}-grams are different", different, all, n_),
                  share == 0 ? "none_repeated" : "repeated");
  }

 private:
  // Numbers the k-grams from the (k-1)-grams and the word that follows, so nothing is hashed away.
  size_t different_ngrams(const std::vector<uint32_t>& words) const {
    std::vector<uint32_t> grams = words;
    for (size_t k = 2; k <= n_; ++k) {
      std::unordered_map<uint64_t, uint32_t> known;
      for (size_t i = 0; i + k <= words.size(); ++i) {
        const uint64_t pair = uint64_t{grams[i]} << 32 | words[i + k - 1];
        grams[i] = known.try_emplace(pair, known.size()).first->second;
      }
      grams.resize(words.size() - k + 1);
    }
    return std::unordered_set<uint32_t>(grams.begin(), grams.end()).size();
  }

  size_t n_;
  double max_penalty_;
};

}  // namespace

std::unique_ptr<Reward> make_repetition(const Options& options) {
  return std::make_unique<RepetitionReward>(options.whole("n", 1, 64), options.number("max_penalty", -1e6, 0));
}

std::vector<OptionInfo> repetition_options() {
  return {{"n", "3", "words of an n-gram", {}}, {"max_penalty", "-1", "the value when nothing is new", {}}};
}

}  // namespace reward
