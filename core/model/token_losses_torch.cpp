#include "core/model/token_losses_torch.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace ropescope {
namespace {

constexpr std::int64_t kBlockBytes = std::int64_t{64} << 20;

}  // namespace

std::vector<double> tokenLosses(const DecoderContext& context, const at::Tensor& hidden,
                                std::span<const std::int32_t> targets) {
  std::vector<double> losses;
  losses.reserve(targets.size());
  const std::int64_t rowBytes = std::int64_t{context.config.vocabularySize} * 8;
  const std::int64_t rows = std::max<std::int64_t>(1, kBlockBytes / rowBytes);
  for (std::int64_t first = 0; first < hidden.size(0); first += rows) {
    const std::int64_t count = std::min(rows, hidden.size(0) - first);
    at::Tensor wanted = at::empty({count, 1}, at::kLong);
    std::copy_n(targets.begin() + first, count, wanted.mutable_data_ptr<std::int64_t>());
    const at::Tensor logits = logitsOf(context, hidden.narrow(0, first, count)).to(at::kDouble);
    const at::Tensor picked = logits.gather(1, wanted.to(logits.device())).squeeze(1);
    const at::Tensor loss = (at::logsumexp(logits, 1) - picked).to(at::kCPU).contiguous();
    const double* values = loss.const_data_ptr<double>();
    losses.insert(losses.end(), values, values + count);
  }
  return losses;
}

}  // namespace ropescope
