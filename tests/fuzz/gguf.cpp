// Any bytes as a GGUF file: it is refused, or its tensors can be dequantised, its config is one that check() takes, and its
// tokenizer is a tokenizer.json.
#include <algorithm>
#include <cstdlib>

#include "kernels/error.h"
#include "model/gguf/gguf_import.h"

namespace {

template <typename Body>
void tolerate(Body body) {
  try {
    body();
  } catch (const kernels::UsageError&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tolerate([&] {
    const auto gguf = model::parse_gguf(data, static_cast<int64_t>(size), "f");
    for (const auto& tensor : gguf.tensors) {
      std::vector<float> values(static_cast<size_t>(std::max<int64_t>(tensor.elements, 1)));
      model::dequantize(*tensor.type, tensor.data, tensor.elements, values.data());
    }
    tolerate([&] { model::check(model::gguf_config(gguf, "f")); });
    tolerate([&] {
      if (!nlohmann::json::accept(model::gguf_tokenizer_json(gguf.metadata, "f"))) std::abort();
    });
  });
  return 0;
}
