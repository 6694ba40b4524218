// The tensors that calibration trains: masters in float32, working copies in the model's type.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/base/result.h"
#include "core/model/calibration_origin.h"
#include "core/model/calibration_torch.h"

namespace ropescope::calibration {

struct TrainableShape {
  int loraRank = 8;  // 0: no pairs
  double loraAlpha = 16.0;
  bool phase = true;  // PSC modules; false: LoRA pairs alone
};

// Masters in the order of their names. Names and shapes are those of the paper's code.
class Trainable {
 public:
  // PSC: up zero, down kaiming_uniform with a = sqrt 5 (arXiv:2505.12423 and its code: fan-in D *
  // D, so U(-1/D, 1/D)). LoRA: A kaiming_uniform with a = sqrt 5, U(-1/sqrt(in), 1/sqrt(in)), B
  // zero (arXiv:2106.09685). Every tensor has its own random stream: PSC changes no LoRA start.
  static Trainable fresh(const ModelConfig& config, const TrainableShape& shape,
                         const Placement& placement, std::uint64_t seed);

  std::map<std::string, at::Tensor>& masters() { return m_masters; }
  const std::map<std::string, at::Tensor>& masters() const { return m_masters; }
  const std::map<std::string, at::Tensor>& working() const { return m_working; }
  std::int64_t parameters() const;

  // Takes masters from a calibration file and gives its metadata. InvalidArgument when its tensors
  // are not exactly these.
  Result<std::map<std::string, std::string>> takeFrom(const std::filesystem::path& path);

  // Copies the masters into leaves of the model's type that want gradients. The result refers to
  // them until the next call.
  const Calibration::Tensors& refresh();
  // Adds `scale` times the working copies' gradients to `sums` (float32 or double) and clears them.
  void collectGradients(std::map<std::string, at::Tensor>& sums, double scale) const;

  // bfloat16, with the origin as metadata.
  Status save(const std::filesystem::path& path, const CalibrationOrigin& origin) const;

 private:
  Placement m_placement;
  double m_loraScale = 2.0;
  int m_layers = 0;
  std::map<std::string, at::Tensor> m_masters;
  std::map<std::string, at::Tensor> m_working;
  Calibration::Tensors m_tensors;
};

// Tensors as they stand into a safetensors file, in `type` (kBFloat16, kFloat or kDouble).
Status writeTensors(const std::filesystem::path& path,
                    const std::map<std::string, at::Tensor>& tensors, at::ScalarType type,
                    const std::map<std::string, std::string>& metadata);

}  // namespace ropescope::calibration
