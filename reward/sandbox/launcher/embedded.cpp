#include "reward/sandbox/launcher/embedded.h"

#include "reward/sandbox/incbin.h"

PONDER_INCBIN(ponder_jail, PONDER_JAIL_FILE)
PONDER_INCBIN(ponder_zygote, PONDER_ZYGOTE_FILE)

namespace reward::sandbox {

std::string_view embedded_jail() { return PONDER_INCBIN_VIEW(ponder_jail); }
std::string_view embedded_zygote() { return PONDER_INCBIN_VIEW(ponder_zygote); }

}  // namespace reward::sandbox
