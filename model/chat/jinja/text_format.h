// str.format with plain fields: {}, {0}, {name}, {{ and }}. Format specifications and conversions are refused.
#pragma once

#include "model/chat/jinja/arguments.h"

namespace model::jinja {

Value format_text(const Value& self, const Arguments& arguments);

}  // namespace model::jinja
