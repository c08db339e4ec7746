#include "model/chat/builtin_templates.h"

#include <map>

namespace model {
namespace {

constexpr const char* kChatml =
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

// A header and an end mark around each message; the content is trimmed.
constexpr const char* kLlama3 =
    "{{- '<|begin_of_text|>' }}"
    "{% for message in messages %}"
    "{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' }}"
    "{%- if message['role'] == 'assistant' %}{% generation %}{{- message['content'] | trim + '<|eot_id|>' }}{% endgeneration %}"
    "{% else %}{{- message['content'] | trim + '<|eot_id|>' }}{% endif %}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}";

// The system message stands alone at the start; earlier thoughts are dropped, the last turn's are kept.
constexpr const char* kDeepSeekR1 =
    "{{- '<｜begin▁of▁sentence｜>' }}"
    "{%- for message in messages %}"
    "{%- if message['role'] == 'system' %}{{- message['content'] }}"
    "{%- elif message['role'] == 'user' %}{{- '<｜User｜>' + message['content'] }}"
    "{%- elif message['role'] == 'assistant' %}{{- '<｜Assistant｜>' }}"
    "{%- if loop.last %}{% generation %}{{- message['content'] + '<｜end▁of▁sentence｜>' }}{% endgeneration %}"
    "{%- else %}{{- message['content'].split('</think>')[-1] + '<｜end▁of▁sentence｜>' }}{% endif %}"
    "{%- else %}{{- raise_exception('the deepseek-r1 template knows the roles system, user and assistant') }}"
    "{%- endif %}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<｜Assistant｜><think>\n' }}{% endif %}";

struct Builtin {
  std::shared_ptr<const ChatTemplate> chat;
  std::vector<std::string> tokens;
};

const std::map<std::string, Builtin>& builtins() {
  static const auto made = [](const char* style, const char* source) {
    return std::make_shared<const ChatTemplate>(source, std::string("the built-in template ") + style);
  };
  static const std::map<std::string, Builtin> table = {
      {"chatml", {made("chatml", kChatml), {"<|im_start|>", "<|im_end|>"}}},
      {"llama3", {made("llama3", kLlama3), {"<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"}}},
      {"deepseek-r1", {made("deepseek-r1", kDeepSeekR1), {"<｜User｜>", "<｜Assistant｜>"}}}};
  return table;
}

}  // namespace

std::shared_ptr<const ChatTemplate> builtin_template(const std::string& style) {
  const auto found = builtins().find(style);
  return found == builtins().end() ? nullptr : found->second.chat;
}

std::vector<std::string> builtin_tokens(const std::string& style) {
  const auto found = builtins().find(style);
  return found == builtins().end() ? std::vector<std::string>{} : found->second.tokens;
}

const std::string& r1_zero_words() {
  static const std::string words =
      "A conversation between User and Assistant. The user asks a question, and the Assistant solves it. The assistant first "
      "thinks about the reasoning process in the mind and then provides the user with the answer. The reasoning process and "
      "answer are enclosed within <think> </think> and <answer> </answer> tags, respectively, i.e., <think> reasoning process "
      "here </think> <answer> answer here </answer>. User: ";
  return words;
}

}  // namespace model
