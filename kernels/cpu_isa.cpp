// Picks the table of CPU kernels at run time.
#include <cstdlib>
#include <cstring>
#include <initializer_list>

#include "kernels/error.h"
#include "kernels/isa/table.h"

namespace {

const CpuKernels* best() {
  for (const char* name : {"avx512", "avx2", "plain"})
    if (const CpuKernels* table = cpu_kernels_named(name)) return table;
  return nullptr;
}

const CpuKernels* choose() {
  const char* wanted = std::getenv("PONDER_ISA");
  if (!wanted || !*wanted) return best();
  if (std::strcmp(wanted, "plain") != 0 && std::strcmp(wanted, "avx2") != 0 && std::strcmp(wanted, "avx512") != 0)
    kernels::fail_usage("PONDER_ISA is '{}'; it is one of plain, avx2, avx512.", wanted);
  const CpuKernels* table = cpu_kernels_named(wanted);
  if (!table) kernels::fail_usage("PONDER_ISA is '{}', which this processor lacks; unset it to use '{}'.", wanted, best()->name);
  return table;
}

const CpuKernels*& current() {
  static const CpuKernels* table = choose();
  return table;
}

}  // namespace

const CpuKernels* cpu_kernels_named(const char* name) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (std::strcmp(name, "avx512") == 0)
    return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                   __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bf16")
               ? &cpu_kernels_avx512()
               : nullptr;
  if (std::strcmp(name, "avx2") == 0) return avx2 ? &cpu_kernels_avx2() : nullptr;
#endif
  return std::strcmp(name, "plain") == 0 ? &cpu_kernels_plain() : nullptr;
}

const CpuKernels& cpu_kernels() { return *current(); }

void use_cpu_kernels(const char* name) {
  const CpuKernels* table = cpu_kernels_named(name);
  if (!table) kernels::fail("use_cpu_kernels: this processor lacks '{}'.", name);
  current() = table;
}
