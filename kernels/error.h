// The exception of kernels, model, rollout and rl (reward has its own: it includes nobody).
//
// The message names what is wrong with its values, where, and how to fix it, in one line.
// The program prints it and exits with 2 for an error of the user's (UsageError), 1 otherwise.
#pragma once

#include <fmt/core.h>

#include <stdexcept>
#include <string>

namespace kernels {

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Something that the user wrote is wrong: a setting, a path, a data line.
class UsageError : public Error {
 public:
  using Error::Error;
};

// fail("rms_norm: x is {} and weight is {}", ...) throws Error.
template <typename... Args>
[[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fmt::format(format, std::forward<Args>(args)...));
}

template <typename... Args>
[[noreturn]] void fail_usage(fmt::format_string<Args...> format, Args&&... args) {
  throw UsageError(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace kernels
