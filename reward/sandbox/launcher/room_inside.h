// What a room's first process does to itself before it waits for jobs.
#pragma once

#include "reward/sandbox/launcher/room.h"

namespace reward::sandbox {

// Makes the private root, says "ready" (or what failed) on `socket` and serves jobs. Never returns.
[[noreturn]] void live_in_room(const RoomSettings& settings, int socket);

}  // namespace reward::sandbox
