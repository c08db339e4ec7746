#include "model/files/safetensors_writer.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "kernels/error.h"
#include "model/files/number_formats.h"

namespace model {

using kernels::fail;

namespace {

const char* type_name(const std::string& name, const at::Tensor& x) {
  switch (x.scalar_type()) {
    case at::kFloat:
      return "F32";
    case at::kBFloat16:
      return "BF16";
    case at::kLong:
      return "I64";
    case at::kInt:
      return "I32";
    case at::kByte:
      return "U8";
    default:
      fail("write_safetensors: {} is {}; float32, bfloat16, int64, int32 and uint8 can be written", name,
           c10::toString(x.scalar_type()));
  }
}

SafetensorsPlan plan_of(const NamedTensor& t) {
  if (!t.values.is_contiguous() || !t.values.is_cpu()) fail("write_safetensors: {} is not contiguous on the CPU", t.name);
  return {t.name, t.round_to_bf16 ? "BF16" : type_name(t.name, t.values), t.values.sizes().vec()};
}

}  // namespace

SafetensorsWriter::SafetensorsWriter(const std::string& path, const std::vector<SafetensorsPlan>& plan,
                                     const SafetensorsMetadata& metadata)
    : path_(path), file_(path) {
  nlohmann::ordered_json::object_t header;  // filled without ordered_json's search for equal keys
  nlohmann::ordered_json about{{"format", "pt"}};
  for (const auto& [key, value] : metadata) about[key] = value;
  header.Container::emplace_back("__metadata__", about);
  std::set<std::string> names{"__metadata__"};
  for (const auto& t : plan) {
    if (!names.insert(t.name).second) fail("write_safetensors: {} is named twice", t.name);
    int64_t bytes = bytes_of_safetensors_type(t.dtype);
    if (bytes == 0) fail("write_safetensors: {} is of dtype {}, which the format does not have", t.name, t.dtype);
    for (const int64_t n : t.shape) bytes *= n;
    header.Container::emplace_back(
        t.name, nlohmann::ordered_json{{"dtype", t.dtype}, {"shape", t.shape}, {"data_offsets", {left_, left_ + bytes}}});
    left_ += bytes;
  }
  std::string text;
  try {
    text = nlohmann::ordered_json(std::move(header)).dump();
  } catch (const nlohmann::json::exception& e) {
    fail("write_safetensors: {}: a name or a metadata value is not UTF-8: {}", path, e.what());
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');  // so that the tensors are aligned
  const uint64_t size = text.size();
  file_.write(&size, sizeof size);
  file_.write(text.data(), text.size());
}

void SafetensorsWriter::write(const void* data, int64_t bytes) {
  if (bytes > left_) fail("write_safetensors: {}: {} bytes more than planned", path_, bytes - left_);
  file_.write(data, static_cast<size_t>(bytes));
  left_ -= bytes;
}

void SafetensorsWriter::commit() {
  if (left_ != 0) fail("write_safetensors: {}: {} planned bytes are missing", path_, left_);
  file_.commit();
}

void write_safetensors(const std::string& path, const std::vector<NamedTensor>& tensors, const SafetensorsMetadata& metadata) {
  std::vector<SafetensorsPlan> plan;
  std::transform(tensors.begin(), tensors.end(), std::back_inserter(plan), plan_of);
  SafetensorsWriter file(path, plan, metadata);
  for (const auto& [name, x, round_to_bf16] : tensors) {
    const at::Tensor stored = round_to_bf16 ? kernels::rounded(x, kernels::Dtype::bf16) : x;
    file.write(stored.data_ptr(), static_cast<int64_t>(stored.nbytes()));
  }
  file.commit();
}

}  // namespace model
