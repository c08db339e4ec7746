// Any bytes as a template, with a small conversation: it renders or is refused with a UsageError that names a line.
#include <cstdlib>

#include "kernels/error.h"
#include "model/chat/chat_template.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto messages = nlohmann::ordered_json::parse(
      R"([{"role": "system", "content": "s"}, {"role": "user", "content": "é <q>"}, {"role": "assistant", "content": "a", "n": [1, 2.5, null]}])");
  try {
    const model::ChatTemplate parsed(std::string(reinterpret_cast<const char*>(data), size), "fuzz");
    model::RenderOptions options;
    options.add_generation_prompt = size % 2 == 0;
    options.spans = size % 3 == 0;
    const auto output = parsed.render(messages, options);
    for (const auto& span : output.generation)
      if (span.begin < 0 || span.end < span.begin || span.end > static_cast<int64_t>(output.text.size())) std::abort();
  } catch (const kernels::UsageError& error) {
    if (std::string(error.what()).rfind("fuzz:", 0) != 0) std::abort();
  }
  return 0;
}
