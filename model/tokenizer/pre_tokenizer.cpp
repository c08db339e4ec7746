#include "model/tokenizer/pre_tokenizer.h"

#include <algorithm>

#include "kernels/error.h"
#include "model/files/json_fields.h"
#include "model/tokenizer/byte_level.h"
#include "model/tokenizer/character_class.h"

namespace model {

using nlohmann::json;

namespace {

constexpr const char* kGpt2Pattern = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

// The first character of the class, alone.
template <typename Class>
Regex::Match find_character(std::string_view text, size_t from, Class is_member) {
  for (size_t at = from, length; at < text.size(); at += length) {
    length = utf8_length(text, at);
    if (is_member(utf8_code_point(text, at))) return {at, at + length, true};
  }
  return {};
}

// A run of word characters, or of others that are no white space.
Regex::Match find_word(std::string_view text, size_t from) {
  const auto start = find_character(text, from, [](char32_t c) { return !is_space(c) || is_word(c); });
  if (!start.found) return {};
  const bool word = is_word(utf8_code_point(text, start.begin));
  const auto stop = find_character(text, start.end, [&](char32_t c) { return is_word(c) != word || (!word && is_space(c)); });
  return {start.begin, stop.found ? stop.begin : text.size(), true};
}

}  // namespace

PreTokenizer::PreTokenizer(const json& part, const std::string& where) {
  if (!part.is_null()) read(part, where, 0);
  byte_level_ = !steps_.empty() && steps_.back().kind == Kind::byte_level;
  for (size_t i = 0; i + 1 < steps_.size(); ++i) steps_[i].spell_bytes = steps_[i].kind == Kind::byte_level;
}

void PreTokenizer::read(const json& part, const std::string& where, int depth) {
  const JsonFields f(part, where);
  const auto type = f.string("type");
  if (type == "Sequence")
    return read_sequence(f, "pretokenizers", depth,
                         [&](const json& child, const std::string& at) { read(child, at, depth + 1); });
  Step step;
  if (type == "Split") {
    step.pattern = TextPattern(f);
    step.behaviour = read_behaviour(part, where, "");
    step.invert = f.boolean("invert", false);
  } else if (type == "Digits") {
    step.cut = Cut::digits;
    step.behaviour = f.boolean("individual_digits", false) ? Behaviour::isolated : Behaviour::contiguous;
  } else if (type == "Punctuation") {
    step.cut = Cut::punctuation;
    step.behaviour = read_behaviour(part, where, "Isolated");
  } else if (type == "Whitespace" || type == "WhitespaceSplit") {
    step.cut = type == "Whitespace" ? Cut::words : Cut::spaces;
    step.invert = step.cut == Cut::words;
    step.behaviour = Behaviour::removed;
  } else if (type == "ByteLevel") {
    const auto same = [](const Step& s) { return s.kind == Kind::byte_level; };
    if (std::count_if(steps_.begin(), steps_.end(), same) == 2) f.wrong("type", "another part: a third one makes no sense");
    step.kind = Kind::byte_level;
    step.prefix = " ";
    step.prepend = f.boolean("add_prefix_space", true) ? Prepend::always : Prepend::never;
    step.splits = f.boolean("use_regex", true);
    if (step.splits) step.pattern = TextPattern(kGpt2Pattern);
  } else if (type == "Metaspace") {
    step = read_metaspace(part, where);
  } else {
    f.wrong("type",
            "a supported part: Sequence, Split, ByteLevel, Digits, Punctuation, Whitespace, WhitespaceSplit, Metaspace");
  }
  steps_.push_back(std::move(step));
}

PreTokenizer::Behaviour PreTokenizer::read_behaviour(const json& part, const std::string& where, const char* otherwise) {
  const JsonFields f(part, where);
  const auto name = *otherwise ? f.string("behavior", otherwise) : f.string("behavior");
  const char* names[] = {"Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous"};
  const auto* at = std::find(std::begin(names), std::end(names), name);
  if (at == std::end(names)) f.wrong("behavior", "Isolated, Removed, MergedWithPrevious, MergedWithNext or Contiguous");
  return static_cast<Behaviour>(at - names);
}

// Old files say add_prefix_space, which is "always" or "never".
PreTokenizer::Step PreTokenizer::read_metaspace(const json& part, const std::string& where) {
  const JsonFields f(part, where);
  Step step;
  step.kind = Kind::metaspace;
  step.prefix = f.string("replacement", "\u2581");
  if (step.prefix.empty() || utf8_length(step.prefix, 0) != step.prefix.size()) f.wrong("replacement", "one character");
  const bool space = f.boolean("add_prefix_space", true);
  const auto scheme = f.string("prepend_scheme", space ? "always" : "never");
  const char* names[] = {"never", "first", "always"};
  const auto* at = std::find(std::begin(names), std::end(names), scheme);
  if (at == std::end(names)) f.wrong("prepend_scheme", "always, first or never");
  if (!space && scheme != "never") f.wrong("add_prefix_space", "true where prepend_scheme is " + scheme);
  step.prepend = static_cast<Prepend>(at - names);
  step.splits = f.boolean("split", true);
  return step;
}

Regex::Match PreTokenizer::find(const Step& step, std::string_view text, size_t from) {
  switch (step.cut) {
    case Cut::pattern:
      return step.pattern.find(text, from);
    case Cut::digits:
      return find_character(text, from, is_numeric);
    case Cut::punctuation:
      return find_character(text, from, is_punctuation);
    case Cut::spaces:
      return find_character(text, from, is_space);
    case Cut::words:
      return find_word(text, from);
  }
  return {};
}

// Matches and what lies between them, each a piece. The usual case, so without a list of spans.
void PreTokenizer::cut_isolated(const Step& step, std::string_view text, std::vector<std::string_view>& pieces) {
  size_t done = 0;
  for (size_t from = 0; from < text.size();) {
    const auto m = find(step, text, from);
    if (!m.found) break;
    if (done < m.begin) pieces.push_back(text.substr(done, m.begin - done));
    if (m.begin < m.end) pieces.push_back(text.substr(m.begin, m.end - m.begin));
    done = from = m.end;
    if (m.end == m.begin && m.end < text.size()) from += utf8_length(text, m.end);  // an empty match: go on by a character
  }
  if (done < text.size()) pieces.push_back(text.substr(done));
}

void PreTokenizer::cut(const Step& step, std::string_view text, std::vector<std::string_view>& pieces) {
  if (step.behaviour == Behaviour::isolated) return cut_isolated(step, text, pieces);
  std::vector<Span> spans, merged;
  size_t done = 0;
  for (MatchIterator matches(text); matches.next([&](size_t from) { return find(step, text, from); });) {
    const auto& m = matches.match;
    if (done < m.begin) spans.push_back({done, m.begin, step.invert});
    spans.push_back({m.begin, m.end, !step.invert});
    done = m.end;
  }
  if (done < text.size()) spans.push_back({done, text.size(), step.invert});

  const bool backwards = step.behaviour == Behaviour::merged_with_next;
  if (backwards) std::reverse(spans.begin(), spans.end());
  bool previous = false;
  for (const Span& span : spans) {
    if (step.behaviour == Behaviour::removed && span.match) continue;
    const bool join = step.behaviour == Behaviour::contiguous ? span.match == previous
                                                              : step.behaviour != Behaviour::removed && span.match && !previous;
    previous = span.match;
    if (join && !merged.empty())
      (backwards ? merged.back().begin = span.begin : merged.back().end = span.end);
    else
      merged.push_back(span);
  }
  if (backwards) std::reverse(merged.begin(), merged.end());
  for (const Span& span : merged)
    if (span.begin < span.end) pieces.push_back(text.substr(span.begin, span.end - span.begin));
}

// What ByteLevel and Metaspace do before they cut: a space becomes the metaspace, a prefix comes in front.
void PreTokenizer::rewrite(const Step& step, Pieces& pieces) {
  for (size_t i = 0; i < pieces.list.size(); ++i) {
    std::string_view& piece = pieces.list[i];
    if (step.kind == Kind::metaspace && piece.find(' ') != std::string_view::npos) {
      std::string& text = pieces.texts.emplace_back();
      for (const char c : piece) c == ' ' ? text += step.prefix : text += c;
      piece = text;
    }
    const bool wanted = step.prepend == Prepend::always || (step.prepend == Prepend::first && i == 0 && pieces.first);
    if (wanted && !piece.starts_with(step.prefix)) piece = pieces.texts.emplace_back(step.prefix + std::string(piece));
  }
}

void PreTokenizer::split(std::string_view text, bool first, Pieces& pieces) const {
  auto& [list, next, texts, is_first] = pieces;
  list.clear();
  texts.clear();
  is_first = first;
  if (!text.empty()) list.push_back(text);
  for (const Step& step : steps_) {
    if (step.kind != Kind::split) rewrite(step, pieces);
    if (step.splits) {
      next.clear();
      for (const auto piece : list) {
        if (step.kind == Kind::metaspace) {
          for (size_t begin = 0; begin < piece.size();) {
            const size_t end = std::min(piece.find(step.prefix, begin + 1), piece.size());
            next.push_back(piece.substr(begin, end - begin));
            begin = end;
          }
        } else {
          cut(step, piece, next);
        }
      }
      // What was cut off in front takes the start of the text with it.
      is_first = is_first && !list.empty() && !next.empty() && next[0].data() == list[0].data();
      list.swap(next);
    }
    if (step.spell_bytes)
      for (auto& piece : list) piece = texts.emplace_back(to_byte_level(piece));
  }
}

}  // namespace model
