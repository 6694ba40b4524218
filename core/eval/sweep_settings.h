// What a sweep is to measure, from a JSON file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/eval/sweep_measures.h"

namespace ropescope {

// One way to rotate, with or without a calibration.
struct SweepSetting {
  std::string label;   // "pi:factor=4,calibration=pi-4x-psc-seed0.safetensors": names, no folders
  std::string curve;   // the same with whole paths, for parseCurve
  std::string base;    // the label without its calibration: what the variants have in common
  std::string method;  // id
  std::optional<double> factor;
  bool openFactor = false;  // the method takes one and none is given: it follows the lengths
  std::string variant;      // kUntrained, or what the settings call it: "lora", "psc"
  std::optional<std::int64_t> seed;          // of the training
  std::vector<std::filesystem::path> files;  // that it needs: calibration, factors
};
inline constexpr const char* kUntrained = "untrained";

struct SweepSettings {
  std::vector<SweepSetting> settings;
  std::vector<std::string> books;  // file names, in the folder that the caller names
  std::optional<SweepPerplexity> perplexity;
  std::optional<SweepPasskey> passkey;
  std::optional<SweepQuestions> questions;
};

// The longest length of any measure: what sessions are planned for.
std::int64_t longestLength(const SweepSettings& settings);

// {
//   "settings": [                       every combination of a group's lists:
//     {"methods": ["none"]},
//     {"methods": ["pi", "longrope:factors=longrope-{factor}x.json"], "factors": [4, 8],
//      "variants": ["untrained", "lora", "psc"], "seeds": [0, 1, 2],
//      "calibration": "{method}-{factor}x-{variant}-seed{seed}.safetensors"}
//   ],
//   "books": ["a.txt", "b.txt"],
//   "perplexity": {"lengths": [1024, 4096], "windows_per_book": 0},
//   "passkey": {"recipe": "yarn", "lengths": [1024], "depths": [0, 0.5, 1], "trials": 10,
//               "seed": 0, "answers": true},
//   "questions": {"lengths": [1024], "types": ["fact"], "per_type": 8, "seed": 0, "answers": true}
// }
// "answers": false keeps the counts of a cell and not what was asked and answered.
// The variant "untrained" has no calibration and no seed. Paths are relative to the file's folder.
// CorruptFile or InvalidArgument name the key; a key that is not known is refused with those that
// are. Needs at least one setting and one of the three measures.
Result<SweepSettings> readSweepSettings(const std::filesystem::path& file);

}  // namespace ropescope
