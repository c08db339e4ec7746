// Any bytes: extraction returns in every mode, and an answer is no longer than the text but for what joins boxes.
#include <cstdlib>

#include "reward/math/extract.h"

using namespace reward::math;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto mode : {Extraction::strict, Extraction::marked, Extraction::lenient, Extraction::whole}) {
    const auto found = extract(text, mode);
    if (found.answer && (found.answer->empty() || found.answer->size() > text.size() + 64)) std::abort();
    if (found.boxes < 0) std::abort();
  }
  gold_part(text);
  return 0;
}
