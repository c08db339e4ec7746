// One launcher, as the trainer sees it: started when needed, asked, and started again after it died.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace reward::sandbox {

// Its own session, so that Ctrl-C in a terminal does not reach it; an empty environment; no descriptor but the socket.
// One thread at a time.
class LauncherProcess {
 public:
  explicit LauncherProcess(std::vector<std::string> arguments) : arguments_(std::move(arguments)) {}
  ~LauncherProcess() { end(false); }
  LauncherProcess(const LauncherProcess&) = delete;
  LauncherProcess& operator=(const LauncherProcess&) = delete;

  // Starts it if it is not alive. Throws Error, which names the call.
  void start();
  bool running() const { return process_ > 0; }
  bool send(const std::string& bytes);
  // False when it died or did not answer in time; it is then ended.
  bool receive(std::string& bytes, double seconds);
  // Closes its socket, which makes it clean up and end; `at_once` kills it. Reaps it.
  void end(bool at_once);

 private:
  std::vector<std::string> arguments_;
  pid_t process_ = -1;
  int socket_ = -1;
};

}  // namespace reward::sandbox
