#include "tests/gpu/engine_parity.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <vector>

#include "core/engine/engine.h"
#include "tests/gpu/calibration_parity_torch.h"
#include "tests/gpu/map_parity.h"
#include "tests/gpu/model_run.h"

namespace ropescope::gpu {
namespace {

struct Difference {
  double largest = 0.0;
  double mean = 0.0;
};

// NaN when one of them has a NaN or another length: fails every check.
Difference difference(const std::vector<double>& a, const std::vector<double>& b) {
  const double nan = std::nan("");
  if (a.size() != b.size() || a.empty()) return {nan, nan};
  Difference found;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double distance = std::abs(a[i] - b[i]);
    if (std::isnan(distance)) return {nan, nan};
    found.largest = std::max(found.largest, distance);
    found.mean += distance / static_cast<double>(a.size());
  }
  return found;
}

// Losses are of size 1 to 10 nats, logits of size 20; sums run in another order.
constexpr double kFloat32Losses = 1e-3;
constexpr double kFloat64Losses = 1e-8;
// Two bfloat16 runs differ from the exact losses by different roundings: the largest of some
// hundred varies, the mean hardly. float16 rounds eight times finer and must do no worse.
constexpr double kLargestShare = 3.0;
constexpr double kMeanShare = 1.5;
constexpr double kHalfLargest = 0.1;  // nats, at least
constexpr double kHalfMean = 0.005;

std::vector<Method> methods() {
  return {{"none", std::nullopt}, {"pi", 2.0}, {"ntk", 2.0}, {"dynamic", 2.0}, {"yarn", 2.0}};
}

class ModelParity {
 public:
  ModelParity(const ParityInput& input, ModelRuns& runs, Report& report)
      : m_input(input),
        m_runs(runs),
        m_report(report),
        m_name(input.model.filename().string() + " ") {}

  void losses() {
    for (const Method& method : methods()) {
      const std::string name = m_name + method.id + " losses ";
      const auto exact = scored({"cpu", "float64"}, method, name);
      if (!exact) continue;
      compareLosses({m_input.device, "float64"}, method, *exact, name, kFloat64Losses,
                    "float64 rounding");
      compareLosses({m_input.device, "float32"}, method, *exact, name, kFloat32Losses,
                    "float32 rounding, sums in another order");
      if (!m_input.halfTypes.empty()) halfLosses(method, *exact, name);
    }
  }

  void chunks() {
    const Method yarn{"yarn", 2.0};
    const Placed gpu{m_input.device, "float32"};
    const auto whole = m_runs.score(gpu, yarn, std::int64_t{1} << 20);
    if (!whole) return m_report.fail(m_name + "chunks", whole.error().message);
    for (const std::int64_t chunk : {64, 100, 512}) {
      const std::string name = m_name + "chunks of " + std::to_string(chunk) + " against one";
      const auto chunked = m_runs.score(gpu, yarn, chunk);
      if (!chunked) {
        m_report.fail(name, chunked.error().message);
        continue;
      }
      m_report.check(name, difference(*chunked, *whole).largest, kFloat32Losses,
                     "float32 rounding, merged parts");
    }
  }

  // No check: how the chunk size tells on a GPU, which small chunks leave idle.
  void chunkTimes() {
    using Clock = std::chrono::steady_clock;
    constexpr std::int64_t kTokens = 32768;
    const auto engine = m_runs.engine({m_input.device, "bfloat16"});
    if (!engine) return m_report.fail(m_name + "chunk times", engine.error().message);
    std::vector<std::int32_t> ids;
    for (std::int64_t i = 0; i < kTokens; ++i) {
      ids.push_back(m_runs.ids()[static_cast<std::size_t>(i) % m_runs.ids().size()]);
    }
    for (const std::int64_t chunk : {512, 512, 2048, 8192, 32768}) {  // the first warms up
      SessionOptions options;
      options.rope.id = "yarn";
      options.contextTokens = kTokens;
      options.chunkTokens = chunk;
      const auto session = (*engine)->newSession(options);
      if (!session) return m_report.fail(m_name + "chunk times", session.error().message);
      const auto start = Clock::now();
      if (const auto read = (*session)->prefill({ids}, {}); !read) {
        return m_report.fail(m_name + "chunk times", read.error().message);
      }
      const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
      m_report.info(m_name + "prefill of 32,768 tokens, bfloat16, chunks of " +
                    std::to_string(chunk) + ": " + std::to_string(1e3 * seconds) + " ms");
    }
  }

