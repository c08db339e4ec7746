#include "model/files/write_folder.h"

#include <fstream>
#include <map>

#include "model/chat/chat_template.h"
#include "model/files/checkpoint_folder.h"
#include "model/files/folder_files.h"
#include "model/files/folder_tensors.h"
#include "model/files/safetensors.h"
#include "tests/model/golden.h"
#include "tests/model/small_models.h"
#include "tests/support/catch.h"

using Catch::Matchers::Contains;
using golden::error_of;
using golden::TemporaryFolder;
using kernels::Dtype;
using model::ParameterStore;

namespace {

// Small integers, exact in bf16 and float16.
void put(const std::string& path, const std::string& text) { model::write_file_atomically(path, text); }

// Every file below a folder.
std::map<std::string, std::string> contents(const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file())
      files[std::filesystem::relative(entry.path(), folder).string()] = model::read_text_file(entry.path().string());
  return files;
}

// Reads a folder as a training run does, and writes it again.
void write_again(const std::string& from, const std::string& to, Dtype dtype, const std::string& chat_template = "",
                 int64_t shard_bytes = model::kShardBytes) {
  ParameterStore store(model::read_config(from), false);
  model::read_weights(from, store);
  model::write_model(to, store, *model::Tokenizer::from_directory(from), dtype, chat_template, model::read_source_files(from));
  if (shard_bytes != model::kShardBytes) model::write_weights(to, store, dtype, shard_bytes);
}

// A folder as somebody else may have written it: their layout of JSON, their keys.
void make_foreign(const std::string& folder, const std::string& more_config = "") {
  model::write_model(folder, golden::filled(golden::small_llama()), *golden::characters(), Dtype::bf16);
  put(folder + "/config.json",
      "{ \"architectures\":[\"LlamaForCausalLM\"], \"model_type\":\"llama\",\"torch_dtype\":\"bfloat16\", \"vocab_size\":24,\n"
      "\"hidden_size\":16, \"num_hidden_layers\":2, \"intermediate_size\":32,\"num_attention_heads\":4,\"num_key_value_heads\":2,\n"
      "\"rms_norm_eps\":1e-05, \"eos_token_id\":5, \"transformers_version\":\"4.42.3\", \"our_key\":{\"a\":[1, 2.50]}" + more_config + "}");
  put(folder + "/generation_config.json", "{\"eos_token_id\": [5,3],\n \"temperature\": 0.60}");
  put(folder + "/special_tokens_map.json", "{\"eos_token\": \"<eos>\"}");
  put(folder + "/vocab.json", "{}");
  put(folder + "/merges.txt", "#version: 0.2\n");
  put(folder + "/tokenizer.model", std::string("\0\x01\xff\n", 4));
  put(folder + "/chat_template.jinja", "{{ messages }}");
  put(folder + "/LICENSE", "Do as you like.\n");
  std::filesystem::create_directory(folder + "/additional_chat_templates");
  put(folder + "/additional_chat_templates/rag.jinja", "{{ documents }}");
}

}  // namespace

TEST_CASE("what is written from a folder has its small files byte for byte", "[write_folder]") {
  const TemporaryFolder from, to;
  make_foreign(from.path());
  write_again(from.path(), to.path(), Dtype::bf16);
  CHECK(contents(to.path()) == contents(from.path()));
}

TEST_CASE("save, load, save gives the same bytes: each family and dtype, one file and shards", "[write_folder]") {
  for (const auto& config : {golden::small_llama(), golden::small_qwen3_moe(), golden::small_deepseek_v3()})
    for (const auto dtype : {Dtype::float32, Dtype::bf16})
      for (const int64_t shard_bytes : {model::kShardBytes, int64_t{3000}}) {
        INFO(config.family << " " << kernels::name_of(dtype) << " " << shard_bytes);
        const TemporaryFolder one, two;
        const auto store = golden::filled(config);
        model::write_model(one.path(), store, *golden::characters(), dtype);
        if (shard_bytes != model::kShardBytes) model::write_weights(one.path(), store, dtype, shard_bytes);
        write_again(one.path(), two.path(), dtype, "", shard_bytes);
        const auto files = contents(one.path());
        CHECK(files == contents(two.path()));
        CHECK(files.contains("model.safetensors") == (shard_bytes == model::kShardBytes));
        CHECK(files.contains("model.safetensors.index.json") != files.contains("model.safetensors"));
      }
}

