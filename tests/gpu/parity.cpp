// The GPU against the CPU: losses, chunks, greedy ids, attention maps, and the kernels alone.
//   gpu_parity --text FILE MODEL...    exit 0: all held, 1: some did not, 2: arguments, 77: no GPU
//   gpu_parity --self --text FILE MODEL...    the CPU against itself: tests this program, needs no
//   GPU
#include <cstdio>
#include <string>
#include <vector>

#include "core/base/file_io.h"
#include "tests/gpu/engine_parity.h"
#include "tests/gpu/kernel_parity_torch.h"

namespace {

constexpr int kSkipped = 77;
constexpr int kBadArguments = 2;

struct Arguments {
  bool self = false;
  std::string text;
  std::vector<std::string> models;
};

Arguments readArguments(int count, char** values) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    const std::string value = values[i];
    if (value == "--self") {
      arguments.self = true;
    } else if (value == "--text" && i + 1 < count) {
      arguments.text = values[++i];
    } else {
      arguments.models.push_back(value);
    }
  }
  return arguments;
}

}  // namespace

int main(int count, char** values) {
  using namespace ropescope;
  const Arguments arguments = readArguments(count, values);
  if (arguments.text.empty() || arguments.models.empty()) {
    std::fprintf(stderr, "gpu_parity [--self] --text FILE MODEL...\n");
    return kBadArguments;
  }
  if (!arguments.self) {
    if (const std::string missing = gpu::missingGpu(); !missing.empty()) {
      std::printf("SKIPPED: no CUDA device (%s)\n", missing.c_str());
      return kSkipped;
    }
  }
  const auto text = readFile(arguments.text);
  if (!text) {
    std::fprintf(stderr, "%s\n", text.error().message.c_str());
    return kBadArguments;
  }
  gpu::Report report;
  if (!arguments.self) gpu::checkKernels(report);
  for (const std::string& model : arguments.models) {
    gpu::ParityInput input{.model = model, .text = *text};
    if (arguments.self) {
      input.device = "cpu";
      input.halfTypes = {"bfloat16"};  // a CPU has no float16
    }
    gpu::checkModel(input, report);
  }
  std::printf("%d checks, %d failed\n", report.checks(), report.failures());
  return report.failures() == 0 ? 0 : 1;
}
