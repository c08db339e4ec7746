#include "model/tokenizer/post_processor.h"

#include <algorithm>

#include "kernels/error.h"
#include "model/files/json_fields.h"
#include "model/tokenizer/text_pattern.h"

namespace model {

using nlohmann::json;

PostProcessor::PostProcessor(const json& part, const std::string& where, int64_t tokens) {
  if (!part.is_null()) read(part, where, tokens, 0);
}

void PostProcessor::read(const json& part, const std::string& where, int64_t tokens, int depth) {
  const JsonFields f(part, where);
  const auto type = f.string("type");
  if (type == "Sequence")
    read_sequence(f, "processors", depth, [&](const json& child, const std::string& at) { read(child, at, tokens, depth + 1); });
  else if (type == "TemplateProcessing")
    read_template(part, where, tokens);
  else if (type != "ByteLevel")
    f.wrong("type", "a supported part: Sequence, TemplateProcessing, ByteLevel");
}

void PostProcessor::read_template(const json& part, const std::string& where, int64_t tokens) {
  const JsonFields f(part, where);
  const auto& single = f.need("single");
  if (!single.is_array() || single.size() > 64) f.wrong("single", "a list of at most 64 parts");
  std::vector<int32_t> parts;
  for (size_t i = 0; i < single.size(); ++i) {
    const JsonFields entry(single[i], fmt::format("{}: single[{}]", where, i));
    if (entry.find("Sequence")) {
      const auto sequence = entry.object("Sequence");
      if (sequence.string("id") != "A") sequence.wrong("id", "\"A\", the only text there is");
      if (std::count(parts.begin(), parts.end(), kText) > 0) f.wrong("single", "a list that names the text once");
      parts.push_back(kText);
      continue;
    }
    const auto name = entry.object("SpecialToken").string("id");
    const auto token = f.object("special_tokens").object(name.c_str());
    const auto& ids = token.need("ids");
    if (!ids.is_array() || ids.size() > 64) token.wrong("ids", "a list of at most 64 ids");
    for (const auto& id : ids) {
      if (!id.is_number_integer() || id < 0 || id >= tokens)
        token.wrong("ids", fmt::format("a list of ids from 0 to {}", tokens - 1));
      parts.push_back(id.get<int32_t>());
    }
  }
  if (templates_.size() == 8) f.wrong("type", "another part: there are more than 8 templates");
  templates_.push_back(std::move(parts));
}

std::vector<int32_t> PostProcessor::apply(std::vector<int32_t> ids) const {
  for (const auto& parts : templates_) {
    std::vector<int32_t> next;
    for (const int32_t part : parts)
      part == kText ? void(next.insert(next.end(), ids.begin(), ids.end())) : next.push_back(part);
    ids = std::move(next);
  }
  return ids;
}

}  // namespace model
