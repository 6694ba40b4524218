#include "core/calibration/gradient_torch.h"

#include <algorithm>
#include <functional>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/model/flash_autograd_torch.h"
#include "core/model/token_losses_torch.h"

namespace ropescope::calibration {
namespace {

at::Tensor asTensor(const std::vector<std::int32_t>& ids, const at::Device& device) {
  return at::tensor(ids, at::TensorOptions().dtype(at::kInt)).to(device, at::kLong);
}

// Attention whose result the forward has kept: the graph gets its gradient, nothing is computed
// again.
class KnownAttention : public torch::autograd::Function<KnownAttention> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& q,
                            const at::Tensor& k, const at::Tensor& v, const at::Tensor& output,
                            const at::Tensor& logSumExp) {
    context->save_for_backward({q, k, v, output, logSumExp});
    return output.alias();
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    FlashGradients g = flashBackward(gradients[0], saved[0], saved[1], saved[2],
                                     {.output = saved[3], .logSumExp = saved[4]});
    return {g.q, g.k, g.v, at::Tensor(), at::Tensor()};
  }
};

struct LayerRecord {
  at::Tensor input;     // [T, E]
  at::Tensor attended;  // [T, E]
  FlashForward attention;
};

// Rows of the feed-forward half at once: its wide intermediates never exist for all tokens. A GPU
// needs many rows to be busy.
std::int64_t rowsAtOnce(const at::Tensor& hidden) {
  return hidden.is_cuda() ? 8192 : 1024;
}

// The same for the head, whose logits are wider still: at most 512 MiB of them.
std::int64_t headRowsAtOnce(const DecoderContext& context, const at::Tensor& hidden) {
  constexpr std::int64_t kLogits = std::int64_t{1} << 27;  // float32
  const std::int64_t most = kLogits / context.config.vocabularySize;
  return std::clamp<std::int64_t>(most, 1, rowsAtOnce(hidden));
}

void inSlices(std::int64_t tokens, std::int64_t rows,
              const std::function<void(std::int64_t, std::int64_t)>& work) {
  for (std::int64_t first = 0; first < tokens; first += rows) {
    work(first, std::min(rows, tokens - first));
  }
}

at::Tensor mlpForward(const DecoderContext& context, int layer, const at::Tensor& attended) {
  at::Tensor output = at::empty_like(attended);
  inSlices(attended.size(0), rowsAtOnce(attended), [&](std::int64_t first, std::int64_t rows) {
    output.narrow(0, first, rows).copy_(mlpHalf(context, layer, attended.narrow(0, first, rows)));
  });
  return output;
}

// The gradient of `attended` [T, E] from that of the layer's output.
at::Tensor mlpBackward(const DecoderContext& context, int layer, const at::Tensor& attended,
                       const at::Tensor& gradient) {
  at::Tensor result = at::empty_like(attended);
  inSlices(attended.size(0), rowsAtOnce(attended), [&](std::int64_t first, std::int64_t rows) {
    const at::AutoGradMode grad(true);
    const at::Tensor slice = attended.narrow(0, first, rows).detach().requires_grad_(true);
    mlpHalf(context, layer, slice).backward(gradient.narrow(0, first, rows));
    result.narrow(0, first, rows).copy_(slice.grad());
  });
  return result;
}

// Hidden states [T, E] before the final norm.
at::Tensor forwardKeeping(const DecoderContext& context, const at::Tensor& tokens,
                          std::vector<LayerRecord>& records) {
  const at::NoGradGuard noGrad;
  at::Tensor hidden = at::embedding(context.weights.embedding, tokens);
  for (int layer = 0; layer < context.config.layers; ++layer) {
    LayerRecord& record = records.emplace_back();
    record.input = hidden;
    const auto attend = [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
      record.attention = flashForward(q, k, v);
      return record.attention.output;
    };
    record.attended = attentionHalf(context, layer, hidden, 0, attend);
    hidden = mlpForward(context, layer, record.attended);
  }
  return hidden;
}

struct LossGradient {
  double loss = 0.0;    // nats, mean
  at::Tensor gradient;  // [T, E] of the hidden states
};

// The head in row blocks, each with its own small graph: logits of all positions never exist.
LossGradient lossGradient(const DecoderContext& context, const at::Tensor& hidden,
                          const at::Tensor& targets) {
  const std::int64_t tokens = hidden.size(0);
  const double share = 1.0 / static_cast<double>(tokens);
  const auto lossType = hidden.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  LossGradient result{.loss = 0.0, .gradient = at::empty_like(hidden)};
  inSlices(tokens, headRowsAtOnce(context, hidden), [&](std::int64_t first, std::int64_t rows) {
    const at::AutoGradMode grad(true);
    const at::Tensor block = hidden.narrow(0, first, rows).detach().requires_grad_(true);
    const at::Tensor losses =
        at::cross_entropy_loss(logitsOf(context, block).to(lossType),
                               targets.narrow(0, first, rows), {}, at::Reduction::None);
    losses.backward(at::full_like(losses, share));
    result.loss += losses.detach().to(at::kDouble).sum().item<double>() * share;
    result.gradient.narrow(0, first, rows).copy_(block.grad());
  });
  return result;
}

}  // namespace

double backwardThroughWindow(const DecoderContext& context, const TrainingWindow& window) {
  const at::Device device = context.weights.embedding.device();
  std::vector<LayerRecord> records;
  const at::Tensor hidden = forwardKeeping(context, asTensor(window.inputs, device), records);
  LossGradient loss = lossGradient(context, hidden, asTensor(window.targets, device));
  at::Tensor gradient = std::move(loss.gradient);
  for (int layer = context.config.layers - 1; layer >= 0; --layer) {
    LayerRecord record = std::move(records.back());
    records.pop_back();
    gradient = mlpBackward(context, layer, record.attended, gradient);
    record.attended.reset();
    const at::AutoGradMode grad(true);
    // Nothing below the first layer is trained.
    const at::Tensor input = record.input.detach().requires_grad_(layer > 0);
    const auto attend = [&](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
      return KnownAttention::apply(q, k, v, record.attention.output, record.attention.logSumExp);
    };
    attentionHalf(context, layer, input, 0, attend).backward(gradient);
    if (layer > 0) gradient = input.grad();
  }
  return loss.loss;
}

double lossOfWindow(const DecoderContext& context, const TrainingWindow& window) {
  const at::NoGradGuard noGrad;
  const at::Device device = context.weights.embedding.device();
  at::Tensor hidden = at::embedding(context.weights.embedding, asTensor(window.inputs, device));
  const auto attend = [](const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
    return flashForward(q, k, v).output;
  };
  for (int layer = 0; layer < context.config.layers; ++layer) {
    hidden = mlpForward(context, layer, attentionHalf(context, layer, hidden, 0, attend));
  }
  double sum = 0.0;
  for (const double loss : tokenLosses(context, hidden, window.targets)) sum += loss;
  return sum / static_cast<double>(window.targets.size());
}

}  // namespace ropescope::calibration
