// Which tensors of a folder become which parameters, and what is said when they do not.
#include "model/files/folder_tensors.h"

#include <cmath>
#include <fstream>

#include "model/files/checkpoint_folder.h"
#include "model/files/number_formats.h"
#include "tests/model/families/golden_cases.h"
#include "tests/model/golden.h"
#include "tests/support/catch.h"

using Catch::Matchers::Contains;
using golden::error_of;
using golden::TemporaryFolder;

namespace {

struct RawTensor {
  std::string name, dtype;
  std::vector<int64_t> shape;
  std::string bytes;
};

std::vector<RawTensor> tensors_in(const std::string& case_name) {
  const model::SafetensorsFile file(golden::family_folder() + case_name + "/model.safetensors");
  std::vector<RawTensor> list;
  for (const auto& e : file.entries())
    list.push_back({e.name, e.dtype, e.shape, {reinterpret_cast<const char*>(e.data), static_cast<size_t>(e.bytes)}});
  return list;
}

void write_raw(const std::string& path, const std::vector<RawTensor>& tensors) {
  nlohmann::ordered_json header;
  std::string data;
  for (const auto& t : tensors) {
    header[t.name] = {{"dtype", t.dtype}, {"shape", t.shape}, {"data_offsets", {data.size(), data.size() + t.bytes.size()}}};
    data += t.bytes;
  }
  const std::string text = header.dump();
  const uint64_t size = text.size();
  std::ofstream(path, std::ios::binary) << std::string(reinterpret_cast<const char*>(&size), 8) << text << data;
}

RawTensor& named(std::vector<RawTensor>& list, const std::string& name) {
  return *std::find_if(list.begin(), list.end(), [&](const auto& t) { return t.name == name; });
}

std::string floats(const std::vector<float>& x) { return {reinterpret_cast<const char*>(x.data()), x.size() * 4}; }

// A folder with a case's config.json and weights that a test changes.
struct ChangedFolder {
  explicit ChangedFolder(const std::string& name)
      : tensors(tensors_in(name)), config(golden::json(golden::family_folder() + name + "/config.json")) {}

  model::ParameterStore load() const {
    write_raw(folder / "model.safetensors", tensors);
    std::ofstream(folder / "config.json") << config.dump();
    model::ParameterStore store(model::read_config(folder.path()), false);
    model::read_weights(folder.path(), store);
    return store;
  }
  std::string error() const {
    return error_of([&] { load(); });
  }

  TemporaryFolder folder;
  std::vector<RawTensor> tensors;
  nlohmann::json config;
};

const std::string kQuery = "model.layers.0.self_attn.q_proj.weight";

}  // namespace

TEST_CASE("float8 numbers: sign, four bits of exponent, three of fraction", "[folder]") {
  CHECK(model::float_from_e4m3(0x38) == 1.0f);             // exponent 7 is 2^0
  CHECK(model::float_from_e4m3(0x41) == 2.25f);            // 2^1 * (1 + 1/8)
  CHECK(model::float_from_e4m3(0xc1) == -2.25f);
  CHECK(model::float_from_e4m3(0x01) == 0x1p-9f);          // the least denormal
  CHECK(model::float_from_e4m3(0x08) == 0x1p-6f);          // the least normal
  CHECK(model::float_from_e4m3(0x7e) == 448.0f);           // the largest: 2^8 * (1 + 6/8)
  CHECK(std::signbit(model::float_from_e4m3(0x80)));
  CHECK(std::isnan(model::float_from_e4m3(0x7f)));
}

