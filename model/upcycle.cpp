#include "model/upcycle.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <set>

#include "kernels/error.h"
#include "kernels/rng.h"
#include "kernels/thread_pool.h"
#include "model/files/checkpoint_folder.h"
#include "model/files/folder_files.h"
#include "model/files/json_fields.h"
#include "model/files/safetensors.h"
#include "model/files/safetensors_stream.h"
#include "model/parameter_store.h"

namespace model {

using kernels::fail_usage;

namespace {

constexpr int64_t kChunk = 1 << 20;  // elements that are made at a time
constexpr double kRouterStd = 0.02;  // initializer_range of these families

std::vector<std::string> weight_files(const std::string& directory) {
  const auto single = directory + "/model.safetensors", index = directory + "/model.safetensors.index.json";
  if (std::filesystem::exists(single)) return {single};
  if (!std::filesystem::exists(index))
    fail_usage("{}: has neither model.safetensors nor model.safetensors.index.json; upcycle reads no other weights.", directory);
  const auto json = parse_json(read_text_file(index), index);
  const auto& map = JsonFields(json, index).need("weight_map");
  if (!map.is_object()) fail_usage("{}: weight_map: is {}, but must be an object of tensors and files.", index, shown(map));
  std::set<std::string> names;
  for (const auto& [tensor, file] : map.items()) {
    if (!file.is_string() || file.get<std::string>().find('/') != std::string::npos)
      fail_usage("{}: weight_map: {} is said to be in {}, which is no file name.", index, shown(tensor), shown(file));
    names.insert(directory + "/" + file.get<std::string>());
  }
  return {names.begin(), names.end()};
}

// The tensors of the dense model, each there and in the config's shape.
class DenseWeights {
 public:
  DenseWeights(const std::string& directory, const ParameterList& parameters) {
    for (const auto& path : weight_files(directory)) {
      files_.push_back(std::make_unique<SafetensorsFile>(path));
      for (const auto& entry : files_.back()->entries())
        if (!entries_.emplace(entry.name, &entry).second)
          fail_usage("{}: tensor {} is in another file of the folder as well.", path, shown(entry.name));
    }
    for (const auto& p : parameters.parameters()) check(directory, p);
    for (const auto& [name, entry] : entries_) {
      const bool carries_nothing = name.ends_with("rotary_emb.inv_freq") || name == "lm_head.weight";
      if (!parameters.has(name) && !carries_nothing)
        fail_usage("{}: tensor {} has no place in a {} of {} layers. Does config.json belong to these weights?", directory, shown(name),
                   parameters.config().family, parameters.config().layers);
    }
  }

  const SafetensorsEntry& at(const std::string& name) const { return *entries_.at(name); }

 private:
  void check(const std::string& directory, const Parameter& p) const {
    const auto found = entries_.find(p.name);
    if (found == entries_.end())
      fail_usage("{}: tensor {} of shape {} is missing. Does config.json belong to these weights?", directory, p.name,
                 nlohmann::json(p.shape).dump());
    if (found->second->shape != p.shape)
      fail_usage("{}: tensor {}: has shape {}, but the config asks for {}.", directory, p.name,
                 nlohmann::json(found->second->shape).dump(), nlohmann::json(p.shape).dump());
    check_is_float(*found->second, directory);
  }

  std::vector<std::unique_ptr<SafetensorsFile>> files_;
  std::map<std::string, const SafetensorsEntry*> entries_;
};

// A rectangle of a dense matrix (or a whole vector), changed on its way: x * factor + noise * normal.
struct Part {
  const SafetensorsEntry* entry = nullptr;
  int64_t first_row = 0, rows = 1, first_column = 0, columns = 0;
  double factor = 1.0, noise = 0.0;
  kernels::RandomKey key;  // of the noise; its position is filled in

