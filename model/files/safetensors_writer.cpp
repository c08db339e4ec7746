#include "model/files/safetensors_writer.h"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>

#include "kernels/error.h"
#include "model/files/atomic_file.h"
#include "model/files/number_formats.h"

namespace model {

using kernels::fail;
using nlohmann::ordered_json;

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

void check_bytes(const StreamedTensor& x) {
  int64_t bytes = bytes_of_safetensors_type(x.dtype);
  if (bytes == 0) fail("write_safetensors: {} is of dtype {}, which the format does not have", x.name, x.dtype);
  for (const int64_t n : x.shape) bytes *= n;
  if (bytes != x.bytes)
    fail("write_safetensors: {} takes {} bytes by dtype and shape, but is said to have {}", x.name, bytes, x.bytes);
}

std::string header_of(const std::string& path, const std::vector<StreamedTensor>& tensors,
                      const std::vector<std::pair<std::string, std::string>>& metadata) {
  ordered_json about{{"format", "pt"}};
  for (const auto& [key, value] : metadata) about[key] = value;
  ordered_json::object_t header;  // filled without ordered_json's search for equal keys
  header.Container::emplace_back("__metadata__", std::move(about));
  std::set<std::string> names{"__metadata__"};
  int64_t offset = 0;
  for (const auto& x : tensors) {
    if (!names.insert(x.name).second) fail("write_safetensors: {} is named twice", x.name);
    check_bytes(x);
    header.Container::emplace_back(
        x.name, ordered_json{{"dtype", x.dtype}, {"shape", x.shape}, {"data_offsets", {offset, offset + x.bytes}}});
    offset += x.bytes;
  }
  try {
    std::string text = ordered_json(std::move(header)).dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');  // so that the tensors are aligned
    return text;
  } catch (const ordered_json::exception& e) {
    fail("write_safetensors: {}: a name or a metadata value is not UTF-8 ({})", path, e.what());
  }
}

}  // namespace

void stream_safetensors(const std::string& path, const std::vector<StreamedTensor>& tensors,
                        const std::vector<std::pair<std::string, std::string>>& metadata) {
  const std::string header = header_of(path, tensors, metadata);
  const uint64_t size = header.size();
  AtomicFile file(path);
  file.write(&size, sizeof size);
  file.write(header.data(), header.size());
  for (const auto& x : tensors) {
    int64_t left = x.bytes;
    x.make([&](const void* data, size_t count) {
      left -= static_cast<int64_t>(count);
      if (left >= 0) file.write(data, count);
    });
    if (left != 0)
      fail("write_safetensors: {} of {} bytes came out {} bytes too {}", x.name, x.bytes, std::abs(left),
           left > 0 ? "short" : "long");
  }
  file.commit();
}

void write_safetensors(const std::string& path, const std::vector<NamedTensor>& tensors,
                       const std::vector<std::pair<std::string, std::string>>& metadata) {
  std::vector<StreamedTensor> streamed;
  for (const auto& [name, x, round_to_bf16] : tensors) {
    if (!x.is_contiguous() || !x.is_cpu()) fail("write_safetensors: {} is not contiguous on the CPU", name);
    const auto bytes = static_cast<int64_t>(round_to_bf16 ? x.nbytes() / 2 : x.nbytes());
    const auto make = [&x = x, round = round_to_bf16](const WriteBytes& write) {
      const at::Tensor stored = round ? kernels::rounded(x, kernels::Dtype::bf16) : x;
      write(stored.data_ptr(), stored.nbytes());
    };
    streamed.push_back({name, round_to_bf16 ? "BF16" : type_name(name, x), x.sizes().vec(), bytes, make});
  }
  stream_safetensors(path, streamed, metadata);
}

}  // namespace model