TEST_CASE("float8 matrices are multiplied by the scale of each element's block", "[folder]") {
  ChangedFolder folder("mistral_window");  // q_proj [32, 20]
  folder.config["quantization_config"] = {{"quant_method", "fp8"}, {"fmt", "e4m3"}, {"weight_block_size", {10, 8}}};
  auto& query = named(folder.tensors, kQuery);
  REQUIRE(query.shape == std::vector<int64_t>{32, 20});
  query.dtype = "F8_E4M3", query.bytes.resize(32 * 20);
  for (size_t i = 0; i < query.bytes.size(); ++i) query.bytes[i] = static_cast<char>(0x30 + i % 16);
  std::vector<float> scales;
  for (int i = 0; i < 4 * 3; ++i) scales.push_back(static_cast<float>(i + 1));  // blocks of 10 x 8: 32 rows are 4, 20 columns 3
  folder.tensors.push_back({kQuery + "_scale_inv", "F32", {4, 3}, floats(scales)});
  const auto store = folder.load();
  const float* read = store.master_of(kQuery);
  for (int64_t row = 0; row < 32; ++row)
    for (int64_t column = 0; column < 20; ++column) {
      const int64_t i = row * 20 + column;
      const float scale = scales[static_cast<size_t>(row / 10 * 3 + column / 8)];
      REQUIRE(read[i] == model::float_from_e4m3(static_cast<uint8_t>(0x30 + i % 16)) * scale);
    }
  CHECK(read[31 * 20 + 19] == model::float_from_e4m3(0x30 + 639 % 16) * 12);  // the last block

  auto bad = folder.tensors;
  bad.back().shape = {3, 4};
  std::swap(folder.tensors, bad);
  CHECK_THAT(folder.error(),
             Contains(kQuery + "_scale_inv: has shape [3, 4], but config.json asks for [4, 3]. It looks transposed"));
  folder.tensors.pop_back();
  CHECK_THAT(folder.error(), Contains("tensor " + kQuery + "_scale_inv of shape [4, 3] is missing"));
  folder.config.erase("quantization_config");
  CHECK_THAT(folder.error(), Contains(kQuery + ": is F8_E4M3, but"));
}

TEST_CASE("a transposed, a wrongly typed and a bodily saved tensor are told from a missing one", "[folder]") {
  ChangedFolder folder("mistral_window");
  const auto good = folder.tensors;
  named(folder.tensors, kQuery).shape = {20, 32};
  CHECK(folder.error() == (folder.folder / "model.safetensors") + ": tensor " + kQuery +
                              ": has shape [20, 32], but config.json asks for [32, 20]. It looks transposed: a weight is "
                              "[out, in].");
  folder.tensors = good;
  named(folder.tensors, kQuery).shape = {16, 40};
  CHECK_THAT(folder.error(), Contains("has shape [16, 40], but config.json asks for [32, 20].") && !Contains("transposed"));
  folder.tensors = good;
  named(folder.tensors, kQuery).dtype = "I32";
  CHECK_THAT(folder.error(), Contains(kQuery + ": is I32, but weights must be F32, F16, BF16 or F64"));
  folder.tensors = good;
  named(folder.tensors, "lm_head.weight").name = "head.weight";
  CHECK_THAT(folder.error(), Contains("tensor lm_head.weight of shape [50, 20] is missing. If the embedding is the head, "
                                      "config.json must say"));
  folder.tensors = good;
  for (auto& t : folder.tensors)
    if (t.name.starts_with("model.")) t.name = t.name.substr(6);
  CHECK_THAT(folder.error(), Contains("The folder has embed_tokens.weight instead: save the whole model"));
}

TEST_CASE("a tied model may bring its head, if it is the embedding", "[folder]") {
  ChangedFolder folder("qwen2_tied");
  const auto embedding = named(folder.tensors, "model.embed_tokens.weight");
  folder.tensors.push_back({"lm_head.weight", "F32", embedding.shape, embedding.bytes});
  CHECK(folder.error() == "no error");
  folder.tensors.back().bytes[5] ^= 1;
  CHECK_THAT(folder.error(), Contains("lm_head.weight: differs from model.embed_tokens.weight"));
}

