// Experiment files in the window: saving what it holds, showing and playing what a file recorded.
#include <QDockWidget>
#include <QFileDialog>
#include <QFileInfo>
#include <QMenu>
#include <algorithm>

#include "ui/main_window.h"
#include "ui/panels/attention_panel.h"
#include "ui/panels/needle_panel.h"
#include "ui/panels/perplexity_panel.h"
#include "ui/panels/recording_panel.h"
#include "ui/text/error_text.h"

namespace ropescope::ui {
namespace {

QString fileTypes() {
  return MainWindow::tr("Experiments and pictures that carry one (*%1 *.json *.png *.svg *.pdf)")
      .arg(QLatin1String(experiment::kFileEnding));
}

}  // namespace

std::vector<QDockWidget*> MainWindow::docks() const {
  std::vector<QDockWidget*> all(m_docks.begin(), m_docks.end());
  if (m_recordingDock != nullptr) all.push_back(m_recordingDock);
  return all;
}

void MainWindow::addExperimentActions(QMenu* file) {
  file->addSeparator();
  auto* open = file->addAction(tr("Open e&xperiment …"), this, &MainWindow::askForExperiment);
  open->setStatusTip(tr("Show and play what an experiment's file, or a picture, recorded"));
  auto* save = file->addAction(tr("Sa&ve experiment …"), this, &MainWindow::askWhereToSave);
  save->setShortcut(QKeySequence::Save);
  save->setStatusTip(tr("Keep document, settings, answers, curves and maps in one file"));
}

// What the perplexity curves are measured on, taken when they are started: protocol, documents and
// the open one may be others before they are done.
void MainWindow::noteCurves() {
  const auto& model = m_perplexity->model();
  connect(&model, &PerplexityViewModel::stateChanged, this, [this, &model] {
    const bool idle = model.state() == PerplexityViewModel::State::Idle;
    if (!idle && !m_measuring) {
      m_measured = {.config = model.inputs().config(),
                    .document = m_app.document(),
                    .documents = model.inputs().documentNames()};
    }
    m_measuring = !idle;
  });
}

// Every picture carries the experiment.
void MainWindow::carryExperiments() {
  noteCurves();
  const auto measured = [this] {
    MeasuredCurves curves = m_measured;
    curves.curves = m_perplexity->model().curves();
    return curves;
  };
  const auto others = [this] {
    QStringList sentences;
    if (m_loss.scored() > 0) sentences << tr("The loss of every token.");
    const auto* needles = findChild<NeedlePanel*>();
    if (needles != nullptr && needles->table().rows() > 0) {
      sentences << tr("Needle grids: they stay in result files of their own.");
    }
    return sentences;
  };
  m_maker = new ExperimentMaker(
      m_app, m_chat, m_runner,
      {.curves = measured, .compared = [this] { return m_compare.turns(); }, .others = others},
      this);
  for (PlotPanel* panel : findChildren<PlotPanel*>()) {
    if (panel->hasCarried()) continue;
    panel->setCarried([this](const PlotPanel::TakeText& take) {
      m_maker->prepare(m_heads.head(), [this, take] {
        const auto made = makeExperiment();
        if (!made) m_notCarried = QString::fromStdString(made.error().message);
        take(made ? experiment::toText(made->experiment) : std::string());  // writes the picture
        m_notCarried.clear();
      });
    });
    connect(panel, &PlotPanel::exported, this, [this](const QString& path) {
      const QString written = tr("Written: %1").arg(path);
      showNotice(m_notCarried.isEmpty()
                     ? written
                     : tr("%1. It carries no experiment: %2.").arg(written, m_notCarried));
    });
  }
}

Result<MadeExperiment> MainWindow::makeExperiment() {
  auto made = m_maker->make();
  if (made) made->experiment.layout = saveState(kLayoutVersion).toBase64().toStdString();
  return made;
}

void MainWindow::askForExperiment() {
  const QString path = QFileDialog::getOpenFileName(this, tr("Open an experiment"), {},
                                                    fileTypes() + tr(";;All files (*)"));
  if (!path.isEmpty()) openExperiment(path);
}

void MainWindow::askWhereToSave() {
  const QString stem = m_app.document()
                           ? QString::fromStdString(m_app.document()->document.path.stem().string())
                           : QStringLiteral("experiment");
  const QString path = QFileDialog::getSaveFileName(
      this, tr("Save the experiment"), stem + QLatin1String(experiment::kFileEnding),
      tr("Experiments (*%1)").arg(QLatin1String(experiment::kFileEnding)));
  if (path.isEmpty()) return;
  saveExperiment(QFileInfo(path).suffix().isEmpty() ? path + QLatin1String(experiment::kFileEnding)
                                                    : path);
}

void MainWindow::saveExperiment(const QString& path) {
  m_maker->prepare(m_heads.head(), [this, path] {
    auto made = makeExperiment();
    if (!made) return showError(errorSentence(made.error()));
    const QStringList leftOut = made->leftOut;
    // Text and disk take longer than a frame.
    m_runner.requestView<Done>(
        QStringLiteral("experiment file %1").arg(++m_filesAsked), this,
        [kept = std::move(made->experiment), path](EngineRoom&, const JobControl&) {
          return experiment::writeExperiment(kept, path.toStdString());
        },
        [this, path, leftOut](const Status& written) {
          if (!written) return showError(errorSentence(written.error()));
          QString text = tr("Saved: %1").arg(path);
          if (!leftOut.isEmpty()) text += tr(" Not in it: ") + leftOut.join(QStringLiteral(" "));
          showNotice(text);
        });
  });
}

void MainWindow::openExperiment(const QString& path) {
  using Recorded = std::shared_ptr<const experiment::Experiment>;
  m_runner.requestView<Recorded>(
      QStringLiteral("experiment file %1").arg(++m_filesAsked), this,
      [path](EngineRoom&, const JobControl&) -> Result<Recorded> {
        auto read = experiment::readExperiment(path.toStdString());
        if (!read) return read.error();
        return std::make_shared<const experiment::Experiment>(*std::move(read));
      },
      [this, path](const Result<Recorded>& recorded) {
        if (!recorded) return showError(errorSentence(recorded.error()));
        showRecording(*recorded, path);
      });
}

void MainWindow::showRecording(const std::shared_ptr<const experiment::Experiment>& recorded,
                               const QString& path) {
  if (m_recording == nullptr) {
    m_recording = new RecordingPanel(m_app, m_runner, this);
    m_recordingDock = addDock("recordedDock", tr("Recorded experiment"), m_recording);
    for (PlotPanel* panel : m_recording->findChildren<PlotPanel*>()) {
      connect(panel, &PlotPanel::errorOccurred, this, &MainWindow::showError);
    }
  }
  m_recording->open(recorded, QFileInfo(path).fileName());
  m_recordingDock->show();
  placeRecording();
  m_recordingDock->raise();
  m_recording->setFocus();
  remember(m_settings.recentDocuments, path);
  showNotice(tr("Recorded experiment: Space plays it, Alt+Right and Alt+Left step."));
}

// Behind the attention map's tab, where there is room.
void MainWindow::placeRecording() {
  if (m_recordingDock == nullptr) return;
  m_recordingDock->setFloating(false);
  tabifyDockWidget(m_docks[Attention], m_recordingDock);
}

}  // namespace ropescope::ui
