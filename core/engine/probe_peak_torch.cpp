#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <ATen/detail/CUDAHooksInterface.h>

#include <algorithm>
#include <chrono>

#include "core/engine/engine_torch.h"
#include "core/engine/probe_peak.h"
#include "core/model/guard_torch.h"

namespace ropescope {
namespace {

constexpr int kRuns = 8;

// Shortest run in seconds; `work` ends with its result on the CPU, so a GPU has finished too.
template <class Work>
double shortestRun(Work&& work) {
  using Clock = std::chrono::steady_clock;
  double best = 1e30;
  for (int run = 0; run < kRuns; ++run) {
    const auto start = Clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return best;
}

}  // namespace

Result<double> measureMatrixPeak(const Engine& engine) {
  return guardTorch("measuring the matrix peak", [&]() -> Result<double> {
    const at::NoGradGuard noGrad;
    const Placement& placement = engine.state().placement;
    const std::int64_t n = placement.device.is_cuda() ? 8192 : 2048;
    const int repeats = placement.device.is_cuda() ? 8 : 1;
    // Random, not zero: power limits make zeros look faster.
    const auto options = at::TensorOptions().device(placement.device);
    const at::Tensor a = at::randn({n, n}, options).to(placement.dtype);
    const at::Tensor b = at::randn({n, n}, options).to(placement.dtype);
    const double seconds = shortestRun([&] {
      at::Tensor c;
      for (int i = 0; i < repeats; ++i) c = at::linear(a, b);
      (void)c.narrow(0, 0, 1).sum().item();
    });
    const auto size = static_cast<double>(n);
    return 2.0 * size * size * size * repeats / seconds;
  });
}

Result<double> measureReadBandwidth(const Engine& engine) {
  return guardTorch("measuring the read bandwidth", [&]() -> Result<double> {
    const at::NoGradGuard noGrad;
    const Placement& placement = engine.state().placement;
    const std::int64_t values = placement.device.is_cuda() ? std::int64_t{1} << 30
                                                           : std::int64_t{1} << 27;
    const at::Tensor x =
        at::ones({values}, at::TensorOptions().device(placement.device).dtype(at::kFloat));
    const double seconds = shortestRun([&] { (void)x.sum().item(); });
    return static_cast<double>(values) * 4.0 / seconds;
  });
}

}  // namespace ropescope
