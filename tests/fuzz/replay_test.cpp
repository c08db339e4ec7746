// The checked-in corpus of each fuzz target, without clang: each file, and random damage to it, must be refused or read, as in
// run.sh. With PONDER_LONG=1 a hundred times as much damage.
//
// The build gives every target's entry point a name of its own, fuzz_TARGET, and lists them in PONDER_FUZZ_TARGETS.
#include <cstdlib>
#include <filesystem>
#include <map>

#include "tests/model/golden.h"
#include "tests/support/catch.h"
#include "tests/support/damaged.h"

#define X(target) extern "C" int fuzz_##target(const uint8_t* data, size_t size);
PONDER_FUZZ_TARGETS
#undef X

namespace {

struct Target {
  const char* name;
  int (*run)(const uint8_t*, size_t);
  int read(const std::string& bytes) const { return run(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()); }
};

const Target targets[] = {
#define X(target) {#target, fuzz_##target},
    PONDER_FUZZ_TARGETS
#undef X
};

// Name -> bytes, in the order of names: a seed then means the same damage on every machine.
std::map<std::string, std::string> corpus(const Target& target) {
  std::map<std::string, std::string> files;
  for (const auto& file : std::filesystem::directory_iterator(testing::source_dir() + "/tests/fuzz/corpus/" + target.name))
    files[file.path().filename().string()] = model::read_text_file(file.path());
  return files;
}

}  // namespace

TEST_CASE("the corpus of every fuzz target is read or refused", "[fuzz]") {
  for (const auto& target : targets) {
    const auto files = corpus(target);
    for (const auto& [name, bytes] : files) {
      INFO(target.name << "/" << name);
      CHECK(target.read(bytes) == 0);
    }
    INFO(target.name);
    CHECK(!files.empty());
  }
}

TEST_CASE("the corpus of every fuzz target, randomly damaged, is read or refused", "[fuzz]") {
  const int times = std::getenv("PONDER_LONG") ? 400000 : 4000;
  for (const auto& target : targets) {
    for (const auto& [name, bytes] : corpus(target)) {
      std::mt19937_64 random(7);
      std::string bad = bytes;
      for (int i = 0; i < times; ++i) {
        // Damage adds up over eight rounds, so that a fault needs not come at once.
        bad = testing::damaged(i % 8 == 0 ? bytes : bad, random);
        INFO(target.name << "/" << name << ", damage " << i);
        REQUIRE(target.read(bad) == 0);
      }
    }
  }
}
