#include "reward/outside_json.h"

namespace reward {

bool nests_deeper(std::string_view text, int most) {
  int depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') quoted = !quoted;
    else if (quoted) i += c == '\\';
    else if ((c == '[' || c == '{') && ++depth > most) return true;
    else if (c == ']' || c == '}') --depth;
  }
  return false;
}

}  // namespace reward
