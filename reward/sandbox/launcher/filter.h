// The system call filter of a program: a deny list over what is left when namespaces, users and files are walled off already.
//
// Denied calls answer EPERM, or ENOSYS where a C library then takes another way (clone3) and for calls that this list does not
// know (number 453 and up on x86-64 and arm64). A call by another architecture's numbers (int 0x80, x32) kills the process.
#pragma once

#include <string>

namespace reward::sandbox {

// Classic BPF instructions, as prctl(PR_SET_SECCOMP) takes them. Throws Error if libseccomp cannot write them.
std::string make_filter();

}  // namespace reward::sandbox
