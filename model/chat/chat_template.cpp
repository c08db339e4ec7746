#include "model/chat/chat_template.h"

#include <algorithm>
#include <numeric>

#include "kernels/error.h"
#include "model/tokenizer/tokenizer.h"

namespace model {

namespace {

constexpr const char* kR1Zero =
    "A conversation between User and Assistant. The user asks a question, and the Assistant solves it. The assistant first "
    "thinks about the reasoning process in the mind and then provides the user with the answer. The reasoning process and "
    "answer are enclosed within <think> </think> and <answer> </answer> tags, respectively, i.e., <think> reasoning process "
    "here </think> <answer> answer here </answer>. User: ";
constexpr const char* kSmolLmSystem = "You are a helpful AI assistant named SmolLM, trained by Hugging Face";

int64_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<int64_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 0; i < a.size(); ++i) {
    int64_t diagonal = row[0]++;
    for (size_t j = 0; j < b.size(); ++j) {
      const int64_t replaced = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[b.size()];
}

[[noreturn]] void refuse_style(const std::string& style) {
  const auto styles = template_styles();
  const auto nearest = std::min_element(styles.begin(), styles.end(), [&](const auto& a, const auto& b) {
    return edit_distance(style, a) < edit_distance(style, b);
  });
  std::string all;
  for (const auto& s : styles) all += (all.empty() ? "" : ", ") + s;
  kernels::fail_usage("template.style: is \"{}\", which is unknown. Did you mean {}? Known: {}.", style, *nearest, all);
}

}  // namespace

std::vector<std::string> template_styles() { return {"plain", "r1-zero", "chatml"}; }

std::string render_prompt(const TemplateConfig& config, const std::string& question) {
  if (config.style == "plain") return question + config.prefill;
  if (config.style == "r1-zero")
    return kR1Zero + question + ". Assistant:" + (config.prefill.empty() ? "" : " " + config.prefill);
  if (config.style == "chatml")
    return "<|im_start|>system\n" + (config.system.empty() ? kSmolLmSystem : config.system) + "<|im_end|>\n<|im_start|>user\n" +
           question + "<|im_end|>\n<|im_start|>assistant\n" + config.prefill;
  refuse_style(config.style);
}

std::string template_mismatch(const TemplateConfig& config, const Tokenizer& tokenizer) {
  if (config.style == "chatml")
    for (const char* marker : {"<|im_start|>", "<|im_end|>"})
      if (tokenizer.id_of(marker) < 0)
        return fmt::format("template.style: is chatml, but the tokenizer has no token {}. Use plain or r1-zero.", marker);
  try {
    tokenizer.encode(render_prompt(config, ""));
  } catch (const kernels::UsageError&) {
    throw;
  } catch (const kernels::Error& e) {
    return fmt::format("template.style: is {}, but the tokenizer cannot spell its text: {}", config.style, e.what());
  }
  return "";
}

std::string chat_template_jinja(const std::string& style) {
  if (style != "chatml") return "";
  return std::string(
             "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
             "{{ '<|im_start|>system\n") +
         kSmolLmSystem +
         "<|im_end|>\n' }}{% endif %}"
         "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
         "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
}

}  // namespace model
