#include "model/tokenizer/pre_tokenizer.h"

#include <algorithm>

#include "kernels/error.h"
#include "model/tokenizer/byte_level.h"
#include "model/files/json_fields.h"

namespace model {

using kernels::fail_usage;

namespace {

constexpr const char* kGpt2Pattern = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

}  // namespace

PreTokenizer::PreTokenizer(const nlohmann::json& json, const std::string& where) {
  read(json, where);
  if (!byte_level_) fail_usage("{}: has no ByteLevel step; only byte-level BPE is supported.", where);
}

void PreTokenizer::read(const nlohmann::json& json, const std::string& where) {
  const JsonFields f(json, where);
  const auto type = f.string("type");
  if (byte_level_) fail_usage("{}: {} comes after ByteLevel, but ByteLevel must be the last step.", where, type);
  if (type == "Sequence") {
    const auto& parts = f.need("pretokenizers");
    if (!parts.is_array() || parts.size() > 32) f.wrong("pretokenizers", "a list of at most 32 steps");
    for (const auto& part : parts) {
      if (part.is_object() && part.value("type", nlohmann::json()) == "Sequence")
        fail_usage("{}: a Sequence inside a Sequence is not supported.", where);
      read(part, where);
    }
  } else if (type == "Split") {
    read_split(json, where);
  } else if (type == "Digits") {
    Step step;
    step.regex.emplace_back(R"(\p{N})");
    step.behaviour = f.boolean("individual_digits", false) ? Behaviour::isolated : Behaviour::contiguous;
    steps_.push_back(std::move(step));
  } else if (type == "ByteLevel") {
    Step step;
    step.add_prefix_space = f.boolean("add_prefix_space", true);
    step.splits = f.boolean("use_regex", true);
    if (step.splits) step.regex.emplace_back(kGpt2Pattern);
    steps_.push_back(std::move(step));
    byte_level_ = true;
  } else {
    f.wrong("type", "a supported part: Sequence, Split, Digits, ByteLevel");
  }
}

void PreTokenizer::read_split(const nlohmann::json& json, const std::string& where) {
  const JsonFields f(json, where + ": Split");
  const auto pattern = f.object("pattern");
  Step step;
  if (pattern.find("Regex"))
    step.regex.emplace_back(pattern.string("Regex"));
  else
    step.literal = pattern.string("String");
  const auto name = f.string("behavior");
  const char* names[] = {"Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous"};
  const auto* at = std::find(std::begin(names), std::end(names), name);
  if (at == std::end(names)) f.wrong("behavior", "Isolated, Removed, MergedWithPrevious, MergedWithNext or Contiguous");
  step.behaviour = static_cast<Behaviour>(at - names);
  step.invert = f.boolean("invert", false);
  steps_.push_back(std::move(step));
}

// The whole text as spans that match and spans between them.
std::vector<PreTokenizer::Span> PreTokenizer::spans_of(const Step& step, std::string_view text) {
  std::vector<Span> spans;
  size_t done = 0, from = 0;
  while (from <= text.size()) {
    Regex::Match m;
    if (!step.regex.empty()) {
      m = step.regex[0].find(text, from);
    } else if (!step.literal.empty()) {
      const size_t at = text.find(step.literal, from);
      if (at != std::string_view::npos) m = {at, at + step.literal.size(), true};
    }
    if (!m.found) break;
    if (done < m.begin) spans.push_back({done, m.begin, step.invert});
    spans.push_back({m.begin, m.end, !step.invert});
    done = m.end;
    from = m.end;
    if (m.end == m.begin) from += m.end < text.size() ? utf8_length(text, m.end) : 1;  // an empty match: go on by a character
  }
  if (done < text.size()) spans.push_back({done, text.size(), step.invert});
  return spans;
}

void PreTokenizer::apply(const Step& step, std::string_view text, std::vector<std::string_view>& pieces) {
  auto spans = spans_of(step, text);
  const bool backwards = step.behaviour == Behaviour::merged_with_next;
  if (backwards) std::reverse(spans.begin(), spans.end());
  std::vector<Span> merged;
  bool previous = false;
  for (const Span& span : spans) {
    bool join = false;
    switch (step.behaviour) {
      case Behaviour::isolated:
        break;
      case Behaviour::removed:
        if (span.match) continue;
        break;
      case Behaviour::contiguous:
        join = span.match == previous;
        break;
      case Behaviour::merged_with_previous:
      case Behaviour::merged_with_next:
        join = span.match && !previous;
        break;
    }
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

std::vector<std::string_view> PreTokenizer::split(std::string_view text, std::deque<std::string>& storage) const {
  std::vector<std::string_view> pieces;
  if (!text.empty()) pieces.push_back(text);
  for (const Step& step : steps_) {
    if (step.add_prefix_space)
      for (auto& piece : pieces)
        if (piece[0] != ' ') piece = storage.emplace_back(" " + std::string(piece));
    if (!step.splits) continue;
    std::vector<std::string_view> next;
    for (const auto piece : pieces) apply(step, piece, next);
    pieces = std::move(next);
  }
  return pieces;
}

}  // namespace model
