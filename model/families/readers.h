// Reading and writing the keys of each family; see family.h. Internal to families/.
#pragma once

#include "model/families/family.h"

namespace model {

void read_llama(const JsonFields& f, ModelConfig& c);
void write_llama(const ModelConfig& c, nlohmann::ordered_json& j);
void read_mistral(const JsonFields& f, ModelConfig& c);
void write_mistral(const ModelConfig& c, nlohmann::ordered_json& j);
void read_qwen2(const JsonFields& f, ModelConfig& c);
void write_qwen2(const ModelConfig& c, nlohmann::ordered_json& j);
void read_qwen3(const JsonFields& f, ModelConfig& c);
void write_qwen3(const ModelConfig& c, nlohmann::ordered_json& j);
void read_qwen3_moe(const JsonFields& f, ModelConfig& c);
void write_qwen3_moe(const ModelConfig& c, nlohmann::ordered_json& j);
void read_olmoe(const JsonFields& f, ModelConfig& c);
void write_olmoe(const ModelConfig& c, nlohmann::ordered_json& j);
void read_mixtral(const JsonFields& f, ModelConfig& c);
void write_mixtral(const ModelConfig& c, nlohmann::ordered_json& j);
void read_deepseek_v2(const JsonFields& f, ModelConfig& c);
void write_deepseek_v2(const ModelConfig& c, nlohmann::ordered_json& j);
void read_deepseek_v3(const JsonFields& f, ModelConfig& c);
void write_deepseek_v3(const ModelConfig& c, nlohmann::ordered_json& j);

}  // namespace model
