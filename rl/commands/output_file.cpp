#include "rl/commands/output_file.h"

#include <filesystem>
#include <iostream>

#include "kernels/error.h"

namespace rl {

OutputFile::OutputFile(const std::string& path, const std::string& input) : name_(path.empty() ? "stdout" : path) {
  out_ = path.empty() ? &std::cout : &file_;
  if (path.empty()) return;
  std::error_code none;
  if (std::filesystem::equivalent(input, path, none))
    kernels::fail_usage("--output is the input file {}, which would be lost. Name another.", input);
  file_.open(path, std::ios::binary | std::ios::trunc);
  if (!file_) kernels::fail_usage("{}: cannot be written. Check --output.", path);
}

void OutputFile::write(const std::string& text) {
  *out_ << text;
  out_->flush();
  if (!*out_) kernels::fail("{}: writing failed. Is the disk full?", name_);
}

}  // namespace rl
