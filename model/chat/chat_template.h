// Question -> prompt text, by name.
//
//   plain    the question as it is
//   r1-zero  the template of DeepSeek-R1 (arXiv:2501.12948, Table 1): a conversation between User and Assistant, who
//            thinks in <think> </think> and answers in <answer> </answer>
//   chatml   <|im_start|>user\n...<|im_end|>\n<|im_start|>assistant\n (Qwen, SmolLM2), with an optional system message
#pragma once

#include <string>
#include <vector>

namespace model {

class Tokenizer;

struct TemplateConfig {
  std::string style = "plain";  // plain | r1-zero | chatml
  std::string system;           // chatml: the system message; empty: the style's own (SmolLM2's for chatml)
  std::string prefill;          // put at the start of the assistant's turn, e.g. "<think>"
};

std::vector<std::string> template_styles();
// Throws UsageError for an unknown style, with the nearest known one.
std::string render_prompt(const TemplateConfig& config, const std::string& question);
// Empty, or why this tokenizer cannot carry the style (chatml without <|im_start|>, plain text outside the alphabet).
std::string template_mismatch(const TemplateConfig& config, const Tokenizer& tokenizer);
// The style as a Jinja chat_template for other tools; empty when it is no chat (plain, r1-zero).
std::string chat_template_jinja(const std::string& style);

}  // namespace model
