#define CATCH_CONFIG_MAIN
#include "tests/support/catch.h"
#include "tests/support/source_dir.h"

namespace testing {

const std::string& source_dir() {
  static const std::string folder = PONDER_SOURCE_DIR;
  return folder;
}

}  // namespace testing
