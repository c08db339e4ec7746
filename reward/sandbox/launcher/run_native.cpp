#include "reward/sandbox/launcher/run_native.h"

#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "reward/sandbox/launcher/jail.h"
#include "reward/sandbox/launcher/self_check.h"

namespace reward::sandbox {
namespace {

void reset_signals() {
  for (int signal_number = 1; signal_number < NSIG; ++signal_number) signal(signal_number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void execute(std::vector<const char*> words, const char* path, const char* variable) {
  for (int i = 0; i < jail_argument_count(); ++i) words.push_back(jail_argument(i));
  words.push_back(nullptr);
  const char* environment[] = {variable, nullptr};
  execve(path, const_cast<char**>(words.data()), const_cast<char**>(environment));
  const std::string text = fmt::format("cannot run {}: {}\n", path, std::strerror(errno));
  if (write(2, text.data(), text.size()) < 0) _exit(126);
  _exit(127);
}

}  // namespace

void run_native() {
  reset_signals();
  switch (static_cast<Kind>(jail_kind())) {
    case Kind::self_check: self_check();
    case Kind::compile_cpp:  // the driver finds the linker by PATH
      execute({"g++", "-std=c++20", "-pipe", "-o", "program", "main.cpp"}, "/usr/bin/g++", "PATH=/usr/bin:/bin");
    default: execute({"./program"}, "/work/program", nullptr);
  }
}

}  // namespace reward::sandbox
