#include "reward/scripts.h"

#include <algorithm>
#include <iterator>
#include <set>

namespace reward {
namespace {

struct Range {
  char32_t first, last;
  const char* script;
};

// In order. Marks between letters of one script belong to it.
constexpr Range ranges[] = {
    {0x41, 0x5a, "latin"}, {0x61, 0x7a, "latin"}, {0xc0, 0xd6, "latin"}, {0xd8, 0xf6, "latin"}, {0xf8, 0x2af, "latin"},
    {0x370, 0x374, "greek"}, {0x376, 0x37d, "greek"}, {0x37f, 0x37f, "greek"}, {0x386, 0x386, "greek"},
    {0x388, 0x3e1, "greek"}, {0x3f0, 0x3f5, "greek"}, {0x3f7, 0x3ff, "greek"}, {0x400, 0x481, "cyrillic"},
    {0x48a, 0x52f, "cyrillic"}, {0x531, 0x559, "armenian"}, {0x560, 0x588, "armenian"}, {0x5d0, 0x5f2, "hebrew"},
    {0x620, 0x64a, "arabic"}, {0x66e, 0x6d3, "arabic"}, {0x6d5, 0x6d5, "arabic"}, {0x6e5, 0x6e6, "arabic"},
    {0x6ee, 0x6ef, "arabic"}, {0x6fa, 0x6fc, "arabic"}, {0x6ff, 0x6ff, "arabic"}, {0x750, 0x77f, "arabic"},
    {0x870, 0x887, "arabic"}, {0x889, 0x8c9, "arabic"}, {0x904, 0x963, "devanagari"}, {0x971, 0x97f, "devanagari"},
    {0x980, 0x9e3, "bengali"}, {0x9f0, 0x9f1, "bengali"}, {0xa05, 0xa5e, "gurmukhi"}, {0xa72, 0xa74, "gurmukhi"},
    {0xa85, 0xae3, "gujarati"}, {0xaf9, 0xaf9, "gujarati"}, {0xb83, 0xbd0, "tamil"}, {0xc05, 0xc63, "telugu"},
    {0xc80, 0xc80, "kannada"}, {0xc85, 0xce3, "kannada"}, {0xd04, 0xd4e, "malayalam"}, {0xd54, 0xd56, "malayalam"},
    {0xd5f, 0xd63, "malayalam"}, {0xd7a, 0xd7f, "malayalam"}, {0xd85, 0xddf, "sinhala"}, {0xe01, 0xe3a, "thai"},
    {0xe40, 0xe4e, "thai"}, {0xe81, 0xece, "lao"}, {0xedc, 0xedf, "lao"}, {0xf00, 0xf00, "tibetan"},
    {0xf40, 0xf84, "tibetan"}, {0xf88, 0xfbc, "tibetan"}, {0x1000, 0x103f, "myanmar"}, {0x1050, 0x108f, "myanmar"},
    {0x10a0, 0x10fa, "georgian"}, {0x10fd, 0x10ff, "georgian"}, {0x1100, 0x11ff, "hangul"}, {0x1200, 0x135f, "ethiopic"},
    {0x1380, 0x138f, "ethiopic"}, {0x1780, 0x17d3, "khmer"}, {0x17d7, 0x17d7, "khmer"}, {0x17dc, 0x17dd, "khmer"},
    {0x1c80, 0x1c88, "cyrillic"}, {0x1c90, 0x1cbf, "georgian"}, {0x1e00, 0x1eff, "latin"}, {0x1f00, 0x1fbc, "greek"},
    {0x1fbe, 0x1fbe, "greek"}, {0x1fc2, 0x1fcc, "greek"}, {0x1fd0, 0x1fdb, "greek"}, {0x1fe0, 0x1fec, "greek"},
    {0x1ff2, 0x1ffc, "greek"}, {0x2c60, 0x2c7f, "latin"}, {0x2d00, 0x2d2d, "georgian"}, {0x2d80, 0x2dde, "ethiopic"},
    {0x3005, 0x3007, "han"}, {0x3041, 0x3096, "kana"}, {0x309d, 0x309f, "kana"}, {0x30a1, 0x30fa, "kana"},
    {0x30fc, 0x30ff, "kana"}, {0x3131, 0x318e, "hangul"}, {0x31f0, 0x31ff, "kana"}, {0x3400, 0x4dbf, "han"},
    {0x4e00, 0x9fff, "han"}, {0xa640, 0xa66e, "cyrillic"}, {0xa67f, 0xa69b, "cyrillic"}, {0xa722, 0xa787, "latin"},
    {0xa78b, 0xa7ff, "latin"}, {0xa960, 0xa97c, "hangul"}, {0xa9e0, 0xa9ef, "myanmar"}, {0xaa60, 0xaa7f, "myanmar"},
    {0xab01, 0xab2e, "ethiopic"}, {0xab30, 0xab5a, "latin"}, {0xac00, 0xd7fb, "hangul"}, {0xf900, 0xfad9, "han"},
    {0xfb00, 0xfb06, "latin"}, {0xfb13, 0xfb17, "armenian"}, {0xfb1d, 0xfb28, "hebrew"}, {0xfb2a, 0xfb4f, "hebrew"},
    {0xfb50, 0xfbb1, "arabic"}, {0xfbd3, 0xfd3d, "arabic"}, {0xfd50, 0xfdc7, "arabic"}, {0xfdf0, 0xfdfb, "arabic"},
    {0xfe70, 0xfefc, "arabic"}, {0xff21, 0xff3a, "latin"}, {0xff41, 0xff5a, "latin"}, {0xff66, 0xff6f, "kana"},
    {0xff71, 0xff9f, "kana"}, {0xffa0, 0xffdc, "hangul"}, {0x20000, 0x323af, "han"}};

// Bytes that follow a first byte, and the smallest code point they may make; -1: no first byte.
int followers(unsigned char first, char32_t& least) {
  if (first >= 0xc2 && first <= 0xdf) return least = 0x80, 1;
  if (first >= 0xe0 && first <= 0xef) return least = 0x800, 2;
  if (first >= 0xf0 && first <= 0xf4) return least = 0x10000, 3;
  return -1;
}

}  // namespace

char32_t next_code_point(std::string_view text, size_t& at) {
  constexpr char32_t bad = 0xfffd;
  const auto first = static_cast<unsigned char>(text[at++]);
  if (first < 0x80) return first;
  char32_t least = 0;
  const int count = followers(first, least);
  if (count < 0 || at + static_cast<size_t>(count) > text.size()) return bad;
  char32_t c = first & (0x3fu >> count);
  for (int i = 0; i < count; ++i) {
    const auto next = static_cast<unsigned char>(text[at + static_cast<size_t>(i)]);
    if ((next & 0xc0) != 0x80) return bad;
    c = c << 6 | (next & 0x3f);
  }
  if (c < least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) return bad;
  at += static_cast<size_t>(count);
  return c;
}

std::string_view script_of(char32_t c) {
  const auto after = std::upper_bound(std::begin(ranges), std::end(ranges), c,
                                      [](char32_t value, const Range& range) { return value < range.first; });
  if (after == std::begin(ranges)) return {};
  const Range& range = *std::prev(after);
  return c <= range.last ? std::string_view(range.script) : std::string_view();
}

std::vector<std::string> script_names() {
  std::set<std::string> names;
  for (const auto& range : ranges) names.insert(range.script);
  return {names.begin(), names.end()};
}

bool writes_no_spaces(std::string_view script) {
  for (const char* name : {"han", "kana", "thai", "lao", "khmer", "myanmar"})
    if (script == name) return true;
  return false;
}

}  // namespace reward
