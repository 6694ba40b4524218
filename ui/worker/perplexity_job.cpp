#include "ui/worker/perplexity_job.h"

#include <map>
#include <utility>
#include <vector>

namespace ropescope::ui {
namespace {

// The newest state of each curve that changed since the last hand-over.
using Updates = std::map<std::size_t, PerplexityCurve>;

void mergeUpdates(Updates& waiting, Updates&& next) {
  for (auto& [index, curve] : next) waiting[index] = std::move(curve);
}

Status measureAll(const Engine& engine, const PerplexityOrder& order,
                  const std::function<void(Updates)>& onUpdates, const JobControl& job) {
  std::vector<CurveSettings> settings;
  for (const std::string& text : order.curves) {
    auto parsed = parseCurve(text, engine);
    if (!parsed) return parsed.error();
    settings.push_back(*std::move(parsed));
  }
  for (std::size_t i = 0; i < settings.size(); ++i) {
    const auto onUpdate = [&](const PerplexityCurve& curve) { onUpdates({{i, curve}}); };
    const auto curve =
        measureCurve(engine, settings[i], order.documents, order.config, onUpdate, job);
    if (!curve) return curve.error();
    onUpdates({{i, *curve}});
  }
  return Done{};
}

}  // namespace

void startPerplexity(EngineRunner& runner, QObject* receiver, const PerplexityOrder& order,
                     const PerplexityViewModel::Sinks& sinks) {
  const auto onUpdates = runner.stream<Updates>(
      receiver,
      [onCurve = sinks.onCurve](const Updates& updates) {
        for (const auto& [index, curve] : updates) onCurve(index, curve);
      },
      mergeUpdates);
  runner.startLong<Done>(
      receiver, Lane::Sweep, SameLane::Replace,
      [order, onUpdates](EngineRoom& room, const JobControl& job) -> Status {
        if (!room.engine) {
          return Error{ErrorCode::InvalidArgument, "no model is loaded; open a model folder first"};
        }
        return measureAll(*room.engine, order, onUpdates, job);
      },
      sinks.onDone);
}

}  // namespace ropescope::ui