  bool as_it_is() const { return factor == 1.0 && noise == 0.0 && entry->dtype != "F64"; }
  std::string dtype() const { return entry->dtype == "F64" ? "F32" : entry->dtype; }
  int64_t element_bytes() const { return dtype() == "F32" ? 4 : 2; }
};

Part whole(const SafetensorsEntry& entry) {
  Part part{.entry = &entry, .columns = entry.shape.back()};
  for (size_t i = 0; i + 1 < entry.shape.size(); ++i) part.rows *= entry.shape[i];
  return part;
}

void store(const std::string& dtype, const float* values, int64_t count, unsigned char* out) {
  if (dtype == "F32") return std::memcpy(out, values, static_cast<size_t>(count) * 4), void();
  for (int64_t i = 0; i < count; ++i) {
    const uint16_t bits = dtype == "BF16" ? c10::BFloat16(values[i]).x : c10::Half(values[i]).x;
    std::memcpy(out + 2 * i, &bits, 2);
  }
}

void make_row(const Part& part, int64_t row, std::vector<float>& scratch, unsigned char* out) {
  const int64_t first = (part.first_row + row) * part.entry->shape.back() + part.first_column;
  if (part.as_it_is()) {
    const int64_t width = part.element_bytes();
    std::memcpy(out, part.entry->data + first * width, static_cast<size_t>(part.columns * width));
    return;
  }
  scratch.resize(static_cast<size_t>(part.columns));
  const float* values = read_run(*part.entry, first, part.columns, scratch.data());
  const auto quads = static_cast<uint32_t>((part.columns + 3) / 4);
  kernels::RandomKey key = part.key;
  std::array<float, 4> normals{};
  for (int64_t i = 0; i < part.columns; ++i) {
    if (part.noise != 0 && i % 4 == 0) {
      key.position = static_cast<uint32_t>(row) * quads + static_cast<uint32_t>(i / 4);
      normals = kernels::random_normals(key);
    }
    const double noise = part.noise != 0 ? part.noise * normals[static_cast<size_t>(i % 4)] : 0.0;
    scratch[static_cast<size_t>(i)] = static_cast<float>((values[i] + noise) * part.factor);
  }
  store(part.dtype(), scratch.data(), part.columns, out);
}

void write_part(const Part& part, const WriteBytes& write) {
  const int64_t at_once = std::max<int64_t>(1, kChunk / part.columns), row_bytes = part.columns * part.element_bytes();
  std::vector<unsigned char> buffer(static_cast<size_t>(std::min(at_once, part.rows) * row_bytes));
  for (int64_t row = 0; row < part.rows; row += at_once) {
    const int64_t count = std::min(at_once, part.rows - row);
    kernels::parallel_ranges(count, 16, [&](int64_t begin, int64_t end) {
      std::vector<float> scratch;
      for (int64_t i = begin; i < end; ++i) make_row(part, row + i, scratch, buffer.data() + i * row_bytes);
    });
    write(buffer.data(), static_cast<size_t>(count * row_bytes));
  }
}

double root_mean_square(const SafetensorsEntry& entry) {
  const int64_t rows = entry.shape[0], columns = entry.shape[1];
  std::vector<double> sums(static_cast<size_t>(rows));
  kernels::parallel_ranges(rows, 16, [&](int64_t begin, int64_t end) {
    std::vector<float> scratch(static_cast<size_t>(columns));
    for (int64_t row = begin; row < end; ++row) {
      const float* values = read_run(entry, row * columns, columns, scratch.data());
      for (int64_t i = 0; i < columns; ++i) sums[static_cast<size_t>(row)] += static_cast<double>(values[i]) * values[i];
    }
  });
  double sum = 0;
  for (const double s : sums) sum += s;
  return std::sqrt(sum / static_cast<double>(rows * columns));
}

// One expert's names below its layer, in the family's spelling; gate, up, down.
struct Spelling {
  std::string moe, gate, up, down;
};

Spelling spelling_of(const std::string& family) {
  if (family == "mixtral") return {"block_sparse_moe.", "w1", "w3", "w2"};
  return {"mlp.", "gate_proj", "up_proj", "down_proj"};
}

// Lists the tensors of the new model in the order of the old one.
class Builder {
 public:
  Builder(const UpcyclePlan& plan, const UpcycleOptions& options, const ParameterList& parameters, const DenseWeights& dense)
      : plan_(plan), options_(options), spelling_(spelling_of(plan.target.family)) {
    const std::string gate = "mlp.gate_proj.weight";
    for (const auto& p : parameters.parameters()) {
      if (p.name.find(".mlp.") == std::string::npos) {
        add(p.name, dense.at(p.name).shape, whole(dense.at(p.name)));
        if (plan.adds_query_key_norm && p.name.ends_with("self_attn.k_proj.weight"))
          add_norms(p.name.substr(0, p.name.size() - std::strlen("k_proj.weight")));
      } else if (p.name.ends_with(gate)) {
        add_layer(p.name.substr(0, p.name.size() - gate.size()), dense);
      }
    }
  }

