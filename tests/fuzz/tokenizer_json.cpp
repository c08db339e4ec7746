// Any bytes: the part before the first NUL is read as a tokenizer.json, the rest is text for it. Reading ends or throws
// UsageError; encoding and decoding end or throw Error; a stream gives what decode gives.
#include <cstdlib>

#include "kernels/error.h"
#include "model/tokenizer/tokenizer.h"
#include "model/tokenizer/utf8.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void try_text(const std::shared_ptr<const model::Tokenizer>& tokenizer, std::string_view bytes) {
  std::string text;
  model::Utf8Repair repair;
  repair.push(bytes.substr(0, 200), text);
  repair.finish(text);
  require(model::find_invalid_utf8(text) == std::string::npos);
  const auto ids = tokenizer->encode(text, /*add_special_tokens=*/true);
  model::TextStream stream(tokenizer);
  std::string streamed;
  for (const int32_t id : ids) {
    require(id >= 0 && id < tokenizer->size());
    streamed += stream.push(id);
  }
  streamed += stream.finish();
  const auto decoded = tokenizer->decode(ids);
  require(decoded == streamed && model::find_invalid_utf8(decoded) == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto file = std::string(input.substr(0, input.find('\0')));
  std::shared_ptr<const model::Tokenizer> tokenizer;
  try {
    tokenizer = model::Tokenizer::from_json(file, "fuzz");
  } catch (const kernels::UsageError&) {
    return 0;
  }
  try {
    if (file.size() < input.size()) try_text(tokenizer, input.substr(file.size() + 1));
    try_text(tokenizer, "a  b\n12 <s>\xc3\xa9");
  } catch (const kernels::Error&) {  // such as a regular expression that takes without end
  }
  return 0;
}
