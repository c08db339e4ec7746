// Not built here: native_test.cpp compiles this in the sandbox and runs one attack, named by its argument.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

static long raw(long number, long a, long b, long c) {
  long result;
  asm volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return result;
}

static int deeper(int n) {
  volatile char frame[4096];
  frame[n % 4096] = 1;
  return deeper(n + 1) + frame[0];
}

static void say_errno(long result) { printf("%s\n", result < 0 && result > -4096 ? strerror(static_cast<int>(-result)) : "got"); }

int main(int, char** argv) {
  const std::string attack = argv[1];
  if (attack == "loop") for (;;) {}
  if (attack == "fork_bomb") for (;;) if (fork() < 0) return 1;
  if (attack == "thread_bomb") for (;;) std::thread([] { pause(); }).detach();
  if (attack == "heap") for (;;) memset(malloc(1 << 20), 1, 1 << 20);
  if (attack == "stack") return deeper(0);
  if (attack == "shared_map") memset(mmap(nullptr, 1 << 28, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), 1,
      1 << 28);
  if (attack == "system_v") printf("%s\n", shmget(1, 1 << 20, IPC_CREAT | 0666) < 0 ? strerror(errno) : "got");
  if (attack == "abort") abort();
  if (attack == "divide") { volatile int zero = 0; return 7 / zero; }
  if (attack == "big_file") {
    const int file = open("a", O_WRONLY | O_CREAT, 0600);
    const std::vector<char> block(1 << 20);
    for (;;) if (write(file, block.data(), block.size()) < 0) return 1;
  }
  if (attack == "raw_ptrace") say_errno(raw(101, 16, 1, 0));
  if (attack == "raw_socket") say_errno(raw(41, 2, 1, 0));
  if (attack == "raw_open") say_errno(raw(2, reinterpret_cast<long>("/etc/passwd"), 0, 0));
  if (attack == "x32") say_errno(raw(0x40000000 + 39, 0, 0, 0));
  if (attack == "int80") {
    long result;
    asm volatile("int $0x80" : "=a"(result) : "a"(20) : "memory");
    say_errno(result);
  }
  if (attack == "ignores") {
    for (int i = 1; i < 65; ++i) signal(i, SIG_IGN);
    for (;;) pause();
  }
  if (attack == "output") for (;;) printf("spam");
  if (attack == "exit_0_with_child") {
    if (fork() == 0) for (;;) pause();
    printf("first\n");
  }
  return 0;
}
