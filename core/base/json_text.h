// JSON from files that nobody vouches for.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

#include "core/base/result.h"

namespace ropescope {

// Parses `text`; `name` is the file in messages. CorruptFile when it is no JSON or nested deeper than
// 64 levels: what walks a value later may recurse.
Result<nlohmann::json> parseJson(std::string_view text, const std::string& name);

// The same, and the value must be an object.
Result<nlohmann::json> parseJsonObject(std::string_view text, const std::string& name);

// A value for a message: itself when short, else what it is ("a list of 12").
std::string shortText(const nlohmann::json& value);

}  // namespace ropescope
