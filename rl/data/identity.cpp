#include "rl/data/identity.h"

#include <algorithm>
#include <iterator>

#include "rl/data/identity_chinese.h"
#include "rl/data/identity_words.h"

namespace rl {
namespace {

using Words = std::vector<std::string_view>;

template <size_t n>
bool any_of(const std::string_view (&list)[n], std::string_view word) {
  return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

constexpr std::string_view nouns[] = {"ai",        "assistant",    "model",  "models", "chatbot", "bot",
                                      "llm",       "intelligence", "agent",  "modell", "modelo",  "modele",
                                      "asistente", "assistente",   "system", "family", "series"};
// What may stand between "I am" and a name.
constexpr std::string_view fillers[] = {"a",        "an",        "the",        "called",   "named",
                                        "known",    "as",        "actually",   "just",     "really",
                                        "indeed",   "simply",    "artificial", "large",    "language",
                                        "virtual",  "helpful",   "friendly",   "digital",  "conversational",
                                        "advanced", "powerful",  "smart",      "new",      "latest",
                                        "your",     "version",   "based",      "built",    "powered",
                                        "trained",  "developed", "created",    "made",     "designed",
                                        "fine",     "tuned",     "chat",       "research", "open",
                                        "source",   "and",       "un",         "une",      "ein",
                                        "eine",     "una",       "um",         "uma",      "name",
                                        "is",       "also",      "now",        "s"};
constexpr std::string_view making[] = {"developed",  "trained", "created",    "made",       "built",    "designed",
                                       "engineered", "tuned",   "programmed", "produced",   "released", "launched",
                                       "pretrained", "powered", "provided",   "introduced", "finetuned"};
constexpr std::string_view organisation[] = {"the",         "a",          "an",     "team",  "teams",  "of",
                                             "researchers", "engineers",  "people", "at",    "from",   "company",
                                             "folks",       "scientists", "called", "named", "lab",    "startup",
                                             "ai",          "research",   "tech",   "giant", "experts"};
// A person who has to do with the product.
constexpr std::string_view people[] = {"user",       "users",    "fan",        "expert",   "developer",  "engineer",
                                       "researcher", "employee", "subscriber", "customer", "enthusiast", "plus",
                                       "client",     "wrapper",  "team",       "account",  "window"};
constexpr std::string_view kinds[] = {"version", "family", "series", "part"};  // "a version of X"
constexpr std::string_view makers[] = {"creator", "creators", "developer", "developers", "maker", "makers", "trainers"};
constexpr std::string_view doubts[] = {"if",    "whether", "imagine", "pretend", "suppose", "unless",
                                       "until", "than",    "like",    "wish",    "when",    "were"};

bool letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
}

// One sentence as lower-case words; "," is a word, "'s" ends one. `quoted`: it begins inside double quotes.
struct Sentence {
  std::string text;  // lower case; the words point into it
  Words words;
  bool quoted = false;
};

// "it's" and "it\u2019s" are cut into "it" and "s"; "i'm" into "i" and "m".
void cut_words(Sentence& sentence) {
  const std::string_view text = sentence.text;
  for (size_t i = 0; i < text.size();) {
    if (text[i] == ',') sentence.words.push_back(text.substr(i, 1));
    if (!letter_or_digit(text[i])) {
      ++i;
      continue;
    }
    size_t end = i;
    while (end < text.size() && letter_or_digit(text[end])) ++end;
    sentence.words.push_back(text.substr(i, end - i));
    i = end;
  }
}

bool ends_sentence(std::string_view text, size_t i) {
  if (text[i] == '\n' || text[i] == '!' || text[i] == '?' || text[i] == ';') return true;
  return text[i] == '.' && (i + 1 == text.size() || text[i + 1] == ' ' || text[i + 1] == '\n' || text[i + 1] == '"');
}

// Typographic quotes and apostrophes in ASCII, letters in lower case.
std::string plain(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const std::string_view three = text[i] == '\xe2' ? text.substr(i, 3) : std::string_view();
    const bool apostrophe = three == "\u2019" || three == "\u2018", quote = three == "\u201c" || three == "\u201d";
    if (apostrophe || quote) {
      out += apostrophe ? '\'' : '"';
      i += 2;
    } else {
      out += text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] - 'A' + 'a') : text[i];
    }
  }
  return out;
}