  const std::vector<StreamedTensor>& tensors() const { return tensors_; }

 private:
  void add(const std::string& name, std::vector<int64_t> shape, const Part& part) {
    tensors_.push_back({name, part.dtype(), std::move(shape), part.rows * part.columns * part.element_bytes(),
                        [part](const WriteBytes& write) { write_part(part, write); }});
  }

  // `value(i)` of element i, float32.
  template <typename Value>
  void add_made(const std::string& name, std::vector<int64_t> shape, Value value) {
    int64_t size = 1;
    for (const int64_t n : shape) size *= n;
    tensors_.push_back({name, "F32", std::move(shape), size * 4, [size, value](const WriteBytes& write) {
                          std::vector<float> values(static_cast<size_t>(size));
                          for (int64_t i = 0; i < size; ++i) values[static_cast<size_t>(i)] = value(i);
                          write(values.data(), values.size() * 4);
                        }});
  }

  void add_norms(const std::string& at) {
    for (const char* name : {"q_norm.weight", "k_norm.weight"}) add_made(at + name, {plan_.dense.head_size}, [](int64_t) { return 1.0f; });
  }

  void add_layer(const std::string& layer, const DenseWeights& dense) {
    const SafetensorsEntry *gate = &dense.at(layer + "mlp.gate_proj.weight"), *up = &dense.at(layer + "mlp.up_proj.weight"),
                           *down = &dense.at(layer + "mlp.down_proj.weight");
    const int64_t width = plan_.target.expert_width, shared = plan_.target.shared_experts;
    add_router(layer + spelling_.moe);
    const double level[] = {options_.noise > 0 ? options_.noise * root_mean_square(*gate) : 0.0,
                            options_.noise > 0 ? options_.noise * root_mean_square(*up) : 0.0,
                            options_.noise > 0 ? options_.noise * root_mean_square(*down) : 0.0};
    for (int64_t e = 0; e < plan_.target.router.experts; ++e) {
      const int64_t slice = shared + e % plan_.slices;
      const std::string at = fmt::format("{}{}experts.{}.", layer, spelling_.moe, e);
      const auto noisy = [&](Part part, int64_t which) {
        part.noise = level[which];
        part.key = {.seed = static_cast<uint64_t>(options_.seed), .purpose = kernels::Purpose::init, .step = 1,
                    .group = static_cast<uint64_t>(layer_ * 3 + which), .sample = static_cast<uint32_t>(e)};
        return part;
      };
      add_matrix(at + spelling_.gate, noisy(rows_of(*gate, slice * width, width), 0));
      add_matrix(at + spelling_.up, noisy(rows_of(*up, slice * width, width), 1));
      Part part = noisy(columns_of(*down, slice * width, width), 2);
      part.factor = plan_.down_factor;
      add_matrix(at + spelling_.down, part);
    }
    if (shared > 0) {
      add_matrix(layer + "mlp.shared_experts.gate_proj", rows_of(*gate, 0, shared * width));
      add_matrix(layer + "mlp.shared_experts.up_proj", rows_of(*up, 0, shared * width));
      add_matrix(layer + "mlp.shared_experts.down_proj", columns_of(*down, 0, shared * width));
    }
    ++layer_;
  }

  void add_matrix(const std::string& name, const Part& part) { add(name + ".weight", {part.rows, part.columns}, part); }

  static Part rows_of(const SafetensorsEntry& entry, int64_t first, int64_t count) {
    Part part = whole(entry);
    part.first_row = first, part.rows = count;
    return part;
  }
  static Part columns_of(const SafetensorsEntry& entry, int64_t first, int64_t count) {
    Part part = whole(entry);
    part.first_column = first, part.columns = count;
    return part;
  }

