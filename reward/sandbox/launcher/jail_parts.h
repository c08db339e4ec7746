// What jail.cpp and jail_drop.cpp share: the job at hand and the two system calls' worth of help they need.
#pragma once

#include <stddef.h>

#include "reward/sandbox/launcher/jail.h"

namespace reward::sandbox::jail {

struct Job {
  StartRequest request;
  int descriptors[start_descriptors];
};
extern Job job;  // the one this process belongs to

// Reports that the walls could not be raised, and ends the process.
[[noreturn]] void fail(const char* step);
inline void must(bool good, const char* step) {
  if (!good) fail(step);
}
void send_report(int descriptor, const Report& report, int attached);

// The filter of this room: classic BPF instructions.
extern unsigned char filter[16384];
extern size_t filter_bytes;

}  // namespace reward::sandbox::jail
