#include "tests/gpu/calibration_parity_torch.h"

#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <unistd.h>

#include "core/calibration/gradient_torch.h"
#include "core/calibration/trainable_torch.h"
#include "core/engine/engine_torch.h"
#include "core/model/guard_torch.h"

namespace ropescope::gpu {
namespace {

using calibration::Trainable;
using Gradients = std::map<std::string, at::Tensor>;

const calibration::TrainableShape kShape{.loraRank = 4, .loraAlpha = 16.0, .phase = true};
const Method kYarn{"yarn", 2.0};

// Removed at the end.
class RandomCalibration {
 public:
  static Result<RandomCalibration> make(const ModelConfig& config) {
    constexpr double kSize = 0.15;  // against 1 / sqrt(inputs): moves losses by tenths of a nat
    const at::NoGradGuard noGrad;
    at::manual_seed(1);
    Trainable random = Trainable::fresh(
        config, kShape, {.device = at::Device(at::kCPU), .dtype = at::kFloat}, /*seed=*/1);
    for (auto& [name, master] : random.masters()) {
      const double inputs = static_cast<double>(master.size(master.dim() - 1));
      master = at::randn(master.sizes()) * (kSize / std::sqrt(inputs));
    }
    RandomCalibration made;
    made.m_path = std::filesystem::temp_directory_path() /
                  ("ropescope-parity-" + std::to_string(::getpid()) + ".safetensors");
    const Status saved = calibration::writeTensors(made.path(), random.masters(), at::kFloat, {});
    if (!saved) return saved.error();
    return made;
  }
  RandomCalibration(RandomCalibration&& other) noexcept : m_path(std::exchange(other.m_path, {})) {}
  ~RandomCalibration() {
    std::error_code ignored;
    if (!m_path.empty()) std::filesystem::remove(m_path, ignored);
  }
  const std::filesystem::path& path() const { return m_path; }

 private:
  RandomCalibration() = default;
  std::filesystem::path m_path;
};

struct TrainingResult {
  double loss = 0.0;
  Gradients gradients;  // float64 on the CPU
};

// |found - exact| / |exact| over all tensors as one vector; NaN when names differ.
double relativeDistance(const Gradients& found, const Gradients& exact) {
  double square = 0.0;
  double size = 0.0;
  if (found.size() != exact.size()) return std::nan("");
  for (const auto& [name, wanted] : exact) {
    const auto here = found.find(name);
    if (here == found.end()) return std::nan("");
    square += (here->second - wanted).square().sum().item<double>();
    size += wanted.square().sum().item<double>();
  }
  return std::sqrt(square / size);
}

class CalibrationParity {
 public:
  CalibrationParity(const ParityInput& input, ModelRuns& runs, RandomCalibration file,
                    Report& report)
      : m_input(input),
        m_runs(runs),
        m_file(std::move(file)),
        m_report(report),
        m_name(input.model.filename().string() + " ") {}

  void losses() {
    constexpr double kFloat32Losses = 1e-3;  // as without a calibration
    constexpr double kMoved = 0.01;          // nats, mean: ten times the tolerance below
    const std::string name = m_name + "yarn losses with PSC and LoRA ";
    const auto plain = m_runs.score({"cpu", "float64"}, kYarn, 512);
    const auto exact = scored({"cpu", "float64"});
    const auto found = scored({m_input.device, "float32"});
    if (!plain) return m_report.fail(name, plain.error().message);
    if (!exact) return m_report.fail(name, exact.error().message);
    if (!found) return m_report.fail(name, found.error().message);
    const Distance moved = distance(*exact, *plain);
    m_report.check(name + "differ from without", moved.mean >= kMoved ? 0.0 : 1.0, 0.0,
                   "they do by " + std::to_string(moved.mean) + " nats on average");
    m_report.check(name + m_input.device + " float32", distance(*found, *exact).largest,
                   kFloat32Losses, "float32 rounding, sums in another order");
  }

  void training() {
    const std::string name = m_name + "training step ";
    const auto exact = trained({"cpu", "float64"});
    if (!exact) return m_report.fail(name + "cpu float64", exact.error().message);
    constexpr double kFloat32 = 1e-3;  // 24-bit sums over some thousand terms, two passes
    compareTraining({m_input.device, "float32"}, *exact, {kFloat32, kFloat32}, "float32 rounding");
    const auto onCpu = trained({"cpu", "bfloat16"});
    if (!onCpu) return m_report.fail(name + "cpu bfloat16", onCpu.error().message);
    constexpr double kShare = 1.5;      // other roundings of the same size
    constexpr double kHalfLoss = 5e-3;  // as the mean loss without training
    const double usual = relativeDistance(onCpu->gradients, exact->gradients);
    compareTraining({m_input.device, "bfloat16"}, *exact, {kHalfLoss, kShare * usual},
                    "gradient: 1.5 times bfloat16 on the CPU");
  }

