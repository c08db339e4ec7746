#include "model/upcycle.h"

#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>

#include "kernels/error.h"
#include "kernels/rng.h"
#include "kernels/thread_pool.h"
#include "model/families/tensor_names.h"
#include "model/files/atomic_folder.h"
#include "model/files/checkpoint_folder.h"
#include "model/files/folder_files.h"
#include "model/files/folder_tensors.h"
#include "model/files/json_fields.h"
#include "model/files/safetensors.h"
#include "model/files/safetensors_stream.h"
#include "model/files/source_files.h"
#include "model/parameter_store.h"

namespace model {

using kernels::fail_usage;

namespace {

constexpr int64_t kChunk = 1 << 20;  // elements that are made at a time
constexpr double kRouterStd = 0.02;  // initializer_range of these families

// A parameter of the dense model: its elements as float32, and the type that they had in the file.
struct Source {
  kernels::ReadRun read;
  std::string dtype;
  std::vector<int64_t> shape;
  int64_t columns() const { return shape.back(); }
};

class DenseWeights {
 public:
  DenseWeights(const std::string& directory, const ParameterList& parameters) : tensors_(directory) {
    const auto readers = tensors_.readers(parameters);
    for (size_t i = 0; i < readers.size(); ++i) {
      const Parameter& p = parameters.parameters()[i];
      sources_[p.name] = {readers[i], kept_type(tensors_.dtype_of(p.name)), p.shape};
    }
  }

  bool has(const std::string& name) const { return sources_.contains(name); }
  const Source& at(const std::string& name) const { return sources_.at(name); }

 private:
  // Matrices that were quantised in blocks become bf16; double precision is no weight's type here.
  static std::string kept_type(const std::string& dtype) { return dtype == "F8_E4M3" ? "BF16" : dtype == "F64" ? "F32" : dtype; }

  FolderTensors tensors_;
  std::map<std::string, Source> sources_;
};

// A rectangle of a dense matrix (or a whole vector), changed on its way: x * factor + noise * normal.
struct Part {
  const Source* source = nullptr;
  int64_t first_row = 0, rows = 1, first_column = 0, columns = 0;
  double factor = 1.0, noise = 0.0;
  kernels::RandomKey key{};  // of the noise; its position is filled in

