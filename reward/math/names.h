// The tables of the reader: which names mean what. All look-ups are by binary or hash search in constant tables.
#pragma once

#include <string>
#include <string_view>

namespace reward::math {

// \leqslant is the sign "<=". Empty if the command is no sign.
std::string_view sign_of_command(std::string_view command);
// One name for \dfrac, \tfrac and \frac, and so on; the name itself if it has no other.
std::string_view normal_command(std::string_view command);

bool is_layout(std::string_view command);          // means nothing: \displaystyle
bool is_layout_with_group(std::string_view command);  // nor does its {...}: \hspace{1em}
bool is_text_command(std::string_view command);    // \text, \mathrm: the letters of its group are roman
bool is_style(std::string_view command);           // \mathbf, \boxed: the group counts as it is
bool is_symbol_command(std::string_view command);  // \alpha, \ell

// The tree's name of a function ("asin", "arcsin" -> "arcsin"), empty if there is none of this name.
std::string_view function_name(std::string_view name);
// arcsin for sin, if there is one.
std::string_view inverse_function(std::string_view function);

// A command that plain text writes as a word: "pi", "sqrt", "alpha", "sin", "infinity". Empty if none.
std::string_view command_of_word(std::string_view word);

// Is a run of letters a word of English rather than a product of variables? `text` says that words are expected.
bool reads_as_word(std::string_view run, bool text);

// 0 to 36 by name: "five". -1 if none.
int number_of_word(std::string_view word);

bool is_letter(char c);       // ASCII
char lower(char c);
std::string lower(std::string_view text);

}  // namespace reward::math
