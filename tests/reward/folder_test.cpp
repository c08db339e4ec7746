#include <array>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/catch.h"
#include "tests/support/source_dir.h"

namespace fs = std::filesystem;

TEST_CASE("reward/ includes nothing of another folder of Ponder and no LibTorch", "[folder]") {
  int includes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(testing::source_dir()) / "reward")) {
    const auto extension = entry.path().extension();
    if (extension != ".h" && extension != ".cpp") continue;
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) {
      if (line.rfind("#include", 0) != 0) continue;
      ++includes;
      INFO(entry.path().filename() << ": " << line);
      const bool quoted = line.rfind("#include \"", 0) == 0;
      CHECK((!quoted || line.rfind("#include \"reward/", 0) == 0));
      for (const char* torch : {"<torch/", "<ATen/", "<c10/"}) CHECK(line.find(torch) == std::string::npos);
    }
  }
  REQUIRE(includes > 40);
}
