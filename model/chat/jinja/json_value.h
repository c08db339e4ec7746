// JSON as a template sees it.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "model/chat/jinja/value.h"

namespace model::jinja {

// Objects keep their order. Throws Problem for whole numbers of more than 64 bits, for text that is not UTF-8, and for values
// that nest too deep.
Value from_json(const nlohmann::ordered_json& json);

}  // namespace model::jinja
