#include "model/tokenizer/text_pattern.h"

#include "kernels/error.h"
#include "model/files/json_fields.h"
#include "model/tokenizer/utf8.h"

namespace model {

TextPattern::TextPattern(const JsonFields& part) {
  const JsonFields pattern = part.object("pattern");
  if (pattern.find("Regex"))
    regex_ = Regex(pattern.string("Regex"), pattern.where());
  else
    literal_ = pattern.string("String");
}

Regex::Match TextPattern::find(std::string_view text, size_t from) const {
  if (regex_) return regex_->find(text, from);
  const size_t at = literal_.empty() ? std::string_view::npos : text.find(literal_, from);
  return at == std::string_view::npos ? Regex::Match{} : Regex::Match{at, at + literal_.size(), true};
}

std::string TextPattern::replace_all(std::string_view text, std::string_view content, size_t most) const {
  std::string result;
  size_t done = 0;
  for (MatchIterator matches(text); matches.next([&](size_t from) { return find(text, from); });) {
    const auto& m = matches.match;
    result.append(text, done, m.begin - done).append(content);
    if (result.size() > most) kernels::fail("tokenizer: a text of {} bytes grew beyond {} in a Replace", text.size(), most);
    done = m.end;
  }
  return result.append(text, done, std::string_view::npos);
}

void read_sequence(const JsonFields& fields, const char* key, int depth,
                   const std::function<void(const nlohmann::json&, const std::string&)>& read) {
  const auto& parts = fields.need(key);
  if (!parts.is_array() || parts.size() > 64) fields.wrong(key, "a list of at most 64 parts");
  if (depth == 8) fields.wrong("type", "another part: lists of parts are nested more than 8 deep");
  for (size_t i = 0; i < parts.size(); ++i) read(parts[i], fmt::format("{}: {}[{}]", fields.where(), key, i));
}

}  // namespace model