TEST_CASE("folders that transformers made are read and written with the same config.json, each family", "[write_folder]") {
  int folders = 0;
  for (const auto& entry : std::filesystem::directory_iterator(testing::source_dir() + "/tests/model/families/golden")) {
    const std::string from = entry.path().string();
    if (!std::filesystem::exists(from + "/model.safetensors")) continue;
    INFO(from);
    ++folders;
    const TemporaryFolder to, again;
    ParameterStore store(model::read_config(from), false);
    model::read_weights(from, store);
    model::write_model(to.path(), store, *golden::characters(), Dtype::float32, "", model::read_source_files(from));
    CHECK(golden::json(to / "config.json") == golden::json(from + "/config.json"));
    write_again(to.path(), again.path(), Dtype::float32);
    CHECK(contents(to.path()) == contents(again.path()));
  }
  CHECK(folders >= 9);
}

TEST_CASE("another dtype changes one key of the source's config.json", "[write_folder]") {
  const TemporaryFolder from, to;
  make_foreign(from.path());
  write_again(from.path(), to.path(), Dtype::float32);
  auto wanted = nlohmann::ordered_json::parse(model::read_text_file(from / "config.json"));
  wanted["torch_dtype"] = "float32";
  CHECK(nlohmann::ordered_json::parse(model::read_text_file(to / "config.json")).dump() == wanted.dump());
  CHECK(model::read_text_file(to / "generation_config.json") == model::read_text_file(from / "generation_config.json"));
}

TEST_CASE("code and a second next token, which are not written, are taken out of config.json", "[write_folder]") {
  const TemporaryFolder from, to;
  make_foreign(from.path(), R"(, "auto_map": {"AutoModel": "modeling.Model"}, "num_nextn_predict_layers": 1)");
  write_again(from.path(), to.path(), Dtype::bf16);
  const auto config = golden::json(to / "config.json");
  CHECK_FALSE(config.contains("auto_map"));
  CHECK(config["num_nextn_predict_layers"] == 0);
  CHECK(config["our_key"] == golden::json(from / "config.json")["our_key"]);
}

TEST_CASE("a size that is not the source's is written, and the keys beside it stay", "[write_folder]") {
  const TemporaryFolder from, to;
  make_foreign(from.path());
  auto config = model::read_config(from.path());
  config.max_positions = 4096;
  model::write_folder_files(to.path(), config, Dtype::bf16, *golden::characters(), "", model::read_source_files(from.path()));
  const auto written = golden::json(to / "config.json");
  CHECK(written["max_position_embeddings"] == 4096);
  CHECK(written["transformers_version"] == "4.42.3");
  CHECK(model::read_config(to.path()).max_positions == 4096);
}

TEST_CASE("the template of training goes where the folder has its own, and only if it is another", "[write_folder]") {
  const std::string chatml = "{% for m in messages %}<|im_start|>{{ m.role }}{% endfor %}";
  const TemporaryFolder from, in_file, in_json, same, plain;
  make_foreign(from.path());
  write_again(from.path(), in_file.path(), Dtype::bf16, chatml);
  CHECK(model::read_text_file(in_file / "chat_template.jinja") == chatml);
  CHECK(model::read_text_file(in_file / "tokenizer_config.json") == model::read_text_file(from / "tokenizer_config.json"));

  std::filesystem::remove(from / "chat_template.jinja");
  put(from / "tokenizer_config.json", "{\"padding_side\":\"left\", \"chat_template\": \"{{ old }}\"}");
  write_again(from.path(), in_json.path(), Dtype::bf16, chatml);
  CHECK(golden::json(in_json / "tokenizer_config.json") == nlohmann::json{{"padding_side", "left"}, {"chat_template", chatml}});

  const std::string list = nlohmann::json{{"chat_template", {{{"name", "tool"}, {"template", "t"}}, {{"name", "default"}, {"template", chatml}}}}}.dump();
  put(from / "tokenizer_config.json", list);
  write_again(from.path(), same.path(), Dtype::bf16, chatml);
  CHECK(model::read_text_file(same / "tokenizer_config.json") == list);
  write_again(from.path(), plain.path(), Dtype::bf16);
  CHECK(model::read_text_file(plain / "tokenizer_config.json") == list);
}

