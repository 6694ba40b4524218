// psc bench: how fast calibrations are trained here, beside the machine's own matrix peak.
#include <algorithm>
#include <thread>

#include "app/cli/commands.h"
#include "app/cli/machine.h"
#include "app/cli/text.h"
#include "core/base/memory_size.h"
#include "core/calibration/training_speed.h"
#include "core/engine/probe_peak.h"

namespace ropescope::cli {
namespace {

constexpr int kRepeats = 3;

using calibration::TrainingSpeed;

// Bytes per token by which memory grew from the shortest length to the longest: what is fixed
// cancels. Lengths ascend, so each peak is that length's own.
Json memoryGrowth(const std::vector<TrainingSpeed>& speeds) {
  const TrainingSpeed& first = speeds.front();
  const TrainingSpeed& last = speeds.back();
  if (first.tokens == last.tokens) return nullptr;
  return static_cast<double>(last.peakBytes - first.peakBytes) /
         static_cast<double>(last.tokens - first.tokens);
}

void fillFields(Run& run, const std::vector<TrainingSpeed>& speeds, const Json& peak) {
  Json rows = Json::array();
  for (const TrainingSpeed& speed : speeds) {
    const double operations = speed.operations / speed.seconds;
    rows.push_back({{"tokens", speed.tokens},
                    {"seconds", speed.seconds},
                    {"tokens_per_second", static_cast<double>(speed.tokens) / speed.seconds},
                    {"flops", operations},
                    {"share_of_matrix_peak",
                     peak.is_null() ? Json(nullptr) : Json(operations / peak.get<double>())},
                    {peakName(run.engine()), speed.peakBytes}});
  }
  run.fields()["machine"] = {
      {"processor", processorName()},      {"cores", std::thread::hardware_concurrency()},
      {"device", run.engine().device()},   {"dtype", run.engine().dtype()},
      {"threads", run.engine().threads()}, {"matrix_peak_flops", peak}};
  run.fields()["training"] = std::move(rows);
  run.fields()["bytes_per_token"] = memoryGrowth(speeds);
}

void print(Run& run) {
  const Json& machine = run.fields()["machine"];
  const Json& peak = machine["matrix_peak_flops"];
  Table table({"tokens", "seconds", "tokens/s", "GFLOP/s", "of peak", "peak memory"});
  for (const Json& row : run.fields()["training"]) {
    const Json& share = row["share_of_matrix_peak"];
    table.add({countText(row["tokens"].get<std::int64_t>()), fixed(row["seconds"].get<double>(), 2),
               fixed(row["tokens_per_second"].get<double>(), 0),
               fixed(row["flops"].get<double>() / 1e9, 0),
               share.is_null() ? "–" : fixed(100.0 * share.get<double>(), 0) + "%",
               bytesText(row[peakName(run.engine())].get<std::int64_t>())});
  }
  const Json& growth = run.fields()["bytes_per_token"];
  run.console().print(
      machine["processor"].get<std::string>() + ", " + run.engine().device() + ", " +
      run.engine().dtype() + ", " + std::to_string(run.engine().threads()) + " threads\n" +
      "  one step: PSC and LoRA of rank 8, one window, best of " + std::to_string(kRepeats) +
      "\n  matrix peak " + (peak.is_null() ? "–" : fixed(peak.get<double>() / 1e9, 0)) +
      " GFLOP/s\n\n" + table.text() +
      (growth.is_null() ? ""
                        : "\n  memory grows by " + fixed(growth.get<double>() / 1024.0, 1) +
                              " KiB per token\n"));
}

}  // namespace

Status runPscBench(Run& run) {
  std::vector<std::int64_t> lengths = run.options().lengths;
  if (lengths.empty()) lengths = {1024, 4096, 16384};
  std::sort(lengths.begin(), lengths.end());
  const auto choice = run.methodChoice();
  if (!choice) return choice.error();
  const auto plan = run.plan(lengths.back());
  if (!plan) return plan.error();
  run.settings()["lengths"] = lengths;
  run.settings()["repeats"] = kRepeats;
  std::vector<TrainingSpeed> speeds;
  for (const auto length : lengths) {
    const auto speed =
        calibration::measureTrainingStep(run.engine(), *choice, length, kRepeats, run.job());
    run.console().endProgress();
    if (!speed && speed.error().code == ErrorCode::Cancelled && !speeds.empty()) break;
    if (!speed) return speed.error();
    speeds.push_back(*speed);
  }
  Json peak = nullptr;
  if (!run.stopRequested()) {
    const auto measured = measureMatrixPeak(run.engine());
    if (!measured) return measured.error();
    peak = *measured;
  }
  fillFields(run, speeds, peak);
  run.keepResult();
  print(run);
  return Done{};
}

}  // namespace ropescope::cli
