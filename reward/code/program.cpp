#include "reward/code/program.h"

#include <algorithm>
#include <array>
#include <vector>

#include "reward/extract.h"
#include "reward/number.h"

namespace reward::code {
namespace {

constexpr auto npos = std::string_view::npos;

// A line of at least three backticks, with what stands after them in lower case.
struct Fence {
  size_t indent = 0, ticks = 0;
  std::string name;
};

std::optional<Fence> read_fence(std::string_view line) {
  Fence fence;
  while (fence.indent < line.size() && (line[fence.indent] == ' ' || line[fence.indent] == '\t')) ++fence.indent;
  line.remove_prefix(fence.indent);
  while (fence.ticks < line.size() && line[fence.ticks] == '`') ++fence.ticks;
  const auto rest = trim(line.substr(fence.ticks));
  if (fence.ticks < 3 || rest.find('`') != npos) return std::nullopt;
  for (const char c : rest.substr(0, rest.find_first_of(" \t{,:")))
    fence.name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return fence;
}

struct Block {
  std::string name, text;
};

// The lines of an open block are kept without the indentation of its fence, as Markdown has it in a list.
std::string_view without_indent(std::string_view line, size_t most) {
  size_t n = 0;
  while (n < most && n < line.size() && (line[n] == ' ' || line[n] == '\t')) ++n;
  return line.substr(n);
}

struct Blocks {
  std::vector<Block> closed;
  bool open = false;  // at the end of the text
};

// `opened`: the text begins inside a block.
Blocks read_blocks(std::string_view text, bool opened) {
  Blocks blocks;
  std::optional<Fence> open;
  if (opened) open = Fence{0, 3, ""};
  Block block;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto fence = read_fence(line);
    if (open && fence && fence->name.empty() && fence->ticks >= open->ticks) {
      blocks.closed.push_back(std::move(block));
      block = {};
      open.reset();
    } else if (open && fence && block.name.empty() && !fence->name.empty()) {
      open = fence;  // the fence before it opened nothing
      block = {fence->name, ""};
    } else if (open) {
      block.text.append(without_indent(line, open->indent)) += '\n';
    } else if (fence) {
      open = fence;
      block.name = fence->name;
    }
  }
  blocks.open = open.has_value();
  if (open) blocks.closed.push_back(std::move(block));
  return blocks;
}

bool is_named(const Block& block, Language language) {
  constexpr std::array python = {"python", "py", "python3", "py3"}, cpp = {"cpp", "c++", "cc", "cxx"};
  const auto& names = language == Language::python ? python : cpp;
  return std::any_of(names.begin(), names.end(), [&](const char* name) { return block.name == name; });
}

const Block* choose(const std::vector<Block>& blocks, Language language) {
  const Block* unnamed = nullptr;
  for (auto block = blocks.rbegin(); block != blocks.rend(); ++block) {
    if (is_named(*block, language)) return &*block;
    if (block->name.empty() && !unnamed) unnamed = &*block;
  }
  return unnamed;
}

// Whether the completion goes on inside a block that the prompt opened: the prompt ends in one, and the first fence of the
// completion is one that closes.
bool prompt_opened(const Item& item, std::string_view text) {
  if (text.data() != item.completion.data() || !read_blocks(item.prompt, false).open) return false;
  for (size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    if (const auto fence = read_fence(text.substr(at, end - at))) return fence->name.empty();
    at = end + 1;
  }
  return true;
}

std::vector<Block> blocks_of(const Item& item, std::string_view text) {
  return read_blocks(text, prompt_opened(item, text)).closed;
}

bool is_word(char c) { return c == '_' || is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// The last function that the prompt begins.
std::string last_function(std::string_view prompt) {
  const std::string_view head = "def ";
  for (auto at = prompt.rfind(head); at != npos; at = at == 0 ? npos : prompt.rfind(head, at - 1)) {
    if (at != 0 && prompt[at - 1] != '\n') continue;
    const auto name = prompt.substr(at + head.size());
    size_t end = 0;
    while (end < name.size() && is_word(name[end])) ++end;
    return std::string(name.substr(0, end));
  }
  return "";
}

bool defines(std::string_view text, const std::string& function) {
  if (function.empty()) return false;
  for (const std::string start : {"def ", "async def ", "class "}) {
    const auto head = start + function;
    for (auto at = text.find(head); at != npos; at = text.find(head, at + 1)) {
      const auto end = at + head.size();
      if ((at == 0 || text[at - 1] == '\n') && (end == text.size() || !is_word(text[end]))) return true;
    }
  }
  return false;
}

std::string_view before_stop(std::string_view text) {
  size_t end = text.size();
  for (const char* stop : {"\nclass", "\ndef", "\n#", "\nif", "\nprint", "\n```", "[DONE]"}) end = std::min(end, text.find(stop));
  return text.substr(0, end);
}

}  // namespace

std::optional<Program> find_program(const Item& item, Language language) {
  const auto text = after_thinking(item);
  const auto answer = last_tag(text, "answer");
  const auto found = [](std::string_view part, bool fenced) -> std::optional<Program> {
    if (trim(part).empty()) return std::nullopt;
    return Program{std::string(part), fenced};
  };
  for (const auto section : {answer.value_or(""), text}) {
    const auto blocks = blocks_of(item, section);
    if (const auto* block = choose(blocks, language)) return found(block->text, true);
  }
  return answer ? found(*answer, true) : found(text, false);
}

Language language_of(const Item& item, Language fallback) {
  const auto text = after_thinking(item);
  const auto blocks = blocks_of(item, last_tag(text, "answer").value_or(text));
  for (auto block = blocks.rbegin(); block != blocks.rend(); ++block)
    for (const auto language : {Language::python, Language::cpp})
      if (is_named(*block, language)) return language;
  return fallback;
}

Source join_prompt(const Program& program, const std::string& prompt, const std::string& entry_point) {
  if (prompt.empty()) return {"", program.fenced ? program.text : program.text.substr(0, program.text.find("[DONE]"))};
  if (defines(program.text, entry_point.empty() ? last_function(prompt) : entry_point)) return {prompt, program.text};
  return {"", prompt + (program.fenced ? program.text : std::string(before_stop(program.text)))};
}

}  // namespace reward::code
