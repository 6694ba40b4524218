#include "ui/panels/status_panel.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QProgressBar>
#include <QToolButton>

#include "ui/text/number_text.h"

namespace ropescope::ui {
namespace {

constexpr int kBarSteps = 1000;
constexpr int kBarWidth = 160;
constexpr double kRateAfterSeconds = 0.5;  // earlier ones mean nothing

QString stageText(const std::string& stage) {
  if (stage == "prefill") return StatusPanel::tr("Reading");
  if (stage == "decode") return StatusPanel::tr("Answering");
  if (stage == "perplexity" || stage == "score") return StatusPanel::tr("Measuring perplexity");
  if (stage == "map") return StatusPanel::tr("Drawing the map");
  if (stage == "load" || stage == "weights") return StatusPanel::tr("Loading the model");
  return QString::fromStdString(stage);
}

}  // namespace

StatusPanel::StatusPanel(EngineRunner& runner, QWidget* parent)
    : QWidget(parent),
      m_runner(runner),
      m_text(new QLabel(this)),
      m_bar(new QProgressBar(this)),
      m_stop(new QToolButton(this)) {
  m_text->setAccessibleName(tr("Progress"));
  m_bar->setRange(0, kBarSteps);
  m_bar->setFixedWidth(kBarWidth);
  m_bar->setTextVisible(false);
  m_stop->setText(tr("Stop"));
  m_stop->setToolTip(tr("Stop everything the engine is doing (Esc)"));
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(0, 0, 0, 0);
  row->addWidget(m_text);
  row->addWidget(m_bar);
  row->addWidget(m_stop);
  connect(&m_runner, &EngineRunner::progressed, this,
          [this](Lane, const Progress& progress) { showProgress(progress); });
  connect(&m_runner, &EngineRunner::busyChanged, this, &StatusPanel::showBusy);
  connect(m_stop, &QToolButton::clicked, &m_runner, &EngineRunner::stopAll);
  showBusy();
}

void StatusPanel::showProgress(const Progress& progress) {
  if (progress.stage != m_stage || progress.done < m_lastDone) {
    m_stage = progress.stage;
    m_firstDone = progress.done;
    m_sinceStage.start();
  }
  m_lastDone = progress.done;
  QString text = stageText(progress.stage);
  if (progress.total > 0) {
    text += tr(": %1 of %2").arg(tokensText(progress.done), tokensText(progress.total));
  } else if (progress.done > 0) {
    text += tr(": %1").arg(tokensText(progress.done));
  }
  const double seconds = static_cast<double>(m_sinceStage.elapsed()) / 1000.0;
  const std::int64_t done = progress.done - m_firstDone;
  if (seconds > kRateAfterSeconds && done > 0) {
    text += QStringLiteral(", ") + rateText(done, seconds);
    if (progress.total > progress.done) {
      const double left = seconds * static_cast<double>(progress.total - progress.done) /
                          static_cast<double>(done);
      text += tr(", %1 left").arg(secondsText(left));
    }
  }
  m_text->setText(text);
  m_bar->setRange(0, progress.total > 0 ? kBarSteps : 0);  // 0: it moves without an end
  if (progress.total > 0) {
    m_bar->setValue(static_cast<int>(progress.done * kBarSteps / progress.total));
  }
}

void StatusPanel::showBusy() {
  const bool busy = m_runner.isBusy();
  setVisible(busy);
  if (busy) return;
  m_stage.clear();
  m_lastDone = 0;
  m_text->setText(tr("Ready"));
}

}  // namespace ropescope::ui
