#include "reward/extract.h"

#include <algorithm>
#include <string>

namespace reward {
namespace {

constexpr std::string_view think_open = "<think>", think_close = "</think>";
constexpr auto npos = std::string_view::npos;

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Length of the box command at `i`, 0 if there is none. \boxedx is another command.
size_t box_command(std::string_view text, size_t i) {
  for (const std::string_view command : {"\\boxed", "\\fbox"}) {
    if (text.substr(i, command.size()) != command) continue;
    const size_t end = i + command.size();
    return end < text.size() && is_letter(text[end]) ? 0 : command.size();
  }
  return 0;
}

// The word after "\boxed ": up to white space, a $, a comma or the full stop of a sentence.
size_t word_end(std::string_view text, size_t i) {
  const auto ends = [](char c) { return is_space(c) || c == '$' || c == ',' || c == '\\' || c == '{' || c == '}'; };
  while (i < text.size() && !ends(text[i])) ++i;
  return i;
}

}  // namespace

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text[0])) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view after_thinking(std::string_view text, bool opened) {
  const auto open = text.rfind(think_open), close = text.rfind(think_close);
  if (open != npos && (close == npos || open > close)) return {};
  if (close != npos) return text.substr(close + think_close.size());
  return opened ? std::string_view() : text;
}

std::string_view after_thinking(const Item& item) {
  return after_thinking(item.completion, ends_with(trim(item.prompt), think_open));
}

std::optional<std::string_view> last_tag(std::string_view text, std::string_view tag) {
  const std::string open = "<" + std::string(tag) + ">", close = "</" + std::string(tag) + ">";
  const auto end = text.rfind(close);
  if (end == npos) return std::nullopt;
  const auto begin = text.substr(0, end).rfind(open);
  if (begin == npos) return std::nullopt;
  return text.substr(begin + open.size(), end - begin - open.size());
}

std::vector<Box> find_boxes(std::string_view text, int64_t* steps) {
  constexpr size_t no_box = npos;
  struct Open {
    size_t content, box;  // index in `boxes`
  };
  std::vector<Open> open;
  std::vector<Box> boxes;
  size_t i = 0, visits = 0;
  while (i < text.size()) {
    const size_t begin = i;
    if (const size_t length = text[i] == '\\' ? box_command(text, i) : 0) {
      i += length;
      while (i < text.size() && is_space(text[i])) ++i;
      const bool braced = i < text.size() && text[i] == '{';
      const size_t end = braced ? i + 1 : word_end(text, i);
      if (braced) open.push_back({end, boxes.size()});
      if (braced || end > i) boxes.push_back({begin, braced ? 0 : end, text.substr(i, braced ? 0 : end - i)});
      i = end;
    } else if (text[i] == '\\') {
      i += 2;  // \{ and \} are no braces
    } else {
      if (text[i] == '{') open.push_back({i + 1, no_box});
      if (text[i] == '}' && !open.empty()) {
        const auto [content, box] = open.back();
        open.pop_back();
        if (box != no_box) boxes[box].content = text.substr(content, i - content), boxes[box].end = i + 1;
      }
      ++i;
    }
    visits += i - begin;
  }
  if (steps) *steps = static_cast<int64_t>(visits);
  boxes.erase(std::remove_if(boxes.begin(), boxes.end(), [](const Box& b) { return b.end == 0; }), boxes.end());
  return boxes;
}

std::optional<std::string_view> last_box(std::string_view text) {
  const auto boxes = find_boxes(text);
  if (boxes.empty()) return std::nullopt;
  return boxes.back().content;
}

std::optional<std::string_view> after_hashes(std::string_view text) {
  const auto mark = text.rfind("####");
  if (mark == npos) return std::nullopt;
  const auto rest = text.substr(mark + 4);
  return rest.substr(0, rest.find('\n'));
}

}  // namespace reward