TEST_CASE("mixtral's experts are read one by one, and as transformers 5 holds them", "[folder]") {
  ChangedFolder folder("mixtral");  // 6 experts [10, 16]
  const auto expected = folder.load();
  for (const std::string layer : {"model.layers.0.", "model.layers.1."}) {
    const auto take = [&](int e, const char* part) {
      return named(folder.tensors, layer + "block_sparse_moe.experts." + std::to_string(e) + "." + part + ".weight").bytes;
    };
    std::string both, down;
    for (int e = 0; e < 6; ++e) both += take(e, "w1") + take(e, "w3"), down += take(e, "w2");
    folder.tensors.push_back({layer + "mlp.experts.gate_up_proj", "F32", {6, 20, 16}, both});
    folder.tensors.push_back({layer + "mlp.experts.down_proj", "F32", {6, 16, 10}, down});
    named(folder.tensors, layer + "block_sparse_moe.gate.weight").name = layer + "mlp.gate.weight";
  }
  std::erase_if(folder.tensors, [](const auto& t) { return t.name.find("block_sparse_moe") != std::string::npos; });
  const auto merged = folder.load();
  const float *a = kernels::f32(expected.master), *b = kernels::f32(merged.master);
  CHECK(std::equal(a, a + expected.size(), b));
  named(folder.tensors, "model.layers.1.mlp.experts.gate_up_proj").shape = {6, 16, 20};
  CHECK_THAT(folder.error(),
             Contains("gate_up_proj: has shape [6, 16, 20], but config.json asks for [6, 20, 16]. It looks transposed"));
}

TEST_CASE("DeepSeek's modules for further tokens are left out, and other layers too many are not", "[folder]") {
  ChangedFolder folder("deepseek_v3");  // three layers
  for (const std::string layer : {"model.layers.3.", "model.layers.4."}) {
    folder.tensors.push_back({layer + "enorm.weight", "F32", {1}, floats({1})});
    folder.tensors.push_back({layer + "eh_proj.weight", "F32", {1, 2}, floats({1, 2})});
  }
  CHECK(folder.error() == "no error");
  folder.tensors.pop_back();
  CHECK_THAT(folder.error(), Contains("\"model.layers.4.enorm.weight\" of shape [1] has no place in a deepseek_v3 of 3 layers"));
}

TEST_CASE("pickles, GGUF files and shards without an index are refused with the way out", "[folder]") {
  const TemporaryFolder folder;
  const auto error = [&] { return error_of([&] { model::FolderTensors tensors(folder.path()); }); };
  CHECK_THAT(error(), Contains("has neither model.safetensors nor"));
  std::ofstream(folder / "small.gguf") << "GGUF";
  CHECK_THAT(error(), Contains("ponder import " + (folder / "small.gguf") + " DIR"));
  std::ofstream(folder / "adapter_model.safetensors") << "x";
  CHECK_THAT(error(), Contains("has adapter_model.safetensors and no other weights: it holds a LoRA adapter"));
  std::filesystem::remove(folder / "adapter_model.safetensors");
  std::ofstream(folder / "pytorch_model.bin") << "x";
  CHECK_THAT(error(), Contains("has pytorch_model.bin, a pickle, and no safetensors") && Contains("can run any code") &&
                          Contains("save_pretrained('" + folder.path() + "')"));
  std::ofstream(folder / "model-00001-of-00002.safetensors") << "x";
  CHECK_THAT(error(), Contains("has model-00001-of-00002.safetensors, but neither"));
  // Download caches are full of links; one may lead nowhere.
  std::filesystem::create_symlink(folder / "blobs", folder / "model.safetensors");
  CHECK_THAT(error(), Contains("model.safetensors: cannot be opened: No such file"));
  std::filesystem::remove(folder / "model.safetensors");
  std::ofstream(folder / "model.safetensors") << "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n";
  CHECK_THAT(error(), Contains("model.safetensors: is a Git LFS pointer, not the file itself. Run: git lfs pull"));
}

TEST_CASE("a missing tensor points at the shards that lie beside a single file", "[folder]") {
  ChangedFolder folder("mistral_window");
  folder.tensors.pop_back();
  CHECK_THAT(folder.error(), !Contains("index.json"));
  std::ofstream(folder.folder / "model.safetensors.index.json") << "{}";
  CHECK_THAT(folder.error(), Contains("is missing. The folder has model.safetensors.index.json too; if its shards"));
}

TEST_CASE("an empty config.json is no JSON; it can be read", "[folder]") {
  const TemporaryFolder folder;
  std::ofstream(folder / "config.json").flush();
  CHECK(model::read_text_file(folder / "config.json").empty());
  CHECK_THAT(error_of([&] { model::read_config(folder.path()); }), Contains("config.json: this is not JSON"));
  CHECK_THAT(error_of([&] { model::read_text_file(folder.path()); }), Contains("cannot be read"));
  CHECK_THAT(error_of([&] { model::read_text_file(folder / "none"); }), Contains("cannot be read"));
}
