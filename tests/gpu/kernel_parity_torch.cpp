#include "tests/gpu/kernel_parity_torch.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <dlfcn.h>

#include "core/engine/cuda_kernels.h"
#include "core/engine/cuda_kernels_torch.h"
#include "core/rope/rotary_torch.h"
#include "tests/gpu/map_parity.h"

namespace ropescope::gpu {
namespace {

const at::Device kGpu(at::kCUDA, 0);
constexpr at::ScalarType kTypes[] = {at::kFloat, at::kBFloat16, at::kHalf};

void waitForGpu() {
  at::detail::getCUDAHooks().deviceSynchronize(0);
}

rope::RotaryTables tables(std::int64_t positions, std::int64_t pairs) {
  const auto wide = at::TensorOptions().dtype(at::kDouble);
  const at::Tensor inverse = at::pow(1e4, -at::arange(pairs, wide) / static_cast<double>(pairs));
  const at::Tensor angle = at::outer(at::arange(positions, wide), inverse);
  return {angle.cos().to(kGpu, at::kFloat), angle.sin().to(kGpu, at::kFloat)};
}

void checkRotary(const CudaKernels& kernels, Report& report) {
  for (const at::ScalarType type : kTypes) {
    for (const std::int64_t headDim : {8, 64, 128}) {
      for (const std::int64_t tokens : {1, 7, 300}) {
        const std::string name = std::string("rotary kernel ") + at::toString(type) + " D " +
                                 std::to_string(headDim) + " T " + std::to_string(tokens);
        // Six heads inside a wider projection: strided, like q in a fused q, k, v.
        const at::Tensor wide =
            at::randn({tokens, 10, headDim}, at::TensorOptions().device(kGpu)).to(type);
        const at::Tensor x = wide.narrow(1, 2, 6);
        const at::Tensor untouched = wide.clone();
        const auto angles = tables(tokens + 5, headDim / 2);
        const at::Tensor wanted = rope::rotate(x, angles, 5);
        if (const Status done = rotateInPlace(kernels, x, angles, 5); !done) {
          report.fail(name, done.error().message);
          continue;
        }
        report.check(name, (x.to(at::kDouble) - wanted.to(at::kDouble)).abs().max().item<double>(),
                     0.0, "the same products, each rounded: bit-equal");
        untouched.narrow(1, 2, 6).copy_(wanted);
        report.check(name + " neighbours",
                     (wide.to(at::kDouble) - untouched.to(at::kDouble)).abs().max().item<double>(),
                     0.0, "nothing beside x is written");
      }
    }
  }
}

struct MapShape {
  std::string name;
  std::int64_t tokens;
  std::int64_t headDim;
  TokenRange queries;
  TokenRange keys;
  int width;
  int height;
};

std::vector<MapShape> mapShapes() {
  return {{"one token", 1, 8, {0, 1}, {0, 1}, 1, 1},
          {"one cell", 1000, 64, {0, 1000}, {0, 1000}, 1, 1},
          {"7 cells", 1000, 64, {0, 1000}, {0, 1000}, 7, 7},
          {"a cell per token", 300, 64, {0, 300}, {0, 300}, 300, 300},
          {"ragged", 1000, 96, {37, 995}, {3, 611}, 53, 91},
          {"one query", 1000, 128, {999, 1000}, {0, 1000}, 512, 1},
          {"future", 500, 64, {0, 100}, {200, 500}, 9, 9},
          {"long", 4096, 128, {0, 4096}, {0, 4096}, 512, 512}};
}

// A head on the GPU, rows of q and k spaced as in a wider tensor, and its dense weights in double.
struct HeadOnGpu {
  MapRows rows;
  at::Tensor weights;  // [n, n] float64 on the CPU, 0 where masked
};

HeadOnGpu makeHead(const MapShape& shape, at::ScalarType type) {
  const auto options = at::TensorOptions().device(kGpu);
  const at::Tensor both = at::randn({shape.tokens, 3, shape.headDim}, options).mul_(1.7).to(type);
  HeadOnGpu head;
  head.rows.q = both.select(1, 0);
  head.rows.k = both.select(1, 2);
  const at::Tensor q = head.rows.q.to(at::kCPU).to(at::kDouble);
  const at::Tensor k = head.rows.k.to(at::kCPU).to(at::kDouble);
  at::Tensor scores = at::mm(q, k.t()) / std::sqrt(static_cast<double>(shape.headDim));
  const at::Tensor future =
      at::ones({shape.tokens, shape.tokens}, at::TensorOptions().dtype(at::kBool)).triu(1);
  scores.masked_fill_(future, -INFINITY);
  head.rows.lse = at::logsumexp(scores, 1).to(at::kFloat).to(kGpu);
  head.weights = at::softmax(scores, 1).contiguous();
  return head;
}

std::vector<float> densePicture(const at::Tensor& weights, const MapRequest& r) {
  const double* values = weights.const_data_ptr<double>();
  const std::int64_t n = weights.size(1);
  std::vector<float> picture;
  for (int row = 0; row < r.height; ++row) {
    for (int column = 0; column < r.width; ++column) {
      double largest = 0.0;
      double sum = 0.0;
      std::int64_t pairs = 0;
      for (auto i = cellBegin(r.queries, r.height, row);
           i < cellBegin(r.queries, r.height, row + 1); ++i) {
        for (auto j = cellBegin(r.keys, r.width, column);
             j < cellBegin(r.keys, r.width, column + 1) && j <= i; ++j) {
          largest = std::max(largest, values[i * n + j]);
          sum += values[i * n + j];
          ++pairs;
        }
      }
      const double value = r.reducer == Reducer::Max ? largest : sum / static_cast<double>(pairs);
      picture.push_back(pairs == 0 ? NAN : static_cast<float>(value));
    }
  }
  return picture;
}

Result<std::vector<float>> kernelPicture(const CudaKernels& kernels, const MapRequest& request,
                                         const MapRows& rows) {
  const at::Tensor picture = at::zeros({request.height, request.width},
                                       at::TensorOptions().device(kGpu).dtype(at::kFloat));
  // Two slices of rows; the second gets its own queries alone.
  const int middle = request.height / 2;
  if (Status first = drawMapRows(kernels, request, rows, 0, middle, picture); !first) {
    return first.error();
  }
  MapRows rest = rows;
  rest.firstQuery = cellBegin(request.queries, request.height, middle);
  const std::int64_t left = rows.q.size(0) - rest.firstQuery;
  rest.q = rows.q.narrow(0, rest.firstQuery, left);
  rest.lse = rows.lse.narrow(0, rest.firstQuery, left);
  if (Status second = drawMapRows(kernels, request, rest, middle, request.height, picture);
      !second) {
    return second.error();
  }
  const at::Tensor onCpu = picture.to(at::kCPU);
  const float* values = onCpu.const_data_ptr<float>();
  return std::vector<float>(values, values + onCpu.numel());
}

void checkMapKernel(const CudaKernels& kernels, Report& report) {
  constexpr double kWeights = 1e-4;  // float32 scores of size 30, dense reference in double
  for (const MapShape& shape : mapShapes()) {
    for (const at::ScalarType type : kTypes) {
      const HeadOnGpu head = makeHead(shape, type);
      for (const Reducer reducer : {Reducer::Max, Reducer::Mean}) {
        const MapRequest request{0,      0, shape.queries, shape.keys, shape.width, shape.height,
                                 reducer};
        const std::string name = "map kernel " + shape.name + " " + at::toString(type) + " " +
                                 std::string(reducerName(reducer));
        const auto found = kernelPicture(kernels, request, head.rows);
        if (!found) {
          report.fail(name, found.error().message);
          continue;
        }
        report.check(name, mapDifference(*found, densePicture(head.weights, request)), kWeights,
                     "float32 scores against a dense softmax in double");
      }
    }
  }
}

// No check: how long a picture of a long context takes.
void timeMapKernel(const CudaKernels& kernels, Report& report) {
  constexpr std::int64_t kTokens = 65536;
  const auto options = at::TensorOptions().device(kGpu);
  MapRows rows;
  rows.q = at::randn({kTokens, 128}, options).to(at::kBFloat16);
  rows.k = at::randn({kTokens, 128}, options).to(at::kBFloat16);
  rows.lse = at::full({kTokens}, 10.0, options.dtype(at::kFloat));
  const at::Tensor picture = at::zeros({512, 512}, options.dtype(at::kFloat));
  for (const Reducer reducer : {Reducer::Max, Reducer::Mean}) {
    const MapRequest request{0, 0, {0, kTokens}, {0, kTokens}, 512, 512, reducer};
    double best = 1e9;
    for (int run = 0; run < 3; ++run) {
      waitForGpu();
      const auto begin = std::chrono::steady_clock::now();
      const Status drawn = drawMapRows(kernels, request, rows, 0, 512, picture);
      waitForGpu();
      if (!drawn) return report.fail("map kernel timing", drawn.error().message);
      const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
      best = std::min(best, taken.count());
    }
    report.info("map kernel, one head, 65,536 tokens, D 128, bfloat16, 512 x 512, " +
                std::string(reducerName(reducer)) + ": " + std::to_string(1e3 * best) + " ms");
  }
}

}  // namespace

std::string missingGpu() {
  if (dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    const char* reason = dlerror();
    return reason == nullptr ? "libtorch_cuda.so does not load" : reason;
  }
  if (!at::globalContext().hasCUDA() || at::detail::getCUDAHooks().deviceCount() == 0) {
    return "LibTorch sees no GPU";
  }
  return "";
}

void checkKernels(Report& report) {
  const auto kernels = loadCudaKernels();
  if (!kernels && kernels.error().code == ErrorCode::NotFound) {
    return report.info("kernels: " + kernels.error().message);
  }
  if (!kernels) return report.fail("kernels", kernels.error().message);
  try {
    at::manual_seed(1);
    checkRotary(*kernels, report);
    checkMapKernel(*kernels, report);
    timeMapKernel(*kernels, report);
  } catch (const c10::Error& error) {
    report.fail("kernels", error.what_without_backtrace());
  }
}

}  // namespace ropescope::gpu
