#include "ui/viewmodels/run_again.h"

#include <algorithm>

#include "ui/text/curve_title.h"
#include "ui/text/error_text.h"
#include "ui/text/number_text.h"

namespace ropescope::ui {

using experiment::Difference;
using experiment::Rerun;

RunAgain::RunAgain(AppModel& app, EngineRunner& runner, QObject* parent)
    : QObject(parent),
      m_app(app),
      m_runner(runner) {}

RunAgain::~RunAgain() {
  stop();  // nobody is left to see the result
}

void RunAgain::setExperiment(std::shared_ptr<const experiment::Experiment> recorded) {
  stop();
  m_recorded = std::move(recorded);
  m_differences.clear();
  say({});
}

void RunAgain::start() {
  if (!canStart()) return;
  const experiment::Plan& plan = m_recorded->plan;
  if (!m_app.engine()) {
    say(tr("No model is loaded. Open the folder of %1 first (File > Open model folder), then run "
           "it "
           "again.")
            .arg(QString::fromStdString(plan.model)));
    return;
  }
  m_differences.clear();
  m_running = true;
  say(tr("Running …"));
  const auto begun = m_runner.stream<std::string>(
      this, [this, all = plan.settings.size()](const std::string& setting) {
        if (!m_running) return;
        const auto& settings = m_recorded->plan.settings;
        const auto index = std::find(settings.begin(), settings.end(), setting) - settings.begin();
        say(tr("Setting %1 of %2: %3 …").arg(index + 1).arg(all).arg(settingTitle(setting)));
      });
  m_runner.startLong<Rerun>(
      this, Lane::Sweep, SameLane::Queue,
      [recorded = m_recorded, begun, bundled = m_app.calibrationsFolder()](
          EngineRoom& room, const JobControl& job) -> Result<Rerun> {
        if (!room.engine) return Error{ErrorCode::InvalidArgument, "no model is loaded"};
        return runAgain(*room.engine, *recorded, bundled, begun, job);
      },
      [this, recorded = m_recorded](const Result<Rerun>& now) {
        if (recorded == m_recorded) finish(now);
      });
}

void RunAgain::stop() {
  if (!m_running) return;
  m_running = false;
  m_runner.stop(Lane::Sweep);
  say(tr("Stopped. Half a run is not compared."));
}

void RunAgain::finish(const Result<Rerun>& now) {
  if (!m_running) return;  // stopped
  m_running = false;
  if (!now) {
    say(now.error().code == ErrorCode::Cancelled ? tr("Stopped. Half a run is not compared.")
                                                 : errorSentence(now.error()));
    return;
  }
  m_differences = compare(m_recorded->results, now->results, now->failed);
  const auto others = std::count_if(m_differences.begin(), m_differences.end(),
                                    [](const Difference& line) { return !line.agrees; });
  QString text =
      others == 0
          ? tr("All that was recorded came out again: %1 values compared.")
                .arg(m_differences.size())
          : tr("%1 of %2 values came out differently.").arg(others).arg(m_differences.size());
  const std::string dtype = m_app.engine() ? m_app.engine()->dtype() : std::string();
  if (others > 0 && dtype != m_recorded->plan.dtype) {
    text += QStringLiteral(" ") +
            tr("Recorded in %1, run in %2: numbers differ for that alone.")
                .arg(QString::fromStdString(m_recorded->plan.dtype), QString::fromStdString(dtype));
  }
  if (!now->failed.empty()) {
    const auto& first = now->failed.front();
    text += QStringLiteral(" ") + tr("Settings that could not be run: %1, the first: %2")
                                      .arg(now->failed.size())
                                      .arg(QString::fromStdString(first.why));
  }
  say(text);
}

void RunAgain::say(const QString& text) {
  m_text = text;
  Q_EMIT changed();
}

PlotTable RunAgain::table() const {
  TableColumn setting{.title = tr("setting")};
  TableColumn what{.title = tr("what")};
  TableColumn agrees{.title = tr("same")};
  TableColumn recorded{.title = tr("recorded")};
  TableColumn now{.title = tr("now")};
  for (const Difference& line : m_differences) {
    setting.texts << settingTitle(line.setting);
    what.texts << QString::fromStdString(line.what);
    agrees.texts << (line.agrees ? tr("yes") : tr("NO"));
    recorded.texts << QString::fromStdString(line.recorded).simplified();
    now.texts << QString::fromStdString(line.now).simplified();
  }
  return {{setting, what, agrees, recorded, now}};
}

}  // namespace ropescope::ui
