// Keys and values of one session, allocated once. Memory is committed as tokens arrive.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "core/model/model_config.h"
#include "core/model/weights_torch.h"

namespace ropescope {

struct KvCache {
  at::Tensor keys;    // [L, G, capacity, D], rotated
  at::Tensor values;  // [L, G, capacity, D]

  KvCache(const ModelConfig& config, std::int64_t capacity, const Placement& placement) {
    const auto options = at::TensorOptions().device(placement.device).dtype(placement.dtype);
    const std::vector<std::int64_t> shape{config.layers, config.kvHeads, capacity, config.headDim};
    keys = at::empty(shape, options);
    values = at::empty(shape, options);
  }
};

// Keys and values of every layer: 2 L G tokens D values.
constexpr std::int64_t kvCacheBytes(std::int64_t layers, std::int64_t kvHeads, std::int64_t headDim,
                                    std::int64_t bytesPerValue, std::int64_t tokens) {
  return 2 * layers * kvHeads * tokens * headDim * bytesPerValue;
}
static_assert(kvCacheBytes(32, 32, 128, 2, 4096) == std::int64_t{2} << 30);  // Llama-2-7B, 4k: 2 GiB

}  // namespace ropescope
