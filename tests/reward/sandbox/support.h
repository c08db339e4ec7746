// A sandbox for the tests of this folder, and tables of programs that are run side by side.
#pragma once

#include <string>
#include <vector>

#include "reward/sandbox/sandbox.h"

namespace testing {

// Shared by all tests; nullptr where the machine lacks needed walls, which is then printed once with their names.
reward::sandbox::Sandbox* sandbox();

// Small limits: 1 s of wall clock is the longest a test program sleeps.
reward::sandbox::Limits small_limits();
reward::sandbox::Job python(const std::string& program);
reward::sandbox::Result run_python(const std::string& program);
// Compiled once a text; requires that it compiles.
reward::sandbox::Job native(const std::string& program, const std::vector<std::string>& arguments = {});

// A program and what should become of it. `verdicts`: any of them, the likeliest first. Where no cgroups stand, runtime_error
// may take the place of memory and pids.
struct Attack {
  std::string name;
  reward::sandbox::Job job;
  std::vector<reward::sandbox::Verdict> verdicts;
  std::string output = {};  // if not empty: what it prints to stdout
};
// Runs all at once, and checks verdict, output and that each ended in time. After it a plain program must run as ever.
void check_attacks(const std::vector<Attack>& attacks);

// Processes on this machine below `ancestor`, not itself.
std::vector<int> descendants(int ancestor);
bool all_gone(const std::vector<int>& processes);
// Cgroups of launchers with one of these process numbers.
std::vector<std::string> cgroups_of(const std::vector<int>& launchers);
// Asks every few milliseconds, for at most ten seconds.
bool soon(bool (*holds)(const std::vector<int>&), const std::vector<int>& argument);

}  // namespace testing
