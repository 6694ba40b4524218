// Weights of a Llama-type decoder as tensors on one device.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/model/model_config.h"

namespace ropescope {

// y = x Wᵀ + b
struct Linear {
  at::Tensor weight;  // [out, in]
  at::Tensor bias;    // [out], undefined when the model has none
};

struct LayerWeights {
  at::Tensor inputNorm;          // [E]
  Linear query;                  // [H D, E]
  Linear key;                    // [G D, E]
  Linear value;                  // [G D, E]
  Linear output;                 // [E, H D]
  at::Tensor postAttentionNorm;  // [E]
  Linear gate;                   // [F, E]
  Linear up;                     // [F, E]
  Linear down;                   // [E, F]
};

// Plain tensors, never inference tensors: calibration trains through them later.
struct Weights {
  at::Tensor embedding;              // [V, E]
  std::vector<LayerWeights> layers;  // L
  at::Tensor finalNorm;              // [E]
  at::Tensor head;                   // [V, E]; the embedding itself when tied
  std::int64_t bytes = 0;
  std::string hash;                  // SHA-256 of config.json and the safetensors headers, hex
};

struct Placement {
  at::Device device{at::kCPU};
  at::ScalarType dtype = at::kFloat;
};

// Reads model.safetensors, or the shards named in model.safetensors.index.json. Checks the name, the
// shape and the type of every tensor before use; surplus tensors are listed as warnings in `config`.
// A NaN is CorruptFile with the tensor's name.
Result<Weights> loadWeights(const std::filesystem::path& folder, ModelConfig& config,
                            const Placement& placement, const JobControl& job);

}  // namespace ropescope
