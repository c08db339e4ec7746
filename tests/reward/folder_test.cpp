#include <array>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/catch.h"
#include "tests/support/source_dir.h"

namespace fs = std::filesystem;

TEST_CASE("reward/ includes its own headers, fmt and the standard library, and nothing else", "[folder]") {
  int includes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(testing::source_dir()) / "reward")) {
    const auto extension = entry.path().extension();
    if (extension != ".h" && extension != ".cpp") continue;
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) {
      if (line.rfind("#include", 0) != 0) continue;
      ++includes;
      INFO(entry.path().filename() << ": " << line);
      const bool own = line.rfind("#include \"reward/", 0) == 0;
      const bool fmt = line.rfind("#include <fmt/", 0) == 0;
      const bool standard = line.rfind("#include <", 0) == 0 && line.find('/') == std::string::npos &&
                            line.find(".h>") == std::string::npos;
      CHECK((own || fmt || standard));
    }
  }
  REQUIRE(includes > 40);
}

TEST_CASE("the library links fmt and threads alone", "[folder]") {
  std::ifstream file(fs::path(testing::source_dir()) / "reward" / "CMakeLists.txt");
  std::string all((std::istreambuf_iterator<char>(file)), {}), links;
  for (size_t at = 0; (at = all.find("target_link_libraries", at)) != std::string::npos; ++at)
    links += all.substr(at, all.find('\n', at) - at);
  REQUIRE(links == "target_link_libraries(reward PUBLIC fmt::fmt Threads::Threads)");
}
