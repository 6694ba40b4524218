// bench: this machine and this model, beside the machine's own limits.
#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

#include "app/cli/commands.h"
#include "app/cli/machine.h"
#include "app/cli/text.h"
#include "core/base/memory_size.h"
#include "core/engine/probe_peak.h"

namespace ropescope::cli {
namespace {

constexpr std::int64_t kDecodeTokens = 32;
constexpr int kMapCells = 512;

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// The same ids on every machine; speed does not depend on which.
std::vector<std::int32_t> syntheticIds(std::int64_t count, int vocabularySize) {
  std::vector<std::int32_t> ids(static_cast<std::size_t>(count));
  std::uint64_t state = 1;
  for (auto& id : ids) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    id = static_cast<std::int32_t>((state >> 33U) % static_cast<std::uint64_t>(vocabularySize));
  }
  return ids;
}

// Multiplications and additions of a prefill: two per weight and token, and scores and weighted
// sums over half of the square.
double prefillOperations(const ModelConfig& c, double tokens) {
  const double attention =
      static_cast<double>(c.hiddenSize) * c.headDim * (2.0 * c.heads + 2.0 * c.kvHeads);
  const double mlp = 3.0 * c.hiddenSize * static_cast<double>(c.intermediateSize);
  const double head = static_cast<double>(c.hiddenSize) * c.vocabularySize;  // last token only
  return 2.0 * c.layers * (attention + mlp) * tokens + 2.0 * head +
         2.0 * c.layers * c.heads * static_cast<double>(c.headDim) * tokens * tokens;
}

struct Peaks {
  std::optional<double> operations;  // FLOP/s; none: interrupted before the probe
  std::optional<double> bandwidth;   // bytes/s
};

Json optionalJson(const std::optional<double>& number) {
  return number ? Json(*number) : Json(nullptr);
}

// `used` of what the machine could do.
Json share(double used, const std::optional<double>& peak) {
  return peak ? Json(used / *peak) : Json(nullptr);
}

struct Row {
  std::int64_t tokens = 0;
  double prefillSeconds = 0.0;
  double decodePerSecond = 0.0;
  double mapSeconds = 0.0;
};

Result<Peaks> measurePeaks(Run& run) {
  run.console().info("measuring the machine …");
  const auto operations = measureMatrixPeak(run.engine());
  if (!operations) return operations.error();
  const auto bandwidth = measureReadBandwidth(run.engine());
  if (!bandwidth) return bandwidth.error();
  return Peaks{*operations, *bandwidth};
}

Result<Row> measureRow(Run& run, const SessionOptions& base, std::int64_t tokens) {
  const auto ids = syntheticIds(tokens, run.engine().config().vocabularySize);
  Row row{.tokens = tokens};
  SessionOptions options = base;
  options.contextTokens = std::max(base.contextTokens, tokens + kDecodeTokens);
  {
    auto session = run.engine().newSession(options);
    if (!session) return session.error();
    auto start = Clock::now();
    const auto prefilled = (*session)->prefill({ids}, run.job());
    if (!prefilled) return prefilled.error();
    row.prefillSeconds = secondsSince(start);
    start = Clock::now();
    JobControl job = run.job();
    job.onProgress = {};
    const auto generation =
        (*session)->generate({.maxNewTokens = kDecodeTokens, .stopAtEos = false}, {}, job);
    if (!generation) return generation.error();
    if (run.stopRequested()) return Error{ErrorCode::Cancelled, "stopped"};
    // The first token comes from the prefill's logits.
    row.decodePerSecond = static_cast<double>(kDecodeTokens - 1) / secondsSince(start);
  }
  options.captureLayers = {run.engine().config().layers / 2};
  auto session = run.engine().newSession(options);
  if (!session) return session.error();
  const auto prefilled = (*session)->prefill({ids}, run.job());
  if (!prefilled) return prefilled.error();
  const auto start = Clock::now();
  const auto map = (*session)->attentionMap({.layer = options.captureLayers.front(),
                                             .head = 0,
                                             .queries = {0, tokens},
                                             .keys = {0, tokens},
                                             .width = kMapCells,
                                             .height = kMapCells},
                                            run.job());
  if (!map) return map.error();
  row.mapSeconds = secondsSince(start);
  return row;
}

// Untimed: the first run of everything pays for thread pools, pages and kernels.
Status warmUp(Run& run, const SessionOptions& base, std::int64_t shortest) {
  constexpr std::int64_t kEnough = 512;
  const auto row = measureRow(run, base, std::min(shortest, kEnough));
  if (!row) return row.error();
  return Done{};
}

void fillFields(Run& run, const std::vector<Row>& rows, const Peaks& peaks) {
  const Engine& engine = run.engine();
  Json& fields = run.fields();
  fields["machine"] = {{"processor", processorName()},
                       {"cores", std::thread::hardware_concurrency()},
                       {"device", engine.device()},
                       {"dtype", engine.dtype()},
                       {"threads", engine.threads()},
                       {"matrix_peak_flops", optionalJson(peaks.operations)},
                       {"read_bandwidth_bytes_per_second", optionalJson(peaks.bandwidth)}};
  Json prefill = Json::array();
  Json decode = Json::array();
  Json maps = Json::array();
  for (const Row& row : rows) {
    const auto tokens = static_cast<double>(row.tokens);
    const MemoryEstimate memory = engine.memoryFor(row.tokens);
    prefill.push_back({{"tokens", row.tokens},
                       {"seconds", row.prefillSeconds},
                       {"tokens_per_second", tokens / row.prefillSeconds},
                       {"share_of_matrix_peak",
                        share(prefillOperations(engine.config(), tokens) / row.prefillSeconds,
                              peaks.operations)}});
    decode.push_back(
        {{"cached", row.tokens},
         {"tokens_per_second", row.decodePerSecond},
         {"share_of_read_bandwidth",
          share(static_cast<double>(memory.weights + memory.kvCache) * row.decodePerSecond,
                peaks.bandwidth)}});
    maps.push_back({{"tokens", row.tokens}, {"seconds_per_head", row.mapSeconds}});
  }
  fields["prefill"] = std::move(prefill);
  fields["decode"] = std::move(decode);
  fields["attention_map"] = std::move(maps);
}

void printTable(Run& run) {
  const Json& fields = run.fields();
  const Json& machine = fields["machine"];
  Table table({"tokens", "prefill", "tokens/s", "of peak", "decode tokens/s", "of bandwidth",
               "map per head"});
  const auto percent = [](const Json& share) {
    return share.is_null() ? "–" : fixed(100.0 * share.get<double>(), 0) + "%";
  };
  const auto billions = [&](const char* field) {
    return machine[field].is_null() ? "–" : fixed(machine[field].get<double>() / 1e9, 1);
  };
  for (std::size_t i = 0; i < fields["prefill"].size(); ++i) {
    const Json& prefill = fields["prefill"][i];
    const Json& decode = fields["decode"][i];
    table.add({countText(prefill["tokens"].get<std::int64_t>()),
               secondsText(prefill["seconds"].get<double>()),
               fixed(prefill["tokens_per_second"].get<double>(), 0),
               percent(prefill["share_of_matrix_peak"]),
               fixed(decode["tokens_per_second"].get<double>(), 1),
               percent(decode["share_of_read_bandwidth"]),
               secondsText(fields["attention_map"][i]["seconds_per_head"].get<double>())});
  }
  const bool cached = std::any_of(
      fields["decode"].begin(), fields["decode"].end(),
      [](const Json& decode) { return decode["share_of_read_bandwidth"] > 1.0; });
  const std::string remark =
      cached ? "  (above 100%: part of the weights stays in the processor's cache)\n" : "";
  const std::string onDevice =
      fields.contains("peak_device_bytes")
          ? ", on the GPU " + bytesText(fields["peak_device_bytes"].get<std::int64_t>())
          : "";
  run.console().print(machine["processor"].get<std::string>() + ", " + run.engine().device() +
                      ", " + run.engine().dtype() + ", " + std::to_string(run.engine().threads()) +
                      " threads\n" + "  matrix peak " + billions("matrix_peak_flops") +
                      " GFLOP/s, read bandwidth " + billions("read_bandwidth_bytes_per_second") +
                      " GB/s\n\n" + table.text() + remark + "\n  peak memory " +
                      bytesText(fields["peak_rss"].get<std::int64_t>()) + onDevice + "\n");
}

}  // namespace

