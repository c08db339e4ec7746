// `language`: how much of the text is written in the wanted script.
//
//   value = letters of the wanted scripts / letters of all scripts         0 if that is below `least`, or without letters
//
// Letters are counted by Unicode script. Left out: fenced code, `inline code`, $...$, $$...$$, \(...\), \[...\], LaTeX
// commands, and the tags <think> and <answer>. A script is not a language: English and French are both latin. Japanese is
// "han,kana".
//
// Source: the language consistency reward of DeepSeek-R1, arXiv:2501.12948, section 2.3.2, there a share of words.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "reward/builtins.h"
#include "reward/extract.h"
#include "reward/item_reward.h"
#include "reward/scripts.h"
#include "reward/think_tags.h"

namespace reward {
namespace {

// What opens a part that is left out, and what closes it within `reach` bytes; the longer opening first. A dollar alone
// is money, not math.
struct Quoting {
  std::string_view open, close;
  size_t reach;
};
constexpr size_t far = std::string_view::npos;
constexpr std::array<Quoting, 6> quotings = {
    {{"```", "```", far}, {"`", "`", 200}, {"$$", "$$", 2000}, {"$", "$", 200}, {"\\(", "\\)", 2000}, {"\\[", "\\]", 2000}}};

bool ascii_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Goes through a text and says what to leave out. Each closing is searched for once, so the work is one pass a quoting.
class Skipper {
 public:
  explicit Skipper(std::string_view text) : text_(text) {}

  // The end of what is left out at `at`; `at` itself if nothing is. Asked for rising positions.
  size_t end_of(size_t at) {
    for (const auto tag : think_tags)
      if (text_.substr(at, tag.size()) == tag) return at + tag.size();
    for (size_t q = 0; q < quotings.size(); ++q) {
      const auto& [open, close, reach] = quotings[q];
      if (text_.substr(at, open.size()) != open) continue;
      const size_t inside = at + open.size(), end = closing(q, inside);
      if (end != far && (reach == far || end - inside <= reach)) return end + close.size();
      return reach == far ? text_.size() : inside;  // code that is not closed is code to the end
    }
    if (text_[at] != '\\') return at;
    size_t end = at + 1;
    while (end < text_.size() && ascii_letter(text_[end])) ++end;
    return end;
  }

 private:
  size_t closing(size_t q, size_t from) {
    size_t& known = next_[q];
    if (known < from) known = text_.find(quotings[q].close, from);
    return known;
  }

  std::string_view text_;
  std::array<size_t, quotings.size()> next_{};
};

class LanguageReward : public ItemReward {
 public:
  LanguageReward(std::vector<std::string> wanted, double least)
      : ItemReward("language"), wanted_(std::move(wanted)), least_(least) {}

  std::string check_answer(const std::string&) override { return ""; }

  std::string self_test() override {
    const bool latin = is_wanted("latin"), cyrillic = is_wanted("cyrillic");
    return check_examples(*this, {{"so x is 12", "", Status::scored, latin ? 1.0 : 0.0},
                                  {"\u0442\u0430\u043a $so$ `is` 12", "", Status::scored, cyrillic ? 1.0 : 0.0},
                                  {"12", "", Status::scored, 0}});
  }

 protected:
  Outcome score_one(const Item& item) const override {
    const std::string_view text = item.completion;
    int64_t letters = 0, good = 0;
    Skipper skipper(text);
    for (size_t at = 0; at < text.size();) {
      if (const size_t end = skipper.end_of(at); end > at) {
        at = end;
        continue;
      }
      const auto script = script_of(next_code_point(text, at));
      letters += !script.empty();
      good += is_wanted(script);
    }
    if (letters == 0) return scored(0, "no letters", "no_letters");
    const double share = static_cast<double>(good) / static_cast<double>(letters);
    return scored(share < least_ ? 0 : share, fmt::format("{} of {} letters", good, letters),
                  share < least_ ? "other_script" : "wanted_script");
  }

 private:
  bool is_wanted(std::string_view script) const {
    return std::find(wanted_.begin(), wanted_.end(), script) != wanted_.end();
  }

  std::vector<std::string> wanted_;
  double least_;
};

std::vector<std::string> read_scripts(const std::string& text) {
  const auto known = script_names();
  std::vector<std::string> wanted;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t comma = std::min(text.find(',', begin), text.size());
    wanted.emplace_back(trim(std::string_view(text).substr(begin, comma - begin)));
    if (std::find(known.begin(), known.end(), wanted.back()) == known.end())
      throw Error(
          fmt::format("reward \"language\": option script names \"{}\", which is not known. Name one or more of: {}.",
                      wanted.back(), fmt::join(known, ", ")));
    begin = comma + 1;
  }
  return wanted;
}

}  // namespace

std::unique_ptr<Reward> make_language(const Options& options) {
  return std::make_unique<LanguageReward>(read_scripts(options.text("script")), options.number("least", 0, 1));
}

std::vector<OptionInfo> language_options() {
  return {{"script", "latin", "the wanted scripts: latin, han, cyrillic, arabic, \"han,kana\", ...", {}},
          {"least", "0", "a smaller share is worth 0", {}}};
}

}  // namespace reward