std::vector<Sentence> sentences_of(std::string_view whole) {
  const std::string text = plain(whole);
  std::vector<Sentence> out;
  bool quoted = false;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = begin;
    while (end < text.size() && !ends_sentence(text, end)) ++end;
    // A quote cuts too: what stands inside is somebody's speech.
    for (size_t from = begin; from <= end;) {
      const size_t cut = std::min(text.find('"', from), end);
      if (cut > from) out.push_back({text.substr(from, cut - from), {}, quoted});
      if (cut == end) break;
      quoted = !quoted;
      from = cut + 1;
    }
    if (end < text.size() && text[end] == '\n') quoted = false;
    begin = end + 1;
  }
  for (auto& sentence : out) cut_words(sentence);  // the texts have their places now
  return out;
}

// Looks for claims in one sentence.
class Finder {
 public:
  Finder(const Words& words, bool asked, std::vector<Claim>& claims) : words_(words), asked_(asked), claims_(claims) {
    ai_ = asked || std::any_of(words.begin(), words.end(), [](std::string_view word) { return any_of(nouns, word); });
  }

  void find() {
    for (size_t i = 0; i < words_.size(); ++i) {
      if (const size_t after = opener(i); after > i && !doubted(i)) read_self(i, after);
      if (is(i, "as") && !doubted(i)) read_as(i);
      read_maker(i);
    }
  }

 private:
  bool is(size_t i, std::string_view word) const { return i < words_.size() && words_[i] == word; }
  bool are(size_t i, std::string_view a, std::string_view b) const { return is(i, a) && is(i + 1, b); }
  bool doubted(size_t i) const {
    return (i > 0 && any_of(doubts, words_[i - 1])) || (i > 1 && any_of(doubts, words_[i - 2]));
  }

  // The word after "I am", "my name is" and the like; `i` if none begins there.
  size_t opener(size_t i) const {
    if (are(i, "i", "am") || are(i, "i", "m") || are(i, "i", "was") || are(i, "je", "suis") || are(i, "ich", "bin") ||
        are(i, "eu", "sou"))
      return i + 2;
    if (is(i, "soy") || is(i, "sono")) return i + 1;
    if (are(i, "i", "ve") || are(i, "i", "have")) return is(i + 2, "been") ? i + 3 : i;
    if (are(i, "my", "name")) return is(i + 2, "is") || is(i + 2, "s") ? i + 3 : i;
    if (is(i, "you") && (is(i + 1, "are") || is(i + 1, "re")) &&
        (is(i + 2, "talking") || is(i + 2, "chatting") || is(i + 2, "speaking")))
      return is(i + 3, "to") || is(i + 3, "with") ? i + 4 : i;
    return i;
  }

  struct Found {
    const VendorName* name = nullptr;
    size_t after = 0;
  };
  // A name at word `i`: a product, or a company.
  Found name_at(size_t i, bool company) const {
    for (const auto& name : vendor_names()) {
      if (name.company != company) continue;
      const bool glued = name.prefix && i < words_.size() && words_[i].size() > name.first.size() &&
                         words_[i].substr(0, name.first.size()) == name.first && words_[i][name.first.size()] >= '0' &&
                         words_[i][name.first.size()] <= '9';
      if (!is(i, name.first) && !glued) continue;
      if (!name.second.empty() && !is(i + 1, name.second)) continue;
      return {&name, i + (name.second.empty() ? 1 : 2)};
    }
    return {};
  }

  static bool version_word(std::string_view word) { return word[0] >= '0' && word[0] <= '9'; }

  // "I am" + fillers + name, or + fillers + "trained by" + company, or + noun + "from" company, or + company's + noun.
  void read_self(size_t begin, size_t i) {
    bool noun = false;
    for (size_t most = i + 20; i < words_.size() && i < most; ++i) {
      if (const auto product = name_at(i, false); product.name && take_product(begin, product)) return;
      if (const auto owner = name_at(i, true); owner.name) {
        if (is(owner.after, "s") && noun_follows(owner.after + 1)) add(*owner.name, begin, owner.after);
        return;
      }
      if (const bool made = any_of(making, words_[i]); made && is(i + 1, "by")) return take_company(begin, i + 2);
      if (noun && is(i, "from")) return take_company(begin, i + 1);
      if (is(i, "on") && i > 0 && (words_[i - 1] == "based" || words_[i - 1] == "built")) continue;
      if (is(i, "of") && i > 0 && any_of(kinds, words_[i - 1])) continue;
      noun = noun || any_of(nouns, words_[i]);
      if (!any_of(fillers, words_[i]) && !any_of(nouns, words_[i]) && !any_of(making, words_[i]) && words_[i] != ",") return;
    }
  }