TEST_CASE("shards keep the order, begin where the limit would be passed, and have an index", "[shards]") {
  const TemporaryFolder folder;
  const auto tensor = [](const std::string& name, int64_t count) {
    return model::StreamedTensor{name, "U8", {count}, count, [=](const model::WriteBytes& write) {
                                   const std::string bytes(static_cast<size_t>(count), name[0]);
                                   write(bytes.data(), bytes.size());
                                 }};
  };
  // Limit 10: a 6, then b 4 fills it; c 1 begins a file, d 30 is too large for any and has one alone, e 10 too.
  const std::vector<model::StreamedTensor> tensors{tensor("a", 6), tensor("b", 4), tensor("c", 1), tensor("d", 30), tensor("e", 10)};
  put(folder / "model.safetensors", "of an earlier cut");
  model::write_shards(folder.path(), tensors, 10);
  CHECK(model::count_shards(tensors, 10) == 4);
  CHECK_FALSE(std::filesystem::exists(folder / "model.safetensors"));
  const auto index = golden::json(folder / "model.safetensors.index.json");
  CHECK(index["metadata"]["total_size"] == 51);
  const std::map<std::string, std::string> wanted{{"a", "model-00001-of-00004.safetensors"}, {"b", "model-00001-of-00004.safetensors"},
                                                  {"c", "model-00002-of-00004.safetensors"}, {"d", "model-00003-of-00004.safetensors"},
                                                  {"e", "model-00004-of-00004.safetensors"}};
  CHECK(index["weight_map"].get<std::map<std::string, std::string>>() == wanted);
  for (const auto& [name, file] : wanted) CHECK(model::SafetensorsFile(folder / file).find(name)->data[0] == name[0]);

  model::write_shards(folder.path(), tensors, 51);  // all in one: no index, and the shards are gone
  CHECK(contents(folder.path()).size() == 1);
  CHECK(model::SafetensorsFile(folder / "model.safetensors").entries().size() == 5);
}

TEST_CASE("the tensors of a folder are read as they lie there, and written in any type", "[write_folder]") {
  const auto config = golden::small_qwen3_moe();
  const TemporaryFolder from, to;
  const auto store = golden::filled(config);
  model::write_model(from.path(), store, *golden::characters(), Dtype::bf16);
  const model::ParameterList list(config);
  model::FolderTensors folder(from.path());
  const auto readers = folder.readers(list);
  std::vector<model::StreamedTensor> tensors;
  for (size_t i = 0; i < readers.size(); ++i) {
    const model::Parameter& p = list.parameters()[i];
    CHECK(folder.dtype_of(config, p) == (p.compute_float32 ? "F32" : "BF16"));
    for (auto& tensor : model::tensors_of(config, p, "F16", readers[i])) tensors.push_back(tensor);
  }
  model::write_shards(to.path(), tensors, model::kShardBytes);
  CHECK(model::SafetensorsFile(to / "model.safetensors").find("model.layers.2.mlp.experts.3.up_proj.weight")->dtype == "F16");
  ParameterStore back(config, false);
  model::read_weights(to.path(), back);
  CHECK(std::equal(kernels::f32(store.master), kernels::f32(store.master) + store.size(), kernels::f32(back.master)));
}
