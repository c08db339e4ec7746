#include "rl/data/identity_chinese.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "rl/data/identity_words.h"

namespace rl {
namespace {

constexpr auto npos = std::string::npos;
constexpr size_t reach = 120, gap = 36;  // bytes: forty and twelve characters

constexpr std::string_view openers[] = {"我是", "我叫", "我的名字是", "我的名字叫", "作为", "我由", "我被"};
constexpr std::string_view doubts[] = {"如果", "假如", "要是", "假设", "不"};
constexpr std::string_view ends[] = {"。", "！", "？", "；", "\n", "“"};
constexpr std::string_view making[] = {"开发", "训练", "研发", "创建", "创造", "推出",
                                       "打造", "构建", "设计", "提供", "研制", "发布"};
constexpr std::string_view nouns[] = {"模型", "助手", "助理", "机器人", "人工智能", "ai", "llm"};
// With these between "我是" and the name, or right after it, somebody speaks of the product.
constexpr std::string_view elsewhere[] = {"用", "使", "喜欢", "研究", "通过", "问", "让", "在", "和", "比", "从", "工作"};
constexpr std::string_view people[] = {"用户", "的用户", "员工", "的员工", "工程师", "的粉丝", "粉丝", "的研究员"};

template <size_t n>
bool holds(std::string_view text, const std::string_view (&words)[n]) {
  return std::any_of(std::begin(words), std::end(words), [&](std::string_view word) { return text.find(word) != npos; });
}

template <size_t n>
bool begins(std::string_view text, const std::string_view (&words)[n]) {
  return std::any_of(std::begin(words), std::end(words),
                     [&](std::string_view word) { return text.substr(0, word.size()) == word; });
}

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

// What follows the opener within its sentence.
std::string_view clause_after(std::string_view text, size_t begin) {
  std::string_view clause = text.substr(begin, reach);
  for (const auto end : ends) clause = clause.substr(0, clause.find(end));
  return clause;
}

bool names_self(std::string_view clause, const ChineseName& name, bool as) {
  const size_t at = clause.find(name.name);
  if (at == npos) return false;
  const auto before = clause.substr(0, at), after = clause.substr(at + name.name.size());
  if (begins(after, people)) return false;
  if (name.company) {
    const size_t made = holds(after, making) && holds(after, nouns) && !holds(before, elsewhere);
    const bool by = before.find("由") != npos || before.find("被") != npos || before.empty();
    return made && (by || before.size() <= gap);
  }
  if (before.size() > gap || holds(before, elsewhere)) return false;
  return !as || after.find("我") != npos;
}

void find_after(std::string_view text, size_t opener, std::string_view word, std::vector<Claim>& claims) {
  const std::string_view before = text.substr(0, opener);
  for (const auto doubt : doubts)
    if (before.size() >= doubt.size() && before.substr(before.size() - doubt.size()) == doubt) return;
  const auto clause = clause_after(text, opener + word.size());
  for (const auto& name : chinese_names()) {
    const std::string vendor(name.vendor);
    const auto known = [&](const Claim& claim) { return claim.vendor == vendor; };
    if (std::any_of(claims.begin(), claims.end(), known) || !names_self(clause, name, word == "作为")) continue;
    claims.push_back({vendor, std::string(word) + std::string(clause.substr(0, clause.find(name.name) + name.name.size()))});
  }
}

}  // namespace

void find_chinese_claims(std::string_view whole, std::vector<Claim>& claims) {
  if (whole.find("我") == npos && whole.find("作为") == npos) return;
  const std::string text = lowered(whole);
  for (const auto word : openers)
    for (size_t at = text.find(word); at != npos; at = text.find(word, at + word.size())) find_after(text, at, word, claims);
}

}  // namespace rl
