// What stands between a program and the host here: asked of a launcher, shown to people, demanded.
#include <fmt/core.h>

#include "reward/reward.h"
#include "reward/sandbox/launcher_process.h"
#include "reward/sandbox/protocol.h"
#include "reward/sandbox/sandbox.h"

namespace reward::sandbox {

std::vector<Wall> probe_walls() {
  LauncherProcess launcher({"probe"});
  launcher.start();
  std::string bytes;
  if (!launcher.receive(bytes, 60)) throw Error("sandbox: the launcher died while it tried the walls");
  return decode_walls(bytes);
}

std::string describe_walls(const std::vector<Wall>& walls) {
  const auto row = [](const std::string& name, const char* stands, const char* needed, const std::string& detail) {
    return fmt::format("{:<22} {:<8} {:<9} {}\n", name, stands, needed, detail);
  };
  std::string text = row("wall", "stands", "needed", "how, or why not");
  for (const auto& wall : walls) text += row(wall.name, wall.stands ? "yes" : "NO", wall.required ? "yes" : "no", wall.detail);
  return text;
}

}  // namespace reward::sandbox
