// Python's str, on UTF-8. All text here is valid UTF-8; the interpreter checks what comes in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace model::jinja {

bool is_utf8(std::string_view text);
bool is_ascii(std::string_view text);
int64_t length_of(std::string_view text);                            // code points
std::vector<std::string_view> characters_of(std::string_view text);  // one a code point
// Byte where the code point with that index begins; text.size() past the end.
size_t byte_of(std::string_view text, int64_t index);
uint32_t code_point(std::string_view character);
void append_code_point(std::string& out, uint32_t code);

bool is_space(uint32_t code);  // str.isspace
// str.strip, lstrip, rstrip; `characters` empty optional: white space.
std::string_view strip(std::string_view text, bool left, bool right, std::optional<std::string_view> characters = {});

// str.split: without a separator at white space; `most` < 0: all.
std::vector<std::string> split(std::string_view text, std::optional<std::string_view> separator, int64_t most);
std::vector<std::string> rsplit(std::string_view text, std::optional<std::string_view> separator, int64_t most);
std::vector<std::string> split_lines(std::string_view text, bool keep_ends);
std::string replace(std::string_view text, std::string_view from, std::string_view to, int64_t most);

// Full case mapping of ASCII and of all letters with one-to-one mappings, and of sharp s, the Latin ligatures and final sigma.
std::string upper(std::string_view text);
std::string lower(std::string_view text);
std::string capitalize(std::string_view text);
std::string title(std::string_view text);         // str.title: letters after a non-letter
std::string filter_title(std::string_view text);  // Jinja's filter: words after white space, -, (, {, [ and <
bool is_upper(std::string_view text);
bool is_lower(std::string_view text);
bool all_digits(std::string_view text);   // str.isdigit on ASCII; not empty
bool all_letters(std::string_view text);  // str.isalpha; not empty
bool all_alphanumeric(std::string_view text);

std::string repr(std::string_view text);
std::string repr(double number);
std::string escape_html(std::string_view text);  // & < > ' "

}  // namespace model::jinja
