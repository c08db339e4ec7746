#include "reward/sandbox/embedded_launcher.h"

#include "reward/sandbox/incbin.h"

PONDER_INCBIN(ponder_launcher, PONDER_LAUNCHER_FILE)

namespace reward::sandbox {

std::string_view embedded_launcher() { return PONDER_INCBIN_VIEW(ponder_launcher); }

}  // namespace reward::sandbox