  bool as_it_is() const { return factor == 1.0 && noise == 0.0; }
  int64_t element_bytes() const { return source->dtype == "F32" ? 4 : 2; }
};

Part whole(const Source& source) {
  Part part{.source = &source, .columns = source.columns()};
  for (size_t i = 0; i + 1 < source.shape.size(); ++i) part.rows *= source.shape[i];
  return part;
}

void store(const std::string& dtype, const float* values, int64_t count, unsigned char* out) {
  if (dtype == "F32") return std::memcpy(out, values, static_cast<size_t>(count) * 4), void();
  for (int64_t i = 0; i < count; ++i) {
    const uint16_t bits = dtype == "BF16" ? c10::BFloat16(values[i]).x : c10::Half(values[i]).x;
    std::memcpy(out + 2 * i, &bits, 2);
  }
}

void change(const Part& part, int64_t row, float* values) {
  const auto quads = static_cast<uint32_t>((part.columns + 3) / 4);
  kernels::RandomKey key = part.key;
  std::array<float, 4> normals{};
  for (int64_t i = 0; i < part.columns; ++i) {
    if (part.noise != 0 && i % 4 == 0) {
      key.position = static_cast<uint32_t>(row) * quads + static_cast<uint32_t>(i / 4);
      normals = kernels::random_normals(key);
    }
    const double noise = part.noise != 0 ? part.noise * normals[static_cast<size_t>(i % 4)] : 0.0;
    values[i] = static_cast<float>((values[i] + noise) * part.factor);
  }
}

void make_row(const Part& part, int64_t row, std::vector<float>& scratch, unsigned char* out) {
  const int64_t first = (part.first_row + row) * part.source->columns() + part.first_column;
  scratch.resize(static_cast<size_t>(part.columns));
  const float* values = part.source->read(first, part.columns, scratch.data());
  if (!part.as_it_is()) {
    if (values != scratch.data()) std::copy_n(values, part.columns, scratch.data());
    change(part, row, scratch.data());
    values = scratch.data();
  }
  store(part.source->dtype, values, part.columns, out);
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

double root_mean_square(const Source& source) {
  const int64_t rows = source.shape[0], columns = source.columns();
  std::vector<double> sums(static_cast<size_t>(rows));
  kernels::parallel_ranges(rows, 16, [&](int64_t begin, int64_t end) {
    std::vector<float> scratch(static_cast<size_t>(columns));
    for (int64_t row = begin; row < end; ++row) {
      const float* values = source.read(row * columns, columns, scratch.data());
      for (int64_t i = 0; i < columns; ++i) sums[static_cast<size_t>(row)] += static_cast<double>(values[i]) * values[i];
    }
  });
  double sum = 0;
  for (const double s : sums) sum += s;
  return std::sqrt(sum / static_cast<double>(rows * columns));
}

// Lists the tensors of the new model, in its canonical order.
class Builder {
 public:
  Builder(const UpcyclePlan& plan, const UpcycleOptions& options, const DenseWeights& dense)
      : plan_(plan), options_(options), dense_(dense) {
    const ParameterList target(plan.target);
    for (size_t i = 0; i < target.parameters().size(); ++i) {
      if (target.parameters()[i].name == "lm_head.weight" && plan.target.tied_embedding) continue;
      add(target.parameters()[i], i);
    }
  }

  const std::vector<StreamedTensor>& tensors() const { return tensors_; }

 private:
  void add(const Parameter& p, uint64_t index) {
    const auto names = file_names(plan_.target, p);
    const std::string shared = ".mlp.shared_experts.";
    if (is_experts(p)) return add_experts(p, names, index);
    if (const size_t at = p.name.find(shared); at != std::string::npos)
      return add_part(names[0], p.shape, slices(dense_.at(p.name.substr(0, at) + ".mlp." + p.name.substr(at + shared.size())), p, 0));
    if (dense_.has(p.name)) return add_part(names[0], p.shape, whole(dense_.at(p.name)));
    if (p.name.ends_with(".mlp.gate.weight")) return add_router(names[0], index);
    // The correction bias of a sigmoid router starts at 0, a norm that the dense model lacks at 1.
    add_made(names[0], p.shape, [value = p.init == Parameter::Init::ones ? 1.0f : 0.0f](int64_t) { return value; });
  }

  // A matrix of expert width, at slice `first` of the dense one: rows of gate and up, columns of down.
  Part slices(const Source& source, const Parameter& p, int64_t first) const {
    Part part = whole(source);
    const int64_t rows = p.shape[p.shape.size() - 2], columns = p.shape.back(), at = first * plan_.target.expert_width;
    if (p.name.ends_with("down_proj.weight"))
      part.first_column = at, part.columns = columns;
    else
      part.first_row = at, part.rows = rows;
    return part;
  }

  void add_experts(const Parameter& p, const std::vector<std::string>& names, uint64_t index) {
    const std::string experts = ".mlp.experts.";
    const size_t at = p.name.find(experts);
    const Source& source = dense_.at(p.name.substr(0, at) + ".mlp." + p.name.substr(at + experts.size()));
    const double noise = options_.noise > 0 ? options_.noise * root_mean_square(source) : 0.0;
    for (size_t e = 0; e < names.size(); ++e) {
      Part part = slices(source, p, plan_.target.shared_experts + static_cast<int64_t>(e) % plan_.slices);
      part.noise = noise;
      part.key = key_of(index);
      part.key.sample = static_cast<uint32_t>(e);
      if (p.name.ends_with("down_proj.weight")) part.factor = plan_.down_factor;
      add_part(names[e], {part.rows, part.columns}, part);
    }
  }

  // The rows of one copy are alike when the router is tied.
  void add_router(const std::string& name, uint64_t index) {
    const int64_t width = plan_.target.width, alike = plan_.tied_router ? plan_.slices : 1;
    add_made(name, {plan_.target.router.experts, width}, [width, alike, of_layer = key_of(index)](int64_t i) {
      kernels::RandomKey key = of_layer;
      key.sample = static_cast<uint32_t>(i / width / alike);
      key.position = static_cast<uint32_t>(i % width / 4);
      return static_cast<float>(kRouterStd * kernels::random_normals(key)[static_cast<size_t>(i % width % 4)]);
    });
  }

  void add_part(const std::string& name, std::vector<int64_t> shape, const Part& part) {
    tensors_.push_back({name, part.source->dtype, std::move(shape), part.rows * part.columns * part.element_bytes(),
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

  kernels::RandomKey key_of(uint64_t parameter) const {
    return {.seed = static_cast<uint64_t>(options_.seed), .purpose = kernels::Purpose::init, .group = parameter};
  }

  const UpcyclePlan& plan_;
  const UpcycleOptions& options_;
  const DenseWeights& dense_;
  std::vector<StreamedTensor> tensors_;
};

void check_room(const AtomicFolder& folder, const std::vector<StreamedTensor>& tensors) {
  int64_t bytes = 0;
  for (const auto& x : tensors) bytes += x.bytes;
  std::error_code error;
  const auto space = std::filesystem::space(folder.temporary(), error);
  if (!error && space.available < static_cast<uintmax_t>(bytes))
    fail_usage("{}: the model takes {} MB, but {} MB are free there.", folder.path(), bytes >> 20, space.available >> 20);
}

// Tokenizer, template, licence and the like, as they are.
void copy_small_files(const std::string& from, const std::string& to) {
  for (const auto& [name, text] : read_source_files(from).texts) {
    if (name == "config.json") continue;
    const std::filesystem::path path = std::filesystem::path(to) / name;
    make_folder(path.parent_path().string());
    write_file_atomically(path.string(), text);
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
  const DenseWeights weights(dense, ParameterList(config));
  const Builder builder(plan, options, weights);
  AtomicFolder folder(out);
  const std::string& made = folder.temporary();
  check_room(folder, builder.tensors());
  stream_safetensors(made + "/model.safetensors", progress ? with_progress(builder.tensors(), progress) : builder.tensors());
  copy_small_files(dense, made);
  const auto dtype = weights.at("model.embed_tokens.weight").dtype == "BF16" ? kernels::Dtype::bf16 : kernels::Dtype::float32;
  write_file_atomically(made + "/config.json", config_to_json(plan.target, dtype).dump(2) + "\n");
  folder.commit();
  return plan;
}

}  // namespace model
