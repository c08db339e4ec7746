#include "reward/think_tags.h"

#include "reward/extract.h"

namespace reward {

int64_t count_of(std::string_view text, std::string_view tag) {
  int64_t count = 0;
  for (auto at = text.find(tag); at != std::string_view::npos; at = text.find(tag, at + tag.size())) ++count;
  return count;
}

OptionInfo prefill_option() {
  return {"prefill", "auto", "put before the completion; auto: <think> when the prompt ends in it", {"auto", "", "<think>"}};
}

std::string with_prefill(const Item& item, const std::string& prefill) {
  if (prefill != "auto") return prefill + item.completion;
  const auto open = think_tags[0];
  const auto prompt = trim(item.prompt);
  const bool opened = prompt.size() >= open.size() && prompt.substr(prompt.size() - open.size()) == open;
  return (opened ? std::string(open) : "") + item.completion;
}

}  // namespace reward
