// The makers of the rewards from outside, one file each. All take their [[reward]] entry, checked by check_settings(); none
// starts anything before its first self_test() or score(). Their options go to the plug-in as `config`, every value as text.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "reward/reward.h"

namespace reward {

// Programs that speak JSON lines (protocol.h): settings.workers of them, each restarted when it dies, hangs or breaks the
// protocol. See worker_pool.h for what becomes of an item then.
std::unique_ptr<Reward> make_process_reward(const Settings& settings);

// A shared library with the C interface of plugin.h: in this process, or with isolate = "process" in children of it, which
// are `host` (by default this program's own hidden command) with the file as last argument.
std::unique_ptr<Reward> make_library_reward(const Settings& settings, const std::vector<std::string>& host = {});

// A web service: POST of JSON to settings.url, as payload.h writes it.
std::unique_ptr<Reward> make_http_reward(const Settings& settings);

// The child's side of isolate = "process": speaks the protocol on stdin and stdout for the library until shutdown or the end
// of input. Returns an exit code.
int serve_library(const std::string& file);

}  // namespace reward
