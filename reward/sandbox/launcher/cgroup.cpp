#include "reward/sandbox/launcher/cgroup.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "reward/reward.h"

namespace reward::sandbox {
namespace {

namespace fs = std::filesystem;
constexpr const char* prefix = "ponder-sandbox-";

std::string read_file(const std::string& path) {
  std::string text;
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return text;
  char buffer[4096];
  for (ssize_t n; (n = ::read(file, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<size_t>(n));
  close(file);
  return text;
}

// 0 or errno.
int write_file(const std::string& path, const std::string& text) {
  const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (file < 0) return errno;
  const int error = write(file, text.data(), text.size()) < 0 ? errno : 0;
  close(file);
  return error;
}

int64_t number_after(const std::string& text, const std::string& key) {
  std::istringstream lines(text);
  std::string word;
  for (int64_t value; lines >> word >> value;) {
    if (word == key) return value;
  }
  return 0;
}

bool has_word(const std::string& text, const std::string& word, char separator) {
  std::istringstream words(text);
  for (std::string one; std::getline(words, one, separator);) {
    if (one.substr(0, one.find('\n')) == word) return true;
  }
  return false;
}

struct Mount {
  std::string root, point, type, options;
};

// "36 35 98:0 /root /point rw - cgroup cgroup rw,memory": what stands before the dash varies in number.
std::vector<Mount> read_mounts(const std::string& text) {
  std::vector<Mount> mounts;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::string id, parent, device, source;
    Mount mount;
    std::istringstream(line.substr(0, dash)) >> id >> parent >> device >> mount.root >> mount.point;
    std::istringstream(line.substr(dash + 3)) >> mount.type >> source >> mount.options;
    if (mount.type == "cgroup" || mount.type == "cgroup2") mounts.push_back(mount);
  }
  return mounts;
}

// The path of this process in the hierarchy of `controller`; version 2's line has no controller: "0::/path".
std::string own_path(const std::string& groups, const std::string& controller) {
  std::istringstream lines(groups);
  for (std::string line; std::getline(lines, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string names = line.substr(first + 1, second - first - 1);
    if (controller.empty() ? names.empty() : has_word(names, controller, ',')) return line.substr(second + 1);
  }
  return "/";
}

// Own group, its parent and the mount's top: the first where a folder can be made and the controller works is taken.
std::vector<std::string> candidates(const Mount& mount, std::string path) {
  if (mount.root != "/" && path.rfind(mount.root, 0) == 0) path = path.substr(mount.root.size());
  while (!path.empty() && path.back() == '/') path.pop_back();
  std::vector<std::string> folders = {mount.point + path};
  if (!path.empty()) folders.push_back(mount.point + path.substr(0, path.rfind('/')));
  if (folders.back() != mount.point) folders.push_back(mount.point);
  return folders;
}

// Empty, or why no group with `controller` can be made in `base`.
std::string try_base(const std::string& base, const std::string& controller, int version) {
  if (version == 2 && !has_word(read_file(base + "/cgroup.subtree_control"), controller, ' ')) {
    if (const int error = write_file(base + "/cgroup.subtree_control", "+" + controller); error != 0) {
      return fmt::format("{}: cannot hand on {}: {}", base, controller, std::strerror(error));
    }
  }
  const std::string trial = fmt::format("{}/{}-trial-{}", base, folder_name(getpid(), 0), controller);
  if (mkdir(trial.c_str(), 0755) != 0) return fmt::format("{}: {}", base, std::strerror(errno));
  const char* file = controller == "cpuacct" ? "cpuacct.usage"
                     : controller == "cpu"   ? "cpu.stat"
                     : controller == "pids"  ? "pids.max"
                     : version == 1          ? "memory.limit_in_bytes"
                                             : "memory.max";
  const bool there = access((trial + "/" + file).c_str(), F_OK) == 0;
  rmdir(trial.c_str());
  return there ? "" : fmt::format("{}: a new group has no {}", base, file);
}

int64_t start_time(pid_t process) {
  const std::string stat = read_file(fmt::format("/proc/{}/stat", process));
  const size_t close = stat.rfind(')');
  if (close == std::string::npos) return 0;
  std::istringstream fields(stat.substr(close + 1));
  std::string field;
  for (int i = 0; i < 20; ++i) fields >> field;  // state is the 3rd field of proc(5), starttime the 22nd
  return field.empty() ? 0 : std::stoll(field);
}

// rmdir is refused while a group has processes, so nothing alive is ever lost.
void remove_stale(const std::string& base) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(base, error)) {
    const std::string name = entry.path().filename();
    if (name.rfind(prefix, 0) != 0) continue;
    std::istringstream parts(name.substr(std::strlen(prefix)));
    int64_t owner = 0, started = 0;
    char dash = 0;
    parts >> owner >> dash >> started;  // the dashes end the numbers
    if (start_time(static_cast<pid_t>(owner)) != started) rmdir(entry.path().c_str());
  }
}

}  // namespace

std::string folder_name(pid_t owner, int64_t slot) { return fmt::format("{}{}-{}-{}", prefix, owner, start_time(owner), slot); }

Controller find_controller(const std::string& name, const std::string& mounts, const std::string& groups) {
  Controller controller;
  controller.detail = "no cgroup file system with " + name + " is mounted";
  for (const auto& mount : read_mounts(mounts)) {
    const int version = mount.type == "cgroup2" ? 2 : 1;
    const std::string wanted = version == 2 && name == "cpuacct" ? "cpu" : name;
    if (version == 1 && !has_word(mount.options, wanted, ',')) continue;
    for (const auto& base : candidates(mount, own_path(groups, version == 1 ? wanted : ""))) {
      if (version == 2 && !has_word(read_file(base + "/cgroup.controllers"), wanted, ' ')) continue;
      const std::string reason = try_base(base, wanted, version);
      if (reason.empty()) return {true, version, base, fmt::format("version {}, in {}", version, base)};
      controller.detail = reason;
    }
  }
  return controller;
}

Controller find_controller(const std::string& name) {
  return find_controller(name, read_file("/proc/self/mountinfo"), read_file("/proc/self/cgroup"));
}

std::string Cgroup::make(const Controller& controller, const std::string& name) {
  remove_stale(controller.base);
  const std::string folder = controller.base + "/" + name;
  if (mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) {
    throw Error(fmt::format("sandbox: cgroup {}: {}", folder, std::strerror(errno)));
  }
  if (std::find(folders_.begin(), folders_.end(), folder) == folders_.end()) folders_.push_back(folder);
  return folder;
}

Cgroup::Cgroup(const std::string& name, bool memory, bool pids) {
  const auto use = [&](const char* controller, std::string& folder, int& version) {
    const Controller found = find_controller(controller);
    if (!found.usable) return;
    folder = make(found, name);
    version = found.version;
  };
  if (memory) use("memory", memory_, memory_version_);
  if (pids) use("pids", pids_, pids_version_);
  if (memory || pids) use("cpuacct", cpu_, cpu_version_);
}

Cgroup::~Cgroup() {
  for (const auto& folder : folders_) {
    for (int tries = 0; rmdir(folder.c_str()) != 0 && errno == EBUSY && tries < 200; ++tries) usleep(1000);
  }
}

void Cgroup::add(pid_t process) const {
  for (const auto& folder : folders_) {
    if (const int error = write_file(folder + "/cgroup.procs", std::to_string(process)); error != 0) {
      throw Error(fmt::format("sandbox: cannot put a process into {}: {}", folder, std::strerror(error)));
    }
  }
}

void Cgroup::limit(int64_t memory_bytes, int64_t processes) {
  const auto must = [](const std::string& path, int64_t value) {
    if (const int error = write_file(path, std::to_string(value)); error != 0) {
      throw Error(fmt::format("sandbox: cannot write {} to {}: {}", value, path, std::strerror(error)));
    }
  };
  if (!pids_.empty() && processes != process_limit_) must(pids_ + "/pids.max", processes);
  process_limit_ = processes;
  if (memory_.empty() || memory_bytes == memory_limit_) return;
  if (memory_version_ == 2) {
    must(memory_ + "/memory.max", memory_bytes);
    write_file(memory_ + "/memory.swap.max", "0");
  } else {
    // Memory with swap may not be below memory: which of the two must go first depends on the old limit.
    write_file(memory_ + "/memory.limit_in_bytes", std::to_string(memory_bytes));
    write_file(memory_ + "/memory.memsw.limit_in_bytes", std::to_string(memory_bytes));
    must(memory_ + "/memory.limit_in_bytes", memory_bytes);
  }
  memory_limit_ = memory_bytes;
}

Counters Cgroup::read() const {
  Counters counters;
  if (!memory_.empty()) {
    const char* file = memory_version_ == 2 ? "/memory.events" : "/memory.oom_control";
    counters.oom_kills = number_after(read_file(memory_ + file), "oom_kill");
  }
  if (!pids_.empty()) counters.refused_forks = number_after(read_file(pids_ + "/pids.events"), "max");
  if (!cpu_.empty()) {
    if (cpu_version_ == 2) counters.cpu_nanos = 1000 * number_after(read_file(cpu_ + "/cpu.stat"), "usage_usec");
    else counters.cpu_nanos = std::atoll(read_file(cpu_ + "/cpuacct.usage").c_str());
  }
  return counters;
}

}  // namespace reward::sandbox
