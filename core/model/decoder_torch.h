// The stack of a Llama-type decoder: a chunk of tokens in, hidden states out, cache extended.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>

#include "core/model/calibration_torch.h"
#include "core/model/kv_cache_torch.h"
#include "core/model/model_config.h"
#include "core/model/weights_torch.h"
#include "core/rope/rotary_torch.h"

namespace ropescope {

// What attention leaves behind for pictures, for one layer.
struct LayerCapture {
  at::Tensor input;      // [capacity, E]: the layer's input, before its norm
  at::Tensor logSumExp;  // [H, capacity] float32: final, natural log
};

// rope::rotate() by another way, the same bits; may write over x. Without gradients.
using Rotate = std::function<at::Tensor(const at::Tensor& x, const rope::RotaryTables& tables,
                                        std::int64_t first)>;

// Everything that one forward pass reads, apart from the tokens.
struct DecoderContext {
  const ModelConfig& config;
  const Weights& weights;
  const rope::RotaryTables& tables;
  const Calibration::Tensors* calibration = nullptr;  // optional
  double pscStrength = 1.0;
  bool lora = true;
  Rotate rotate = {};  // none: rope::rotate()
};

// Causal attention of rotated queries [H, T, D] over keys and values [G, T, D] of the same tokens and
// whatever the caller holds of earlier ones: output [H, T, D].
using Attend =
    std::function<at::Tensor(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v)>;

// One layer in two halves, each with its residual: input [T, E] at positions `position` … -> attended
// [T, E] -> output [T, E]. The second half knows no other row: it may be run in slices. Inference and
// training run this same code; only how they attend differs. Differentiable as far as `attend` is.
at::Tensor attentionHalf(const DecoderContext& context, int layer, const at::Tensor& input,
                         std::int64_t position, const Attend& attend);
at::Tensor mlpHalf(const DecoderContext& context, int layer, const at::Tensor& attended);

// Appends tokens [T] (int64, on the device) at `position`: writes their keys and values into the
// cache and, for the layers in `captures`, what these keep. Returns hidden states [T, E] before the
// final norm.
at::Tensor forwardChunk(const DecoderContext& context, const at::Tensor& tokens,
                        std::int64_t position, KvCache& cache,
                        std::map<int, LayerCapture>& captures);

// Logits of hidden states: [T, E] -> [T, V].
at::Tensor logitsOf(const DecoderContext& context, const at::Tensor& hidden);

// Queries of one layer from its input rows, calibrated and rotated: input [T, E] at positions
// first … -> [T, H, D]. The same code that attention runs.
at::Tensor queriesOf(const DecoderContext& context, int layer, const at::Tensor& input,
                     std::int64_t first);

enum class Side { Query, Key };

// q or k of one head before the rotation, from the layer's input rows [T, E].
struct Unrotated {
  at::Tensor projected;   // [T, D], LoRA included
  at::Tensor calibrated;  // [T, D], PSC on top: what is rotated
};
// `head` is a query head, or a key head of its own count. Projects that head only.
Unrotated unrotatedHead(const DecoderContext& context, int layer, const at::Tensor& input,
                        Side side, int head);

}  // namespace ropescope
