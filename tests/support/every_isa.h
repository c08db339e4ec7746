// Runs a computation on every instruction set that this machine has, on 1 and 3 threads, and wants equal bytes.
#pragma once

#include <cstdio>
#include <string>

#include "kernels/isa/table.h"
#include "kernels/thread_pool.h"
#include "tests/support/catch.h"

namespace testing {

// Puts instruction set and threads back.
class KernelSettings {
 public:
  KernelSettings() : name_(cpu_kernels().name), threads_(kernels::threads()) {}
  ~KernelSettings() {
    use_cpu_kernels(name_.c_str());
    kernels::set_threads(threads_);
  }

 private:
  std::string name_;
  int64_t threads_;
};

// `run` returns the bytes of its results.
template <typename Run>
void require_same_bits_everywhere(Run run) {
  const KernelSettings saved;
  use_cpu_kernels("plain");
  kernels::set_threads(1);
  const std::string expected = run();
  for (const char* name : {"plain", "avx2", "avx512"}) {
    if (!cpu_kernels_named(name)) {
      static bool said = (std::printf("skipped: this processor lacks %s\n", name), true);
      (void)said;
      continue;
    }
    use_cpu_kernels(name);
    for (const int64_t threads : {1, 3}) {
      kernels::set_threads(threads);
      INFO("instruction set " << name << ", threads " << threads);
      REQUIRE((run() == expected));
    }
  }
}

}  // namespace testing
