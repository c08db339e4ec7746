#include "rl/data_identity_words.h"

namespace rl {

const std::vector<VendorName>& vendor_names() {
  constexpr bool company = true, ambiguous = true, prefix = true;
  static const std::vector<VendorName> names = {
      {"chatgpt", "", "OpenAI"}, {"chat", "gpt", "OpenAI"}, {"gpt", "", "OpenAI", !company, !ambiguous, prefix},
      {"openai", "", "OpenAI", company}, {"open", "ai", "OpenAI", company},
      {"claude", "", "Anthropic", !company, ambiguous}, {"anthropic", "", "Anthropic", company},
      {"gemini", "", "Google", !company, ambiguous}, {"bard", "", "Google", !company, ambiguous},
      {"gemma", "", "Google", !company, ambiguous, prefix}, {"lamda", "", "Google"},
      {"google", "", "Google", company}, {"deepmind", "", "Google", company},
      {"qwen", "", "Alibaba", !company, !ambiguous, prefix}, {"qwq", "", "Alibaba"}, {"tongyi", "", "Alibaba"},
      {"qianwen", "", "Alibaba"}, {"alibaba", "", "Alibaba", company},
      {"deepseek", "", "DeepSeek", !company, !ambiguous, prefix}, {"deep", "seek", "DeepSeek"}, {"deepseek", "", "DeepSeek", company},
      {"llama", "", "Meta", !company, ambiguous, prefix}, {"meta", "ai", "Meta"}, {"meta", "", "Meta", company}, {"facebook", "", "Meta", company},
      {"mistral", "", "Mistral", !company, ambiguous}, {"mixtral", "", "Mistral"}, {"mistral", "", "Mistral", company},
      {"kimi", "", "Moonshot", !company, ambiguous}, {"moonshot", "", "Moonshot", company},
      {"chatglm", "", "Zhipu", !company, !ambiguous, prefix}, {"glm", "", "Zhipu", !company, !ambiguous, prefix},
      {"zhipu", "", "Zhipu", company}, {"zhipuai", "", "Zhipu", company},
      {"ernie", "", "Baidu", !company, ambiguous}, {"wenxin", "", "Baidu"}, {"baidu", "", "Baidu", company},
      {"doubao", "", "ByteDance"}, {"bytedance", "", "ByteDance", company},
      {"hunyuan", "", "Tencent"}, {"tencent", "", "Tencent", company},
      {"grok", "", "xAI", !company, ambiguous}, {"xai", "", "xAI", company},
      {"copilot", "", "Microsoft", !company, ambiguous}, {"phi", "", "Microsoft", !company, ambiguous, prefix},
      {"microsoft", "", "Microsoft", company},
      {"nemotron", "", "NVIDIA"}, {"nvidia", "", "NVIDIA", company},
      {"vicuna", "", "LMSYS"}, {"lmsys", "", "LMSYS", company},
      {"open", "assistant", "LAION"}, {"openassistant", "", "LAION"}, {"laion", "", "LAION", company},
      {"smollm", "", "Hugging Face", !company, !ambiguous, prefix}, {"hugging", "face", "Hugging Face", company},
      {"huggingface", "", "Hugging Face", company},
      {"cohere", "", "Cohere", company}, {"minimax", "", "MiniMax", company}, {"internlm", "", "Shanghai AI Lab"}, {"baichuan", "", "Baichuan"}};
  return names;
}

const std::vector<ChineseName>& chinese_names() {
  constexpr bool company = true;
  static const std::vector<ChineseName> names = {
      {"chatgpt", "OpenAI"}, {"gpt-4", "OpenAI"}, {"gpt-3", "OpenAI"}, {"gpt4", "OpenAI"}, {"openai", "OpenAI", company},
      {"claude", "Anthropic"}, {"anthropic", "Anthropic", company},
      {"gemini", "Google"}, {"bard", "Google"}, {"google", "Google", company}, {"谷歌", "Google", company},
      {"通义", "Alibaba"}, {"千问", "Alibaba"}, {"qwen", "Alibaba"}, {"阿里", "Alibaba", company}, {"达摩院", "Alibaba", company},
      {"deepseek", "DeepSeek"}, {"深度求索", "DeepSeek"}, {"深度求索", "DeepSeek", company}, {"deepseek", "DeepSeek", company},
      {"llama", "Meta"}, {"meta", "Meta", company}, {"mistral", "Mistral"}, {"mistral", "Mistral", company},
      {"kimi", "Moonshot"}, {"月之暗面", "Moonshot", company}, {"moonshot", "Moonshot", company},
      {"chatglm", "Zhipu"}, {"glm", "Zhipu"}, {"智谱清言", "Zhipu"}, {"智谱", "Zhipu", company}, {"清华大学", "Zhipu", company},
      {"文心一言", "Baidu"}, {"百度", "Baidu", company}, {"豆包", "ByteDance"}, {"字节跳动", "ByteDance", company},
      {"混元", "Tencent"}, {"元宝", "Tencent"}, {"腾讯", "Tencent", company}, {"讯飞星火", "iFlytek"}, {"星火认知", "iFlytek"},
      {"讯飞", "iFlytek", company}, {"商量", "SenseTime"}, {"商汤", "SenseTime", company}, {"百川大模型", "Baichuan"}, {"百川智能", "Baichuan", company},
      {"书生", "Shanghai AI Lab"}, {"上海人工智能实验室", "Shanghai AI Lab", company}, {"微软", "Microsoft", company}};
  return names;
}

}  // namespace rl