 private:
  struct Distance {
    double largest = 0.0;
    double mean = 0.0;
  };
  static Distance distance(const std::vector<double>& a, const std::vector<double>& b) {
    if (a.size() != b.size() || a.empty()) return {std::nan(""), std::nan("")};
    const auto options = at::TensorOptions().dtype(at::kDouble);
    const auto size = static_cast<std::int64_t>(a.size());
    const at::Tensor difference = (at::from_blob(const_cast<double*>(a.data()), {size}, options) -
                                   at::from_blob(const_cast<double*>(b.data()), {size}, options))
                                      .abs();
    return {difference.max().item<double>(), difference.mean().item<double>()};
  }

  Result<std::vector<double>> scored(const Placed& where) {
    const auto engine = m_runs.engine(where);
    if (!engine) return engine.error();
    const auto loaded = (*engine)->loadCalibration(m_file.path(), OriginCheck::Ignore);
    if (!loaded) return loaded.error();
    SessionOptions options;
    options.rope.id = kYarn.id;
    options.rope.factor = kYarn.factor;
    options.contextTokens = static_cast<std::int64_t>(m_runs.ids().size());
    options.calibration = *loaded;
    const auto session = (*engine)->newSession(options);
    if (!session) return session.error();
    auto score = (*session)->score(m_runs.ids(), {}, {});
    if (!score) return score.error();
    return std::move(score->nll);
  }

  Result<TrainingResult> trained(const Placed& where) {
    const auto engine = m_runs.engine(where);
    if (!engine) return engine.error();
    return guardTorch("a training step", [&]() -> Result<TrainingResult> {
      const Engine::State& e = (*engine)->state();
      const std::vector<std::int32_t>& ids = m_runs.ids();
      const auto tokens = static_cast<std::int64_t>(ids.size()) - 1;
      rope::MethodChoice choice;
      choice.id = kYarn.id;
      choice.factor = kYarn.factor;
      const auto plan = (*engine)->plan(choice, tokens);
      if (!plan) return plan.error();
      const auto tables =
          rope::rotaryTables(*plan, tokens, e.placement.device,
                             e.placement.dtype == at::kDouble ? at::kDouble : at::kFloat);
      Trainable trainable = Trainable::fresh(e.config, kShape, e.placement, /*seed=*/1);
      if (const auto taken = trainable.takeFrom(m_file.path()); !taken) return taken.error();
      const DecoderContext context{.config = e.config,
                                   .weights = e.weights,
                                   .tables = tables,
                                   .calibration = &trainable.refresh()};
      const calibration::TrainingWindow window{.inputs = {ids.begin(), ids.end() - 1},
                                               .targets = {ids.begin() + 1, ids.end()}};
      TrainingResult result{.loss = calibration::backwardThroughWindow(context, window),
                            .gradients = {}};
      Gradients sums;
      trainable.collectGradients(sums, 1.0);
      for (const auto& [name, sum] : sums) {
        result.gradients[name] = sum.to(at::kCPU, at::kDouble);
      }
      return result;
    });
  }

  struct Tolerances {  // relative
    double loss = 0.0;
    double gradient = 0.0;
  };
  void compareTraining(const Placed& where, const TrainingResult& exact,
                       const Tolerances& tolerances, const std::string& reason) {
    const std::string name = m_name + "training step " + placedText(where) + " ";
    const auto found = trained(where);
    if (!found) return m_report.fail(name, found.error().message);
    m_report.check(name + "loss", std::abs(found->loss - exact.loss) / exact.loss, tolerances.loss,
                   "relative; " + reason);
    m_report.check(name + "gradient", relativeDistance(found->gradients, exact.gradients),
                   tolerances.gradient, "relative; " + reason);
    const auto again = trained(where);
    if (!again) return m_report.fail(name + "again", again.error().message);
    m_report.check(name + "again", relativeDistance(again->gradients, found->gradients), 0.0,
                   "the same input gives the same bits");
  }

  const ParityInput& m_input;
  ModelRuns& m_runs;
  RandomCalibration m_file;
  Report& m_report;
  std::string m_name;
};

}  // namespace

void checkCalibration(const ParityInput& input, ModelRuns& runs, Report& report) {
  auto file = RandomCalibration::make(runs.config());
  if (!file) return report.fail("a random calibration", file.error().message);
  CalibrationParity parity(input, runs, *std::move(file), report);
  parity.losses();
  parity.training();
}

}  // namespace ropescope::gpu
