// JSON that others wrote: data rows, replies of plug-ins.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

namespace reward {

// Does the text open more than `most` brackets inside of one another? One pass; brackets in strings do not count.
bool nests_deeper(std::string_view text, int most);

// Json::parse without exceptions. What nests deeper than 200 levels is discarded too: reading it takes no stack, but copying
// it or writing it as text takes some for each level.
template <typename Json>
Json parse_outside(std::string_view text) {
  if (nests_deeper(text, 200)) return Json(Json::value_t::discarded);
  return Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
}

}  // namespace reward
