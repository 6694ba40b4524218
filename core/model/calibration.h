// A PSC calibration: phase modules for q and k and LoRA pairs, from one safetensors file.
// Phase Shift Calibration, arXiv:2505.12423; tensor names of the paper's code.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/model/calibration_origin.h"

namespace ropescope {

enum class OriginCheck { Enforce, Ignore };

struct CalibrationInfo {
  std::filesystem::path path;
  bool hasPhase = false;
  bool hasLora = false;
  int loraRank = 0;
  double loraAlpha = 16.0;                     // scale = alpha / rank
  std::map<std::string, std::string> metadata;  // of the file
  std::vector<std::string> missing;  // expected tensors that the file lacks (identity there)
  std::vector<std::string> surplus;  // tensors that no layer of this model takes
  std::vector<std::string> warnings;  // "origin unknown …"
  std::optional<CalibrationOrigin> origin;  // none: the file has no such metadata
  bool originIgnored = false;               // loaded by force: fits any model and method
  std::int64_t parameters = 0;
};

// Loaded for one engine (its shapes, device and dtype). Immutable, shared by sessions.
class Calibration {
 public:
  struct Tensors;  // calibration_torch.h
  Calibration(CalibrationInfo info, std::unique_ptr<const Tensors> tensors);
  ~Calibration();
  const CalibrationInfo& info() const { return m_info; }
  const Tensors& tensors() const { return *m_tensors; }

 private:
  CalibrationInfo m_info;
  std::unique_ptr<const Tensors> m_tensors;
};

}  // namespace ropescope
