// The "post_processor" of a tokenizer.json: special tokens around a text, such as <s> before it.
//
// Covered: TemplateProcessing (its "single" template), ByteLevel (which only moves offsets), Sequence. Others are refused.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace model {

class PostProcessor {
 public:
  // Null: none. Ids must lie in [0, tokens).
  PostProcessor(const nlohmann::json& part, const std::string& where, int64_t tokens);

  std::vector<int32_t> apply(std::vector<int32_t> ids) const;

 private:
  void read(const nlohmann::json& part, const std::string& where, int64_t tokens, int depth);
  void read_template(const nlohmann::json& part, const std::string& where, int64_t tokens);

  static constexpr int32_t kText = -1;
  std::vector<std::vector<int32_t>> templates_;  // ids, or kText for the text; applied one after the other
};

}  // namespace model
