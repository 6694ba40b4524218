#include "core/lens/captured_torch.h"

#include <ATen/ATen.h>

namespace ropescope::lens {
namespace {

Error wrong(const std::string& what, const std::string& found, const std::string& wanted) {
  return Error{ErrorCode::InvalidArgument, what + ": " + found + "; " + wanted};
}

}  // namespace

Status checkLayer(const Session::State& state, int layer, const std::string& what) {
  const int layers = state.engine->config().layers;
  if (layer < 0 || layer >= layers) {
    return wrong(what, "layer " + std::to_string(layer),
                 "the model has layers 0 to " + std::to_string(layers - 1));
  }
  if (!state.captures.contains(layer)) {
    return wrong(what, "layer " + std::to_string(layer) + " was not captured",
                 "start the session with this layer in captureLayers");
  }
  return Done{};
}

Status checkHead(const Session::State& state, int head, const std::string& what) {
  const int heads = state.engine->config().heads;
  if (head >= 0 && head < heads) return Done{};
  return wrong(what, "head " + std::to_string(head),
               "the model has query heads 0 to " + std::to_string(heads - 1));
}

Status checkPosition(const Session::State& state, std::int64_t position, const std::string& what) {
  const auto tokens = static_cast<std::int64_t>(state.tokens.size());
  if (position >= 0 && position < tokens) return Done{};
  return wrong(what, "position " + std::to_string(position),
               "a position within the " + std::to_string(tokens) +
                   " processed tokens, counted from 0, is wanted");
}

int keyHeadOf(const ModelConfig& config, int head) {
  return head / (config.heads / config.kvHeads);
}

std::vector<double> doubles(const at::Tensor& values) {
  const at::Tensor wide = values.to(at::kCPU, at::kDouble).contiguous();
  const double* data = wide.const_data_ptr<double>();
  return {data, data + wide.numel()};
}

}  // namespace ropescope::lens
