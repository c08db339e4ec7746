// What this machine is, in words, and what the program takes of it.
#pragma once

#include <string>

namespace rl {

std::string processor_name();  // "AMD EPYC 9R14"
std::string machine_line();    // "AMD EPYC 9R14, 2 threads, avx512"
double resident_mb();          // now
double peak_resident_mb();     // of the process so far

}  // namespace rl
