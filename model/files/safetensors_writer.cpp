#include <set>

#include "kernels/error.h"
#include "model/files/atomic_file.h"
#include "model/files/json_fields.h"
#include "model/files/safetensors.h"

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

void write_safetensors(const std::string& path, const std::vector<NamedTensor>& tensors,
                       const std::vector<std::pair<std::string, std::string>>& metadata) {
  nlohmann::ordered_json header{{"__metadata__", {{"format", "pt"}}}};
  for (const auto& [key, value] : metadata) header["__metadata__"][key] = value;
  std::set<std::string> names;
  int64_t offset = 0;
  for (const auto& [name, x, round_to_bf16] : tensors) {
    if (!names.insert(name).second || name == "__metadata__") kernels::fail("write_safetensors: {} is named twice", name);
    if (!x.is_contiguous() || !x.is_cpu()) kernels::fail("write_safetensors: {} is not contiguous on the CPU", name);
    const auto bytes = static_cast<int64_t>(round_to_bf16 ? x.nbytes() / 2 : x.nbytes());
    header[name] = {{"dtype", round_to_bf16 ? "BF16" : type_name(name, x)}, {"shape", x.sizes().vec()}, {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // so that the tensors are aligned
  const uint64_t size = text.size();
  AtomicFile file(path);
  file.write(&size, sizeof size);
  file.write(text.data(), text.size());
  for (const auto& [name, x, round_to_bf16] : tensors) {
    const at::Tensor stored = round_to_bf16 ? kernels::rounded(x, kernels::Dtype::bf16) : x;
    file.write(stored.data_ptr(), stored.nbytes());
  }
  file.commit();
}

}  // namespace model
