// A loss or gradient that is not finite: the update is not applied.
#pragma once

#include "kernels/error.h"

namespace rl {

class NonFinite : public kernels::Error {
 public:
  using kernels::Error::Error;
};

template <typename... Args>
[[noreturn]] void fail_non_finite(fmt::format_string<Args...> format, Args&&... args) {
  throw NonFinite(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace rl
