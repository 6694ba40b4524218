#include "core/model/decoder_torch.h"

#include <ATen/ATen.h>

#include "core/model/attention_torch.h"

namespace ropescope {
namespace {

const LayerCalibration* calibrationOf(const DecoderContext& context, int layer) {
  return context.calibration == nullptr
             ? nullptr
             : &context.calibration->layers[static_cast<std::size_t>(layer)];
}

at::Tensor normalised(const DecoderContext& context, const at::Tensor& x,
                      const at::Tensor& weight) {
  return at::rms_norm(x, {x.size(-1)}, weight, context.config.normEpsilon);
}

// Projection with the calibration's LoRA pair on top, if there is one and it is switched on.
at::Tensor project(const DecoderContext& context, const at::Tensor& x, const Linear& linear,
                   const LoraPair* pair) {
  const at::Tensor y = linear.bias.defined() ? at::linear(x, linear.weight, linear.bias)
                                             : at::linear(x, linear.weight);
  if (pair == nullptr || !pair->defined() || !context.lora) return y;
  return y + at::linear(at::linear(x, pair->a), pair->b) * context.calibration->loraScale;
}

// [T, heads D] -> phase-shifted and rotated [T, heads, D].
at::Tensor placed(const DecoderContext& context, const at::Tensor& x, std::int64_t heads,
                  const rope::PhaseModule* phase, std::int64_t position) {
  at::Tensor split = x.view({x.size(0), heads, context.config.headDim});
  if (phase != nullptr) split = rope::shiftPhase(split, *phase, context.pscStrength);
  return rope::rotate(split, context.tables, position);
}

at::Tensor attentionBlock(const DecoderContext& context, int layer, const at::Tensor& input,
                          std::int64_t position, KvCache& cache, LayerCapture* capture) {
  const ModelConfig& c = context.config;
  const LayerWeights& w = context.weights.layers[static_cast<std::size_t>(layer)];
  const LayerCalibration* calibration = calibrationOf(context, layer);
  const std::int64_t tokens = input.size(0);
  const at::Tensor x = normalised(context, input, w.inputNorm);
  const at::Tensor q =
      placed(context, project(context, x, w.query, calibration ? &calibration->query : nullptr),
             c.heads, calibration ? &calibration->queryPhase : nullptr, position);
  const at::Tensor k =
      placed(context, project(context, x, w.key, calibration ? &calibration->key : nullptr),
             c.kvHeads, calibration ? &calibration->keyPhase : nullptr, position);
  const at::Tensor v = project(context, x, w.value, calibration ? &calibration->value : nullptr)
                           .view({tokens, c.kvHeads, c.headDim});
  const at::Tensor keys = cache.keys.select(0, layer);      // [G, capacity, D]
  const at::Tensor values = cache.values.select(0, layer);
  keys.narrow(1, position, tokens).copy_(k.transpose(0, 1));
  values.narrow(1, position, tokens).copy_(v.transpose(0, 1));
  const AttentionResult result =
      attendCausal(q.transpose(0, 1), keys.narrow(1, 0, position + tokens),
                   values.narrow(1, 0, position + tokens));
  if (capture != nullptr) {
    capture->input.narrow(0, position, tokens).copy_(input);
    capture->logSumExp.narrow(1, position, tokens).copy_(result.logSumExp);
  }
  const at::Tensor joined =
      result.output.transpose(0, 1).reshape({tokens, std::int64_t{c.heads} * c.headDim});
  return project(context, joined, w.output, calibration ? &calibration->output : nullptr);
}

at::Tensor mlpBlock(const DecoderContext& context, const LayerWeights& w, const at::Tensor& input) {
  const at::Tensor x = normalised(context, input, w.postAttentionNorm);
  const at::Tensor gate = at::silu(project(context, x, w.gate, nullptr));
  return project(context, gate * project(context, x, w.up, nullptr), w.down, nullptr);
}

}  // namespace

at::Tensor forwardChunk(const DecoderContext& context, const at::Tensor& tokens,
                        std::int64_t position, KvCache& cache,
                        std::map<int, LayerCapture>& captures) {
  at::Tensor hidden = at::embedding(context.weights.embedding, tokens);  // [T, E]
  for (int layer = 0; layer < context.config.layers; ++layer) {
    const auto capture = captures.find(layer);
    hidden = hidden + attentionBlock(context, layer, hidden, position, cache,
                                     capture == captures.end() ? nullptr : &capture->second);
    hidden =
        hidden + mlpBlock(context, context.weights.layers[static_cast<std::size_t>(layer)], hidden);
  }
  return hidden;
}

at::Tensor logitsOf(const DecoderContext& context, const at::Tensor& hidden) {
  return at::linear(normalised(context, hidden, context.weights.finalNorm), context.weights.head);
}

at::Tensor queriesOf(const DecoderContext& context, int layer, const at::Tensor& input,
                     std::int64_t first) {
  const LayerWeights& w = context.weights.layers[static_cast<std::size_t>(layer)];
  const LayerCalibration* calibration = calibrationOf(context, layer);
  const at::Tensor x = normalised(context, input, w.inputNorm);
  return placed(context,
                project(context, x, w.query, calibration ? &calibration->query : nullptr),
                context.config.heads, calibration ? &calibration->queryPhase : nullptr, first);
}

}  // namespace ropescope
