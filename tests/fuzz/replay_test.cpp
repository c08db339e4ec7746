// The checked-in corpus of each fuzz target, without clang: each file must be refused or read, as in run.sh.
//
// The build gives every target's entry point a name of its own, fuzz_TARGET, and lists them in PONDER_FUZZ_TARGETS.
#include <filesystem>

#include "tests/model/golden.h"
#include "tests/support/catch.h"

#define X(target) extern "C" int fuzz_##target(const uint8_t* data, size_t size);
PONDER_FUZZ_TARGETS
#undef X

namespace {

struct Target {
  const char* name;
  int (*run)(const uint8_t*, size_t);
};

const Target targets[] = {
#define X(target) {#target, fuzz_##target},
    PONDER_FUZZ_TARGETS
#undef X
};

}  // namespace

TEST_CASE("the corpus of every fuzz target is read or refused", "[fuzz]") {
  for (const auto& target : targets) {
    int files = 0;
    for (const auto& file : std::filesystem::directory_iterator(testing::source_dir() + "/tests/fuzz/corpus/" + target.name)) {
      INFO(file.path().string());
      const auto text = model::read_text_file(file.path());
      CHECK(target.run(reinterpret_cast<const uint8_t*>(text.data()), text.size()) == 0);
      ++files;
    }
    INFO(target.name);
    CHECK(files > 0);
  }
}
