// Where in a completion the answer stands. Every scan is linear in the text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "reward/math/verify.h"

namespace reward::math {

struct Extract {
  std::optional<std::string> answer;  // none: nothing found, or nothing in it
  const char* found = "nothing";      // "tag", "box", "boxes", "phrase", "hashes", "bold", "formula", "number", "whole"
  int boxes = 0;                      // closed \boxed and \fbox in the section looked at
};

// First the section: what follows the last </think>; in it the last complete <answer>. Then:
//   strict   the box that opens last, with those before it that only "and", "or" or a comma part from it; else all of <answer>
//   marked   else what follows the last "answer is", "answer:" or "####", else the last **bold** text, unless it is one of two
//   lenient  else the last formula or number, whichever comes later
//   whole    the text as it is
Extract extract(std::string_view text, Extraction mode);

// The answer in a gold: behind the last "####", or in its boxes, or all of it.
std::string gold_part(std::string_view gold);

}  // namespace reward::math
