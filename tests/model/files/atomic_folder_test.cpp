#include "model/files/atomic_folder.h"

#include "model/files/safetensors.h"
#include "tests/model/golden.h"
#include "tests/support/catch.h"

using Catch::Matchers::Contains;
using golden::TemporaryFolder;
using model::AtomicFolder;

namespace {

int64_t entries(const std::string& folder) {
  return std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator());
}

}  // namespace

TEST_CASE("a folder stands only when it is committed, and then replaces what stood there", "[atomic_folder]") {
  const TemporaryFolder parent;
  for (const char* text : {"first", "second"}) {
    AtomicFolder folder(parent / "above/model/");
    CHECK(folder.path() == parent / "above/model");
    model::write_file_atomically(folder.temporary() + "/file", text);
    if (text == std::string("first")) CHECK_FALSE(std::filesystem::exists(parent / "above/model"));
    else CHECK(model::read_text_file(parent / "above/model/file") == "first");
    folder.commit();
    CHECK(model::read_text_file(parent / "above/model/file") == text);
    CHECK(entries(parent / "above") == 1);
  }
}

TEST_CASE("a folder that is given up leaves nothing, and one left by a killed process goes", "[atomic_folder]") {
  const TemporaryFolder parent;
  std::filesystem::create_directories(parent / ".model.partial/old");
  {
    const AtomicFolder folder(parent / "model");
    CHECK(entries(folder.temporary()) == 0);
    model::write_file_atomically(folder.temporary() + "/file", "half");
  }
  CHECK(entries(parent.path()) == 0);
}

TEST_CASE("a folder that cannot be made is named", "[atomic_folder]") {
  const TemporaryFolder parent;
  model::write_file_atomically(parent / "file", "text");
  CHECK_THROWS_WITH(AtomicFolder(parent / "file/model"), Contains("file/.model.partial: cannot be made"));
}
