#include "reward/math/normalise.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "reward/extract.h"

namespace reward::math {
namespace {

struct Spelling {
  char32_t code;
  const char* latex;
};

// Sorted by code point. A command ends in a blank, so that a letter may follow it.
constexpr Spelling spellings[] = {
    {0x00a0, " "},          {0x00a2, "\\cents "},    {0x00a3, "\\pounds "},  {0x00ac, "\\neg "},     {0x00ad, ""},
    {0x00b0, "\\degree "},  {0x00b1, "\\pm "},       {0x00b7, "\\cdot "},    {0x00bc, "\\frac{1}{4}"}, {0x00bd, "\\frac{1}{2}"},
    {0x00be, "\\frac{3}{4}"}, {0x00d7, "\\times "},  {0x00f7, "\\div "},     {0x0391, "A"},          {0x0392, "B"},
    {0x0393, "\\Gamma "},   {0x0394, "\\Delta "},    {0x0398, "\\Theta "},   {0x039b, "\\Lambda "},  {0x039e, "\\Xi "},
    {0x03a0, "\\Pi "},      {0x03a3, "\\Sigma "},    {0x03a5, "\\Upsilon "}, {0x03a6, "\\Phi "},     {0x03a8, "\\Psi "},
    {0x03a9, "\\Omega "},   {0x03b1, "\\alpha "},    {0x03b2, "\\beta "},    {0x03b3, "\\gamma "},   {0x03b4, "\\delta "},
    {0x03b5, "\\epsilon "}, {0x03b6, "\\zeta "},     {0x03b7, "\\eta "},     {0x03b8, "\\theta "},   {0x03b9, "\\iota "},
    {0x03ba, "\\kappa "},   {0x03bb, "\\lambda "},   {0x03bc, "\\mu "},      {0x03bd, "\\nu "},      {0x03be, "\\xi "},
    {0x03c0, "\\pi "},      {0x03c1, "\\rho "},      {0x03c2, "\\sigma "},   {0x03c3, "\\sigma "},   {0x03c4, "\\tau "},
    {0x03c5, "\\upsilon "}, {0x03c6, "\\phi "},      {0x03c7, "\\chi "},     {0x03c8, "\\psi "},     {0x03c9, "\\omega "},
    {0x03d1, "\\theta "},   {0x03d5, "\\phi "},      {0x2002, " "},          {0x2003, " "},          {0x2004, " "},
    {0x2005, " "},          {0x2006, "\\,"},         {0x2007, "\\,"},        {0x2008, "\\,"},        {0x2009, "\\,"},
    {0x200a, "\\,"},        {0x200b, ""},            {0x200c, ""},           {0x200d, ""},           {0x200e, ""},
    {0x200f, ""},           {0x2010, "-"},           {0x2011, "-"},          {0x2012, "-"},          {0x2013, "-"},
    {0x2014, "-"},          {0x2015, "-"},           {0x2018, "'"},          {0x2019, "'"},          {0x201c, "\""},
    {0x201d, "\""},         {0x2022, "\\cdot "},     {0x2026, "\\dots "},    {0x202f, "\\,"},        {0x2032, "'"},
    {0x2033, "''"},         {0x2044, "/"},           {0x205f, "\\,"},        {0x2060, ""},           {0x2061, ""},
    {0x2062, ""},           {0x20ac, "\\euro "},     {0x2102, "\\mathbb{C}"}, {0x210f, "\\hbar "},   {0x2113, "\\ell "},
    {0x2115, "\\mathbb{N}"}, {0x211a, "\\mathbb{Q}"}, {0x211d, "\\mathbb{R}"}, {0x2124, "\\mathbb{Z}"}, {0x2150, "\\frac{1}{7}"},
    {0x2151, "\\frac{1}{9}"}, {0x2152, "\\frac{1}{10}"}, {0x2153, "\\frac{1}{3}"}, {0x2154, "\\frac{2}{3}"},
    {0x2155, "\\frac{1}{5}"}, {0x2156, "\\frac{2}{5}"}, {0x2157, "\\frac{3}{5}"}, {0x2158, "\\frac{4}{5}"},
    {0x2159, "\\frac{1}{6}"}, {0x215a, "\\frac{5}{6}"}, {0x215b, "\\frac{1}{8}"}, {0x215c, "\\frac{3}{8}"},
    {0x215d, "\\frac{5}{8}"}, {0x215e, "\\frac{7}{8}"}, {0x2190, "\\leftarrow "}, {0x2192, "\\to "}, {0x21d2, "\\Rightarrow "},
    {0x21d4, "\\Leftrightarrow "}, {0x2200, "\\forall "}, {0x2202, "\\partial "}, {0x2203, "\\exists "}, {0x2205, "\\emptyset "},
    {0x2207, "\\nabla "},   {0x2208, "\\in "},       {0x2209, "\\notin "},   {0x220f, "\\prod "},    {0x2211, "\\sum "},
    {0x2212, "-"},          {0x2213, "\\mp "},       {0x2215, "/"},          {0x2216, "\\setminus "}, {0x2217, "*"},
    {0x2218, "\\circ "},    {0x2219, "\\cdot "},     {0x221a, "\\sqrt "},    {0x221b, "\\cbrt "},    {0x221e, "\\infty "},
    {0x2220, "\\angle "},   {0x2223, "\\mid "},      {0x2227, "\\land "},    {0x2228, "\\lor "},     {0x2229, "\\cap "},
    {0x222a, "\\cup "},     {0x222b, "\\int "},      {0x2234, "\\therefore "}, {0x2236, ":"},        {0x223c, "\\sim "},
    {0x2245, "\\cong "},    {0x2248, "\\approx "},   {0x2260, "\\ne "},      {0x2261, "\\equiv "},   {0x2264, "\\le "},
    {0x2265, "\\ge "},      {0x2282, "\\subset "},   {0x2286, "\\subseteq "}, {0x22a5, "\\perp "},   {0x22c5, "\\cdot "},
    {0x22c6, "\\cdot "},    {0x2308, "\\lceil "},    {0x2309, "\\rceil "},   {0x230a, "\\lfloor "},  {0x230b, "\\rfloor "},
    {0x27e8, "\\langle "},  {0x27e9, "\\rangle "},   {0x2a7d, "\\le "},      {0x2a7e, "\\ge "},      {0x3000, " "},
    {0x3001, ","},          {0x3002, "."},           {0xfeff, ""}};

static_assert(std::is_sorted(std::begin(spellings), std::end(spellings),
                             [](const Spelling& a, const Spelling& b) { return a.code < b.code; }));

const char* spelling_of(char32_t code) {
  const auto found = std::lower_bound(std::begin(spellings), std::end(spellings), code,
                                      [](const Spelling& s, char32_t c) { return s.code < c; });
  return found != std::end(spellings) && found->code == code ? found->latex : nullptr;
}

// The plain character that is raised, or 0.
char raised(char32_t code) {
  switch (code) {
    case 0x00b2: return '2';
    case 0x00b3: return '3';
    case 0x00b9: return '1';
    case 0x2071: return 'i';
    case 0x207a: return '+';
    case 0x207b: return '-';
    case 0x207d: return '(';
    case 0x207e: return ')';
    case 0x207f: return 'n';
    case 0x02e3: return 'x';
    case 0x1d40: return 'T';
    case 0x1d4f: return 'k';
    case 0x1d50: return 'm';
    default: return code == 0x2070 || (code >= 0x2074 && code <= 0x2079) ? static_cast<char>('0' + (code - 0x2070)) : '\0';
  }
}

char lowered(char32_t code) {
  if (code >= 0x2080 && code <= 0x2089) return static_cast<char>('0' + (code - 0x2080));
  switch (code) {
    case 0x208a: return '+';
    case 0x208b: return '-';
    case 0x2090: return 'a';
    case 0x2093: return 'x';
    case 0x2096: return 'k';
    case 0x2098: return 'm';
    case 0x2099: return 'n';
    case 0x1d62: return 'i';
    case 0x2c7c: return 'j';
    default: return '\0';
  }
}

// ASCII behind a wide form or a mathematical alphabet, or 0.
char plain_ascii(char32_t code) {
  if (code < 0x80) return static_cast<char>(code);
  if (code >= 0xff01 && code <= 0xff5e) return static_cast<char>(code - 0xff01 + '!');
  if (code >= 0x1d7ce && code <= 0x1d7ff) return static_cast<char>('0' + (code - 0x1d7ce) % 10);
  if (code >= 0x1d400 && code <= 0x1d6a3) {
    const auto letter = (code - 0x1d400) % 52;
    return static_cast<char>(letter < 26 ? 'A' + letter : 'a' + (letter - 26));
  }
  return '\0';
}

bool forbidden(char32_t code) {
  return code == 0x7f || (code >= 0x80 && code < 0xa0) || (code < 0x20 && !is_space(static_cast<char>(code)));
}

bool cut_pair(std::string_view& text, std::string_view mark) {
  if (text.size() <= 2 * mark.size() || text.substr(0, mark.size()) != mark) return false;
  if (text.substr(text.size() - mark.size()) != mark) return false;
  const auto inner = text.substr(mark.size(), text.size() - 2 * mark.size());
  if (inner.find(mark) != std::string_view::npos) return false;  // **a** and **b**
  text = inner;
  return true;
}

bool cut_end(std::string_view& text) {
  const char last = text.back();
  const bool row = last == '\\' && text.size() > 1 && text[text.size() - 2] == '\\';
  const bool point = last == '.' || last == ',' || last == ';' || last == ':';
  if (!row && !point) return false;
  if (point && text.size() > 1 && text[text.size() - 2] == '\\') return false;  // \, and its like are the lexer's
  if (last == '.' && text.size() > 2 && text.substr(text.size() - 3) == "...") return false;
  text.remove_suffix(row ? 2 : 1);
  return true;
}

}  // namespace

Character utf8_at(std::string_view text, size_t i) {
  const auto byte = [&](size_t k) { return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0u; };
  const unsigned first = byte(0);
  const size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (i >= text.size() || length == 0) return {};
  char32_t code = length == 1 ? first : first & (0x7fu >> length);
  for (size_t k = 1; k < length; ++k) {
    if ((byte(k) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(k) & 0x3f);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool outside = (code >= 0xd800 && code < 0xe000) || code > 0x10ffff;
  return overlong || outside ? Character{} : Character{code, length};
}

std::optional<std::string> to_latex(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 4);
  char run = '\0';  // '^' or '_' while a run of raised or lowered characters is open
  for (size_t i = 0; i < text.size();) {
    const auto [code, length] = utf8_at(text, i);
    if (length == 0 || forbidden(code)) return std::nullopt;
    const char up = raised(code), down = up ? '\0' : lowered(code);
    const char script = up ? '^' : down ? '_' : '\0';
    if (run && run != script) out += '}';
    if (script && run != script) (out += script) += '{';
    run = script;
    if (script) out += up ? up : down;
    else if (const char ascii = plain_ascii(code)) out += ascii;
    else if (const char* latex = spelling_of(code)) out += latex;
    else out += text.substr(i, length);
    i += length;
  }
  if (run) out += '}';
  return out;
}

std::string_view trim_markup(std::string_view text) {
  for (bool more = true; more;) {
    text = trim(text);
    more = !text.empty() && (cut_end(text) || cut_pair(text, "**") || cut_pair(text, "__") || cut_pair(text, "`") ||
                             cut_pair(text, "\""));
  }
  return text;
}

}  // namespace reward::math