  // "As ChatGPT, I ..." or "As an AI model developed by OpenAI".
  void read_as(size_t begin) {
    bool noun = false;
    for (size_t i = begin + 1; i < words_.size() && i < begin + 16; ++i) {
      if (const auto product = name_at(i, false); product.name) {
        size_t after = product.after;
        while (after < words_.size() && (version_word(words_[after]) || any_of(nouns, words_[after]))) ++after;
        const bool speaks = is(after, ",") && (is(after + 1, "i") || is(after + 1, "my"));
        if (speaks) take_product(begin, product);
        return;
      }
      if (noun && any_of(making, words_[i]) && is(i + 1, "by")) return take_company(begin, i + 2);
      if (noun && is(i, "from")) return take_company(begin, i + 1);
      noun = noun || any_of(nouns, words_[i]);
      if (!any_of(fillers, words_[i]) && !any_of(nouns, words_[i]) && words_[i] != ",") return;
    }
  }

  // "OpenAI created me", "my developers at Google".
  void read_maker(size_t i) {
    if (is(i, "me") && i > 0 && any_of(making, words_[i - 1])) {
      for (size_t k = i - 1; k > 0 && k + 5 > i; --k)
        if (const auto owner = name_at(k - 1, true); owner.name) return add(*owner.name, k - 1, i + 1);
    }
    if (!is(i, "my")) return;
    if (i + 1 >= words_.size() || !any_of(makers, words_[i + 1])) return;
    for (size_t k = i + 2; k < i + 6 && k < words_.size(); ++k) {
      if (const auto owner = name_at(k, true); owner.name) return add(*owner.name, i, owner.after);
      if (!any_of(organisation, words_[k]) && !is(k, "is") && !is(k, "are") && !is(k, ",")) return;
    }
  }

  bool take_product(size_t begin, const Found& product) {
    size_t after = product.after;
    while (after < words_.size() && version_word(words_[after])) ++after;
    if (after < words_.size() && (any_of(people, words_[after]) || words_[after] == "s")) return false;
    if (product.name->ambiguous && !ai_ && !company_in_sentence()) return false;
    add(*product.name, begin, product.after);
    return true;
  }

  void take_company(size_t begin, size_t i) {
    for (size_t most = i + 7; i < words_.size() && i < most; ++i) {
      if (const auto owner = name_at(i, true); owner.name) return add(*owner.name, begin, owner.after);
      if (!any_of(organisation, words_[i]) && words_[i] != ",") return;
    }
  }

  bool company_in_sentence() const {
    for (size_t i = 0; i < words_.size(); ++i)
      if (const auto found = name_at(i, true);
          found.name && !found.name->ambiguous && found.name->first != "mistral" && found.name->first != "meta")
        return true;
    return false;
  }

  bool noun_follows(size_t i) const {
    for (size_t most = i + 5; i < words_.size() && i < most; ++i) {
      if (any_of(nouns, words_[i])) return true;
      if (!any_of(fillers, words_[i])) return false;
    }
    return false;
  }

  void add(const VendorName& name, size_t begin, size_t end) {
    const std::string vendor(name.vendor);
    if (std::any_of(claims_.begin(), claims_.end(), [&](const Claim& claim) { return claim.vendor == vendor; })) return;
    const std::string_view first = words_[begin], last = words_[std::min(end, words_.size()) - 1];
    const std::string excerpt(first.data(), last.data() + last.size());  // words are cut from one text
    claims_.push_back({vendor, excerpt});
  }

  const Words& words_;
  bool asked_, ai_ = false;
  std::vector<Claim>& claims_;
};

}  // namespace

std::vector<Claim> find_claims(std::string_view text, bool asked) {
  std::vector<Claim> claims;
  for (const auto& sentence : sentences_of(text))
    if (!sentence.quoted) Finder(sentence.words, asked, claims).find();
  find_chinese_claims(text, claims);
  return claims;
}

bool asks_identity(std::string_view prompt) {
  const std::string text = plain(prompt);
  for (const char* question :
       {"who are you", "what are you", "your name", "who made you", "who created you", "who trained you",
        "who developed you", "introduce yourself", "what model are you", "which model are you", "\u4f60\u662f\u8c01",
        "\u4f60\u53eb\u4ec0\u4e48", "\u8c01\u5f00\u53d1"})
    if (text.find(question) != std::string::npos) return true;
  return false;
}

}  // namespace rl
