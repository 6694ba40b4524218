// bfloat16 causal attention on the CPU: our kernels beside ATen's fused op and a plain product.
//   attention_bench [seconds per measurement]
// Floating point operations of the visible half: forward 2 * 2 * H * D * T * T / 2, backward 2.5
// times that. Each time is the best of as many runs as fit.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iomanip>
#include <iostream>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "core/model/attention_torch.h"
#include "core/model/cpu_attention_torch.h"

namespace ropescope {
namespace {

struct Case {
  std::int64_t heads;
  std::int64_t kvHeads;
  std::int64_t tokens;
  std::int64_t headDim;
};

template <class Work>
double bestSeconds(double budget, const Work& work) {
  using Clock = std::chrono::steady_clock;
  const auto seconds = [](Clock::duration d) { return std::chrono::duration<double>(d).count(); };
  work();  // memory is there from now on
  double best = 1e9;
  const auto start = Clock::now();
  do {
    const auto before = Clock::now();
    work();
    best = std::min(best, seconds(Clock::now() - before));
  } while (seconds(Clock::now() - start) < budget);
  return best;
}

void print(const char* what, double operations, double seconds) {
  std::cout << "  " << std::left << std::setw(16) << what << std::right << std::fixed
            << std::setprecision(2) << std::setw(10) << 1e3 * seconds << " ms"
            << std::setprecision(0) << std::setw(8) << operations / seconds / 1e9 << " GFLOP/s\n";
}

void measure(const Case& c, double budget) {
  const auto draw = [&](std::int64_t heads) {
    return at::randn({c.tokens, heads, c.headDim}).to(at::kBFloat16).transpose(0, 1);
  };
  const at::Tensor q = draw(c.heads);
  const at::Tensor k = draw(c.kvHeads);
  const at::Tensor v = draw(c.kvHeads);
  const at::Tensor gradOutput = draw(c.heads);
  const double tokens = static_cast<double>(c.tokens);
  const double operations = 2.0 * static_cast<double>(c.heads * c.headDim) * tokens * tokens;
  std::cout << c.tokens << " tokens, " << c.heads << " heads over " << c.kvHeads << ", head size "
            << c.headDim << "\n";
  const AttentionResult forward = attendOnCpuKernel(q, k, v);
  print("forward", operations, bestSeconds(budget, [&] { attendOnCpuKernel(q, k, v); }));
  print("forward, ATen", operations, bestSeconds(budget, [&] { attendSquareCausal(q, k, v); }));
  print("backward", 2.5 * operations,
        bestSeconds(budget, [&] { backwardOnCpuKernel(gradOutput, q, k, v, forward); }));
  const AttentionResult aten = attendSquareCausal(q, k, v);
  print("backward, ATen", 2.5 * operations, bestSeconds(budget, [&] {
          at::_scaled_dot_product_flash_attention_for_cpu_backward(
              gradOutput.unsqueeze(0), q.unsqueeze(0), k.unsqueeze(0), v.unsqueeze(0),
              aten.output.unsqueeze(0), aten.logSumExp.unsqueeze(0), 0.0, /*is_causal=*/true);
        }));
}

int run(double budget) {
  const at::NoGradGuard noGrad;
  at::manual_seed(1);
  const at::Tensor square = at::randn({2048, 2048}).to(at::kBFloat16);
  if (!cpuKernelServes(square.view({1, -1, 64}), square.view({1, -1, 64}),
                       square.view({1, -1, 64}))) {
    std::cerr << "this CPU or this build has no AVX512-BF16: there is nothing to measure\n";
    return 1;
  }
  print("2048^3 product", 2.0 * 2048.0 * 2048.0 * 2048.0,
        bestSeconds(budget, [&] { at::mm(square, square); }));
  for (const Case& c : {Case{6, 2, 1024, 64}, Case{6, 2, 4096, 64}, Case{6, 2, 16384, 64},
                        Case{32, 8, 2048, 128}}) {
    measure(c, budget);
  }
  return 0;
}

}  // namespace
}  // namespace ropescope

int main(int argc, char** argv) {
  return ropescope::run(argc > 1 ? std::atof(argv[1]) : 2.0);
}