  // The rows of one copy are alike when the router is tied.
  void add_router(const std::string& at) {
    const int64_t width = plan_.target.width, alike = plan_.tied_router ? plan_.slices : 1, experts = plan_.target.router.experts;
    const kernels::RandomKey of_layer{.seed = static_cast<uint64_t>(options_.seed), .purpose = kernels::Purpose::init,
                                      .group = static_cast<uint64_t>(layer_)};
    add_made(at + "gate.weight", {experts, width}, [=](int64_t i) {
      kernels::RandomKey key = of_layer;
      key.sample = static_cast<uint32_t>(i / width / alike);
      key.position = static_cast<uint32_t>(i % width / 4);
      return static_cast<float>(kRouterStd * kernels::random_normals(key)[static_cast<size_t>(i % width % 4)]);
    });
    if (plan_.target.router.scoring == kernels::RouterConfig::Scoring::sigmoid)
      add_made(at + "gate.e_score_correction_bias", {experts}, [](int64_t) { return 0.0f; });
  }

  const UpcyclePlan& plan_;
  const UpcycleOptions& options_;
  Spelling spelling_;
  int64_t layer_ = 0;
  std::vector<StreamedTensor> tensors_;
};

void check_room(const std::string& out, const std::vector<StreamedTensor>& tensors) {
  int64_t bytes = 0;
  for (const auto& x : tensors) bytes += x.bytes;
  std::error_code error;
  const auto space = std::filesystem::space(out, error);
  if (!error && space.available < static_cast<uintmax_t>(bytes))
    fail_usage("{}: the model takes {} MB, but {} MB are free there.", out, bytes >> 20, space.available >> 20);
}

// Tokenizer, template, licence and the like.
void copy_small_files(const std::string& from, const std::string& to) {
  static const std::set<std::string> own{"config.json", "model.safetensors.index.json", "README.md"};
  static const std::set<std::string> weights{".safetensors", ".bin", ".pt", ".pth", ".gguf", ".h5", ".msgpack", ".onnx"};
  for (const auto& item : std::filesystem::directory_iterator(from)) {
    const auto name = item.path().filename().string();
    if (!item.is_regular_file() || name.starts_with(".") || own.contains(name) || weights.contains(item.path().extension().string()) ||
        name.ends_with(".index.json"))
      continue;
    write_file_atomically(to + "/" + name, read_text_file(item.path().string()));
  }
}

std::vector<StreamedTensor> with_progress(std::vector<StreamedTensor> tensors, const std::function<void(int64_t, int64_t)>& progress) {
  int64_t total = 0;
  for (const auto& x : tensors) total += x.bytes;
  const auto done = std::make_shared<int64_t>(0);
  for (auto& x : tensors)
    x.make = [make = x.make, progress, done, total](const WriteBytes& write) {
      make([&](const void* data, size_t size) {
        write(data, size);
        progress(*done += static_cast<int64_t>(size), total);
      });
    };
  return tensors;
}

}  // namespace

UpcyclePlan upcycle(const std::string& dense, const std::string& out, const UpcycleOptions& options,
                    const std::function<void(int64_t done, int64_t total)>& progress) {
  const ModelConfig config = read_config(dense);
  const UpcyclePlan plan = plan_upcycle(config, options);
  std::error_code none;
  if (std::filesystem::equivalent(dense, out, none))
    fail_usage("upcycle: {} is the dense model itself, which would be lost. Name another folder.", out);
  const ParameterList parameters(config);
  const DenseWeights weights(dense, parameters);
  const Builder builder(plan, options, parameters, weights);
  make_folder(out);
  check_room(out, builder.tensors());
  stream_safetensors(out + "/model.safetensors", progress ? with_progress(builder.tensors(), progress) : builder.tensors());
  copy_small_files(dense, out);
  const auto dtype = weights.at("model.embed_tokens.weight").dtype == "BF16" ? kernels::Dtype::bf16 : kernels::Dtype::float32;
  write_file_atomically(out + "/config.json", config_to_json(plan.target, dtype).dump(2) + "\n");
  return plan;
}

}  // namespace model
