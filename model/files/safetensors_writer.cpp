#include <cstdlib>
#include <set>

#include "kernels/error.h"
#include "model/files/atomic_file.h"
#include "model/files/json_fields.h"
#include "model/files/safetensors.h"
#include "model/files/safetensors_stream.h"

namespace model {

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
      kernels::fail("write_safetensors: {} is {}; float32, bfloat16, int64, int32 and uint8 can be written", name,
                    c10::toString(x.scalar_type()));
  }
}

}  // namespace

void stream_safetensors(const std::string& path, const std::vector<StreamedTensor>& tensors,
                        const std::vector<std::pair<std::string, std::string>>& metadata) {
  nlohmann::ordered_json header{{"__metadata__", {{"format", "pt"}}}};
  for (const auto& [key, value] : metadata) header["__metadata__"][key] = value;
  std::set<std::string> names;
  int64_t offset = 0;
  for (const auto& x : tensors) {
    if (!names.insert(x.name).second || x.name == "__metadata__") kernels::fail("write_safetensors: {} is named twice", x.name);
    header[x.name] = {{"dtype", x.dtype}, {"shape", x.shape}, {"data_offsets", {offset, offset + x.bytes}}};
    offset += x.bytes;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // so that the tensors are aligned
  const uint64_t size = text.size();
  AtomicFile file(path);
  file.write(&size, sizeof size);
  file.write(text.data(), text.size());
  for (const auto& x : tensors) {
    int64_t left = x.bytes;
    x.make([&](const void* data, size_t count) {
      left -= static_cast<int64_t>(count);
      if (left >= 0) file.write(data, count);
    });
    if (left != 0)
      kernels::fail("write_safetensors: {} of {} bytes came out {} bytes too {}", x.name, x.bytes, std::abs(left),
                    left > 0 ? "short" : "long");
  }
  file.commit();
}

void write_safetensors(const std::string& path, const std::vector<NamedTensor>& tensors,
                       const std::vector<std::pair<std::string, std::string>>& metadata) {
  std::vector<StreamedTensor> streamed;
  for (const auto& [name, x, round_to_bf16] : tensors) {
    if (!x.is_contiguous() || !x.is_cpu()) kernels::fail("write_safetensors: {} is not contiguous on the CPU", name);
    const auto bytes = static_cast<int64_t>(round_to_bf16 ? x.nbytes() / 2 : x.nbytes());
    const auto make = [x, round_to_bf16](const WriteBytes& write) {
      const at::Tensor stored = round_to_bf16 ? kernels::rounded(x, kernels::Dtype::bf16) : x;
      write(stored.data_ptr(), stored.nbytes());
    };
    streamed.push_back({name, round_to_bf16 ? "BF16" : type_name(name, x), x.sizes().vec(), bytes, make});
  }
  stream_safetensors(path, streamed, metadata);
}

}  // namespace model
