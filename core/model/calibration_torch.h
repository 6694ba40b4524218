// A calibration's tensors, layer by layer.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "core/base/result.h"
#include "core/model/calibration.h"
#include "core/model/model_config.h"
#include "core/model/weights_torch.h"
#include "core/rope/phase_torch.h"

namespace ropescope {

// y += alpha / rank * x Aᵀ Bᵀ.  LoRA, arXiv:2106.09685, section 4.1.
struct LoraPair {
  at::Tensor a;  // [rank, in]
  at::Tensor b;  // [out, rank]
  bool defined() const { return a.defined() && b.defined(); }
};

struct LayerCalibration {
  rope::PhaseModule queryPhase;  // [H, D, D]
  rope::PhaseModule keyPhase;    // [G, D, D]: before keys are shared between query heads
  LoraPair query;
  LoraPair key;
  LoraPair value;
  LoraPair output;
};

struct Calibration::Tensors {
  std::vector<LayerCalibration> layers;  // L
  double loraScale = 2.0;                // alpha / rank
};

// Who wants to use a calibration.
struct BaseModel {
  std::string hash;
  std::string name;
};

// Reads a file in the paper code's tensor names. Missing and surplus tensors are listed; a file
// without any known tensor, a wrong shape or ranks that differ are errors.
Result<std::shared_ptr<const Calibration>> readCalibration(const std::filesystem::path& path,
                                                           const ModelConfig& config,
                                                           const Placement& placement,
                                                           const BaseModel& base,
                                                           OriginCheck check);

}  // namespace ropescope
