#include "model/files/checkpoint_folder.h"

#include <algorithm>
#include <filesystem>

#include "kernels/error.h"
#include "kernels/thread_pool.h"
#include "model/files/folder_tensors.h"
#include "model/files/json_fields.h"

namespace model {

using kernels::fail_usage;

namespace {

constexpr int64_t kPieceSize = 1 << 18;  // elements that one task reads

}  // namespace

ModelConfig read_config(const std::string& directory) {
  if (!std::filesystem::is_directory(directory)) fail_usage("{}: is no folder. Give the path of a model folder.", directory);
  const auto file = directory + "/config.json";
  auto json = parse_json(read_text_file(file), file);
  // generation_config.json wins: it is what the model's makers sample with.
  const auto generation = directory + "/generation_config.json";
  if (std::filesystem::exists(generation) && json.is_object()) {
    const auto more = parse_json(read_text_file(generation), generation);
    const JsonFields fields(more, generation);
    for (const char* key : {"eos_token_id", "bos_token_id", "pad_token_id"})
      if (fields.find(key)) json[key] = *fields.find(key);
  }
  return config_from_json(json, file);
}

void read_weights(const std::string& directory, ParameterStore& store) {
  FolderTensors tensors(directory);
  struct Piece {
    const kernels::ReadRun* read;
    int64_t first, count;
    float* to;
  };
  const auto readers = tensors.readers(store);
  std::vector<Piece> pieces;
  for (size_t i = 0; i < readers.size(); ++i) {
    const Parameter& p = store.parameters()[i];
    const int64_t matrix = p.shape.size() == 3 ? p.shape[1] * p.shape[2] : p.size;
    for (int64_t first = 0; first < p.size; first += matrix)
      for (int64_t at = first; at < first + matrix; at += kPieceSize)
        pieces.push_back({&readers[i], at, std::min(kPieceSize, first + matrix - at), store.master_of(p.name) + at});
  }
  kernels::parallel_for(static_cast<int64_t>(pieces.size()), [&](int64_t i) {
    const Piece& piece = pieces[static_cast<size_t>(i)];
    const float* values = (*piece.read)(piece.first, piece.count, piece.to);
    if (values != piece.to) std::copy_n(values, piece.count, piece.to);
  });
}

std::shared_ptr<const WeightSet> read_packed_weights(const std::string& directory, const ModelConfig& config,
                                                     kernels::Dtype dtype) {
  FolderTensors tensors(directory);
  const ParameterList list(config);
  const auto readers = tensors.readers(list);
  const auto reader = [&](const Parameter& p) { return readers[static_cast<size_t>(&p - list.parameters().data())]; };
  return pack_weights(list, reader, dtype, 0);
}

}  // namespace model