Status runBench(Run& run) {
  std::vector<std::int64_t> lengths = run.options().lengths;
  if (lengths.empty()) lengths = {1024, 2048, 4096};
  std::sort(lengths.begin(), lengths.end());
  const auto context = run.contextFor(lengths.back() + kDecodeTokens,
                                      "the longest measurement needs", ", or shorten --lengths");
  if (!context) return context.error();
  const auto options = run.sessionOptions(*context);
  if (!options) return options.error();
  run.settings()["lengths"] = lengths;
  run.settings()["decode_tokens"] = kDecodeTokens;
  run.settings()["map_cells"] = kMapCells;
  // Before the probes: they take memory of their own.
  std::vector<Row> rows;
  Status stopped = warmUp(run, *options, lengths.front());
  for (const auto length : lengths) {
    if (!stopped) break;
    const auto row = measureRow(run, *options, length);
    run.console().endProgress();
    if (row) {
      rows.push_back(*row);
    } else {
      stopped = row.error();
    }
  }
  if (!stopped && stopped.error().code != ErrorCode::Cancelled && rows.empty()) return stopped;
  if (!rows.empty()) run.keepResult();
  const std::int64_t peakMemory = peakResidentBytes();
  std::optional<std::int64_t> peakOnDevice;
  if (run.engine().device() != "cpu") peakOnDevice = run.engine().peakBytes();
  const auto peaks = stopped ? measurePeaks(run) : Result<Peaks>(Peaks{});
  if (!peaks) return peaks.error();
  fillFields(run, rows, *peaks);
  run.fields()["peak_rss"] = peakMemory;
  if (peakOnDevice) run.fields()["peak_device_bytes"] = *peakOnDevice;
  printTable(run);
  return stopped;
}

}  // namespace ropescope::cli
