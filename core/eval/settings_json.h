// Reading a settings file key by key: what is wrong is said with the place, the value and what was
// wanted.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/result.h"

namespace ropescope {

// An object of the file and how it is called in messages.
struct SettingsPlace {
  std::string name;  // "sweep.json", "sweep.json: passkey"
  const nlohmann::json& json;
};

// InvalidArgument: "PLACE: WHAT".
Error wrongSetting(const SettingsPlace& place, const std::string& what);

// An object with no other keys than the known ones.
Status checkObject(const SettingsPlace& place, const std::vector<std::string>& known);

// Each keeps what is in the last argument when the key is missing.
Status readWhole(const SettingsPlace& place, const char* key, std::int64_t least,
                 std::int64_t& value);
struct WholeRange {
  std::int64_t least = 0;
  std::int64_t most = 0;
};
Status readWholes(const SettingsPlace& place, const char* key, const WholeRange& range,
                  std::vector<std::int64_t>& values);
struct RealRange {
  double least = 0.0;
  double most = 0.0;
};
Status readReals(const SettingsPlace& place, const char* key, const RealRange& range,
                 std::vector<double>& values);
Status readTexts(const SettingsPlace& place, const char* key, std::vector<std::string>& values);

}  // namespace ropescope