  void greedy() {
    constexpr double kNearTie = 1e-2;  // nats between the two ids, by the CPU's float64
    const Method yarn{"yarn", 2.0};
    const std::string name = m_name + "greedy ids";
    const auto cpu = m_runs.greedy({"cpu", "float32"}, yarn);
    if (!cpu) return m_report.fail(name, cpu.error().message);
    const auto gpu = m_runs.greedy({m_input.device, "float32"}, yarn);
    if (!gpu) return m_report.fail(name, gpu.error().message);
    const auto [a, b] = std::mismatch(cpu->begin(), cpu->end(), gpu->begin(), gpu->end());
    if (a == cpu->end() && b == gpu->end()) {
      return m_report.check(name, 0.0, kNearTie, std::to_string(cpu->size()) + " ids, all equal");
    }
    if (a == cpu->end() || b == gpu->end()) return m_report.fail(name, "one run ended earlier");
    const std::vector<std::int32_t> common(cpu->begin(), a);
    const auto gap = m_runs.lossGap(common, *a, *b, yarn);
    if (!gap) return m_report.fail(name, gap.error().message);
    m_report.check(name, *gap, kNearTie,
                   "near-tie in nats where the ids part, after " + std::to_string(common.size()));
  }

 private:
  std::optional<std::vector<double>> scored(const Placed& where, const Method& method,
                                            const std::string& name) {
    auto losses = m_runs.score(where, method, 0);
    if (losses) return *std::move(losses);
    m_report.fail(name + placedText(where), losses.error().message);
    return std::nullopt;
  }

  void compareLosses(const Placed& where, const Method& method, const std::vector<double>& exact,
                     const std::string& name, double tolerance, const std::string& reason) {
    const auto found = scored(where, method, name);
    if (!found) return;
    m_report.check(name + placedText(where), difference(*found, exact).largest, tolerance, reason);
  }

  void halfLosses(const Method& method, const std::vector<double>& exact, const std::string& name) {
    const auto onCpu = scored({"cpu", "bfloat16"}, method, name);
    if (!onCpu) return;
    const Difference usual = difference(*onCpu, exact);
    const std::string reason = "against bfloat16 on the CPU";
    for (const std::string& type : m_input.halfTypes) {
      const Placed where{m_input.device, type};
      const auto found = scored(where, method, name);
      if (!found) continue;
      const Difference now = difference(*found, exact);
      m_report.check(name + placedText(where), now.largest,
                     kHalfLargest + kLargestShare * usual.largest, reason);
      m_report.check(name + placedText(where) + " mean", now.mean,
                     kHalfMean + kMeanShare * usual.mean, reason);
    }
  }

  const ParityInput& m_input;
  ModelRuns& m_runs;
  Report& m_report;
  std::string m_name;
};

}  // namespace

void checkModel(const ParityInput& input, Report& report) {
  auto runs = ModelRuns::prepare(input.model, input.text);
  if (!runs) return report.fail(input.model.filename().string(), runs.error().message);
  ModelParity parity(input, *runs, report);
  parity.losses();
  parity.chunks();
  parity.greedy();
  if (input.device != "cpu") parity.chunkTimes();
  checkMaps(input, *runs, report);
  checkCalibration(input, *runs, report);
}

}  // namespace ropescope::gpu
