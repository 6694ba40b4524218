// Results as PNG files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "app/cli/run.h"

namespace ropescope::cli {

Status writeAttentionPicture(const Engine& engine, const rope::RotaryPlan& plan,
                             const AttentionMap& map, const std::string& document,
                             const std::filesystem::path& path);

// --layer and --head against the model. InvalidArgument says which there are.
Status checkHead(const ModelConfig& config, std::int64_t layer, std::int64_t head);

// Every plan beside plain RoPE; the angles stand at `position`.
Status writeAnglePicture(const Engine& engine, const std::vector<rope::RotaryPlan>& plans,
                         std::int64_t plannedLength, const std::filesystem::path& path);

Status writePerplexityPicture(const Engine& engine, const std::vector<PerplexityCurve>& curves,
                              const PerplexityConfig& config, const std::string& document,
                              const std::filesystem::path& path);

}  // namespace ropescope::cli
