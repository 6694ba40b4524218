#include "core/model/decoder_torch.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

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
  const bool differentiable = at::GradMode::is_enabled() && split.requires_grad();
  if (context.rotate && !differentiable) return context.rotate(split, context.tables, position);
  return rope::rotate(split, context.tables, position);
}

at::Tensor attentionBlock(const DecoderContext& context, int layer, const at::Tensor& input,
                          std::int64_t position, const Attend& attend) {
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
  const at::Tensor joined = attend(q.transpose(0, 1), k.transpose(0, 1), v.transpose(0, 1))
                                .transpose(0, 1)
                                .reshape({tokens, std::int64_t{c.heads} * c.headDim});
  return project(context, joined, w.output, calibration ? &calibration->output : nullptr);
}

at::Tensor mlpBlock(const DecoderContext& context, const LayerWeights& w, const at::Tensor& input) {
  const at::Tensor x = normalised(context, input, w.postAttentionNorm);
  const at::Tensor gate = at::silu(project(context, x, w.gate, nullptr));
  return project(context, gate * project(context, x, w.up, nullptr), w.down, nullptr);
}

}  // namespace

at::Tensor attentionHalf(const DecoderContext& context, int layer, const at::Tensor& input,
                         std::int64_t position, const Attend& attend) {
  return input + attentionBlock(context, layer, input, position, attend);
}

at::Tensor mlpHalf(const DecoderContext& context, int layer, const at::Tensor& attended) {
  return attended +
         mlpBlock(context, context.weights.layers[static_cast<std::size_t>(layer)], attended);
}

at::Tensor forwardChunk(const DecoderContext& context, const at::Tensor& tokens,
                        std::int64_t position, KvCache& cache,
                        std::map<int, LayerCapture>& captures) {
  const std::int64_t count = tokens.size(0);
  at::Tensor hidden = at::embedding(context.weights.embedding, tokens);  // [T, E]
  for (int layer = 0; layer < context.config.layers; ++layer) {
    const auto capture = captures.find(layer);
    const at::Tensor input = hidden;
    const auto attend = [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
      const at::Tensor keys = cache.keys.select(0, layer);  // [G, capacity, D]
      const at::Tensor values = cache.values.select(0, layer);
      keys.narrow(1, position, count).copy_(k);
      values.narrow(1, position, count).copy_(v);
      const AttentionResult result = attendCausal(q, keys.narrow(1, 0, position + count),
                                                  values.narrow(1, 0, position + count));
      if (capture != captures.end()) {
        capture->second.input.narrow(0, position, count).copy_(input);
        capture->second.logSumExp.narrow(1, position, count).copy_(result.logSumExp);
      }
      return result.output;
    };
    hidden = mlpHalf(context, layer, attentionHalf(context, layer, input, position, attend));
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
  return placed(context, project(context, x, w.query, calibration ? &calibration->query : nullptr),
                context.config.heads, calibration ? &calibration->queryPhase : nullptr, first);
}

Unrotated unrotatedHead(const DecoderContext& context, int layer, const at::Tensor& input,
                        Side side, int head) {
  const LayerWeights& w = context.weights.layers[static_cast<std::size_t>(layer)];
  const LayerCalibration* calibration = calibrationOf(context, layer);
  const bool isQuery = side == Side::Query;
  const std::int64_t size = context.config.headDim;
  const auto rowsOf = [&](const at::Tensor& all) { return all.narrow(0, head * size, size); };
  const Linear& all = isQuery ? w.query : w.key;
  const Linear one{rowsOf(all.weight), all.bias.defined() ? rowsOf(all.bias) : at::Tensor()};
  LoraPair lora;
  if (calibration) lora = isQuery ? calibration->query : calibration->key;
  if (lora.defined()) lora.b = rowsOf(lora.b);
  const at::Tensor x = normalised(context, input, w.inputNorm);
  const at::Tensor projected = project(context, x, one, &lora);
  if (!calibration) return {projected, projected};
  const rope::PhaseModule& phase = isQuery ? calibration->queryPhase : calibration->keyPhase;
  if (!phase.defined()) return {projected, projected};
  const rope::PhaseModule own{phase.up.narrow(0, head, 1), phase.down.narrow(0, head, 1)};
  return {projected, rope::shiftPhase(projected.unsqueeze(1), own, context.pscStrength).squeeze(1)};
}

}  // namespace ropescope
