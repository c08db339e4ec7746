// Two answers, parted by the first line end: the verdict comes, and is the same twice.
#include <cstdlib>

#include "reward/math/verify.h"

using namespace reward::math;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Verifier verifiers[] = {Verifier("default", Extraction::whole), Verifier("math_verify", Extraction::whole),
                                       Verifier("hendrycks", Extraction::whole), Verifier("prm800k", Extraction::whole)};
  if (size == 0) return 0;
  const Verifier& verifier = verifiers[data[0] % 4];
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto line = text.find('\n');
  const auto answer = text.substr(0, line), gold = line == std::string_view::npos ? answer : text.substr(line + 1);
  const auto first = verifier.compare(answer, gold), second = verifier.compare(answer, gold);
  if (first.status != second.status || first.reason != second.reason || first.answer != second.answer) std::abort();
  if (first.value != (first.status == Status::match ? 1.0 : 0.0)) std::abort();
  return 0;
}
