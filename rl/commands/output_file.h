// Where a command writes its lines: a file that the user named, or stdout.
#pragma once

#include <fstream>
#include <string>

namespace rl {

class OutputFile {
 public:
  // `path` empty: stdout. Throws UsageError when it cannot be written, or is `input` itself, which would be lost.
  OutputFile(const std::string& path, const std::string& input);
  void write(const std::string& text);  // throws Error when it fails

 private:
  std::string name_;
  std::ofstream file_;
  std::ostream* out_;
};

}  // namespace rl
