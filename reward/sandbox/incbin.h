// A file's bytes as constants of this program: PONDER_INCBIN(name, "path") at the outermost level of a .cpp, then
// PONDER_INCBIN_VIEW(name).
#pragma once

#include <cstddef>
#include <string_view>

#define PONDER_INCBIN(name, path)                                                                    \
  __asm__(".pushsection .rodata\n.balign 16\n.global " #name "_first\n" #name "_first:\n.incbin \"" path "\"\n" \
          ".global " #name "_last\n" #name "_last:\n.byte 0\n.popsection\n");                        \
  extern "C" const char name##_first[], name##_last[];
#define PONDER_INCBIN_VIEW(name) std::string_view(name##_first, static_cast<std::size_t>(name##_last - name##_first))
