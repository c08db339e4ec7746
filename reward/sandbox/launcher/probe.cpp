#include "reward/sandbox/launcher/probe.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>

#include "reward/reward.h"
#include "reward/sandbox/launcher/cgroup.h"
#include "reward/sandbox/launcher/supervise.h"

namespace reward::sandbox {
namespace {

bool try_mount() {
  return mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 && mount("trial", "/tmp", "tmpfs", 0, nullptr) == 0;
}
bool try_process_one() { return getpid() == 1; }
bool try_no_network() {
  const int out = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in local{};
  local.sin_family = AF_INET;
  local.sin_port = htons(1);
  local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return out >= 0 && connect(out, reinterpret_cast<sockaddr*>(&local), sizeof local) != 0 && errno == ENETUNREACH;
}
bool nothing_to_try() { return true; }

// Empty, or why a process in namespace `flag` could not be made or did not find what it should.
std::string try_namespace(int flag, bool (*check)(), bool user) {
  const long child = syscall(SYS_clone, flag | (user ? CLONE_NEWUSER : 0) | SIGCHLD, 0, 0, 0, 0);
  if (child < 0) return std::strerror(errno);
  if (child == 0) _exit(check() ? 0 : std::max(errno, 1));
  int status = 0;
  waitpid(static_cast<pid_t>(child), &status, 0);
  if (status == 0) return "";
  if (!WIFEXITED(status)) return "its first process died";
  return fmt::format("made, but does not hold: {}", std::strerror(WEXITSTATUS(status)));
}

Wall namespace_wall(const char* name, int flag, bool (*check)(), bool user, bool required, const char* detail) {
  const std::string reason = try_namespace(flag, check, user);
  return {name, reason.empty(), required, reason.empty() ? detail : reason};
}

Wall cgroup_wall(const char* controller) {
  const Controller found = find_controller(controller);
  return {std::string("cgroup ") + controller, found.usable, false, found.detail};
}

const Wall* find(const std::vector<Wall>& walls, const std::string& name) {
  for (const auto& wall : walls) {
    if (wall.name == name) return &wall;
  }
  return nullptr;
}

bool stands(const std::vector<Wall>& walls, const char* name) {
  const Wall* wall = find(walls, name);
  return wall != nullptr && wall->stands;
}

Job check_job(const char* what) {
  Job job;
  job.arguments = {what};
  job.limits.wall_seconds = 5;
  job.limits.memory_mb = 64;
  job.limits.processes = 8;
  return job;
}

// What a job saw of the walls, or why no job could be run.
struct Inside {
  std::string error;
  std::vector<Wall> seen;
  bool memory_held = false;
};

Inside look_inside(const Plan& plan) {
  Inside inside;
  try {
    Slot slot(plan, 0);
    const Facts facts = slot.run(check_job("walls"), Kind::self_check, -1);
    inside.error = facts.error.empty() && facts.output.empty() ? "the check inside did not end" : facts.error;
    std::istringstream lines(facts.output);
    std::string name, stood, detail;
    while (std::getline(lines, name, '\t') && std::getline(lines, stood, '\t') && std::getline(lines, detail)) {
      inside.seen.push_back({name, stood == "1", true, detail});
    }
    if (plan.memory_cgroup && inside.error.empty()) {
      inside.memory_held = slot.run(check_job("memory"), Kind::self_check, -1).oom_kills > 0;
    }
  } catch (const std::exception& error) {
    inside.error = error.what();
  }
  return inside;
}

// With every part first, then with fewer: the first plan that works tells what stands.
Inside look_inside_with_less(Plan& plan, bool root) {
  const Inside full = look_inside(plan);
  if (full.error.empty()) return full;
  const Plan wanted = plan;
  for (const bool user : {true, false}) {
    for (const bool landlock : {true, false}) {
      for (const bool filter : {true, false}) {
        // An ordinary user has nothing without a user namespace.
        if ((user && !wanted.user) || (!user && !root) || (landlock && !wanted.landlock)) continue;
        Plan less = wanted;
        less.user = user;
        less.landlock = landlock;
        less.filter = filter;
        const Inside inside = look_inside(less);
        if (!inside.error.empty()) continue;
        plan = less;
        return inside;
      }
    }
  }
  return full;
}

void add_seen(std::vector<Wall>& walls, const Inside& inside, const char* name, bool required) {
  const Wall* seen = find(inside.seen, name);
  if (seen != nullptr) walls.push_back({name, seen->stands, required, seen->detail});
  else walls.push_back({name, false, required, inside.error.empty() ? "not seen from inside" : inside.error});
}

}  // namespace

std::vector<Wall> probe() {
  const bool root = geteuid() == 0;
  const Wall user =
      namespace_wall("user namespace", CLONE_NEWUSER, nothing_to_try, false, !root, "one user and one group exist inside");
  // Root can make the others without it; an ordinary user makes them inside a user namespace of his own.
  const bool in_user = !root && user.stands;
  std::vector<Wall> walls = {
      namespace_wall("mount namespace", CLONE_NEWNS, try_mount, in_user, true, "own mounts, a fresh folder for each program"),
      namespace_wall("pid namespace", CLONE_NEWPID, try_process_one, in_user, true, "all processes end with the program"),
      namespace_wall("network namespace", CLONE_NEWNET, try_no_network, in_user, true, "no interface, not even loopback"),
      namespace_wall("ipc namespace", CLONE_NEWIPC, nothing_to_try, in_user, true, "no shared memory with the host"),
      namespace_wall("uts namespace", CLONE_NEWUTS, nothing_to_try, in_user, false, "own host name"),
      namespace_wall("cgroup namespace", CLONE_NEWCGROUP, nothing_to_try, in_user, false, "cgroup paths are not told"),
      user, cgroup_wall("memory"), cgroup_wall("pids")};
  Plan plan;
  plan.user = user.stands;
  plan.network = stands(walls, "network namespace");
  plan.uts = stands(walls, "uts namespace");
  plan.cgroup = stands(walls, "cgroup namespace");
  plan.memory_cgroup = stands(walls, "cgroup memory");
  plan.pids_cgroup = stands(walls, "cgroup pids");
  plan.landlock = syscall(444, nullptr, 0, 1) >= 1;  // landlock_create_ruleset: its version
  plan.filter = true;
  const Inside inside = look_inside_with_less(plan, root);
  const Wall* forks = find(inside.seen, "processes");
  for (auto& wall : walls) {
    if (!wall.stands) continue;
    const auto fell = [&wall](const std::string& why) {
      wall.stands = false;
      wall.detail = why;
    };
    if (wall.name == "user namespace" && !plan.user) fell("no room can be made in one");
    if (wall.name == "cgroup memory" && !inside.memory_held) fell(wall.detail + ", but did not hold");
    if (wall.name == "cgroup pids" && (forks == nullptr || !forks->stands)) fell(wall.detail + ", but did not hold");
  }
  for (const char* name : {"private root", "unprivileged uid", "capabilities dropped", "no new privileges", "seccomp"}) {
    add_seen(walls, inside, name, true);
  }
  add_seen(walls, inside, "landlock", false);
  add_seen(walls, inside, "rlimits", true);
  add_seen(walls, inside, "empty environment", true);
  return walls;
}

}  // namespace reward::sandbox
