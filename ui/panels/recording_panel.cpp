#include "ui/panels/recording_panel.h"

#include <QAbstractButton>
#include <QApplication>
#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QShortcut>
#include <QToolButton>

#include "core/experiment/experiment.h"
#include "ui/panels/panel_text.h"
#include "ui/panels/recording_pages.h"
#include "ui/panels/view_tabs.h"
#include "ui/text/number_text.h"

namespace ropescope::ui {

using Kind = RecordingStep::Kind;

RecordingPanel::RecordingPanel(AppModel& app, EngineRunner& runner, QWidget* parent)
    : QWidget(parent),
      m_again(app, runner),
      m_title(wrappedLabel(this)),
      m_about(wrappedLabel(this)),
      m_position(wrappedLabel(this)),
      m_previous(new QToolButton(this)),
      m_play(new QToolButton(this)),
      m_next(new QToolButton(this)),
      m_pace(new QComboBox(this)),
      m_views(new ViewTabs(this)),
      m_document(new RecordedTextPage(this)),
      m_answers(new RecordedAnswersPage(this)),
      m_map(new RecordedMapPanel(this)),
      m_angles(new RecordedAnglesPanel(this)),
      m_curves(new RecordedCurvesPanel(this)),
      m_differences(new RunAgainPage(m_again, this)) {
  setBold(m_title);
  setMuted(m_about);
  m_about->setAccessibleName(tr("What was recorded"));
  m_position->setAccessibleName(tr("Step of the demonstration"));
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(6, 6, 6, 6);
  layout->setSpacing(6);
  layout->addWidget(m_title);
  layout->addWidget(m_about);
  layout->addLayout(makeControls());
  layout->addWidget(m_views, 1);
  addViews();
  connectPlayer();
}

QHBoxLayout* RecordingPanel::makeControls() {
  m_previous->setText(tr("◀ Previous"));
  m_previous->setToolTip(tr("The step before (Alt+Left)"));
  m_previous->setShortcut(tr("Alt+Left"));
  m_next->setText(tr("Next ▶"));
  m_next->setToolTip(tr("The next step (Alt+Right)"));
  m_next->setShortcut(tr("Alt+Right"));
  m_play->setObjectName(QStringLiteral("playRecording"));
  m_play->setToolTip(tr("Play what was recorded from here on, or pause (Space)"));
  m_pace->addItems({tr("steady pace"), tr("recorded pace")});
  m_pace->setAccessibleName(tr("Pace"));
  m_pace->setToolTip(tr("Steady: 12 tokens a second. Recorded: as fast as the model wrote."));
  auto* row = new QHBoxLayout;
  row->setSpacing(6);
  for (QWidget* control : {static_cast<QWidget*>(m_previous), static_cast<QWidget*>(m_play),
                           static_cast<QWidget*>(m_next), static_cast<QWidget*>(m_pace)}) {
    row->addWidget(control);
  }
  row->addWidget(m_position, 1);
  return row;
}

void RecordingPanel::addViews() {
  m_views->addView(QStringLiteral("document"), tr("Document"), tr("What the model read"),
                   m_document);
  m_views->addView(QStringLiteral("answers"), tr("Answers"),
                   tr("Questions, recorded answers and the log-probability of every token"),
                   m_answers);
  m_views->addView(QStringLiteral("map"), tr("Map"), tr("The recorded attention map"), m_map);
  m_views->addView(QStringLiteral("angles"), tr("Angles"),
                   tr("Scale, wavelength and angle under every recorded setting"), m_angles);
  m_views->addView(QStringLiteral("curves"), tr("Curves"),
                   tr("Recorded perplexity against context length"), m_curves);
  m_views->addView(QStringLiteral("differences"), tr("Run again"),
                   tr("Run it with the loaded model and compare"), m_differences);
}

void RecordingPanel::connectPlayer() {
  connect(m_previous, &QToolButton::clicked, &m_player, &RecordingPlayer::previous);
  connect(m_next, &QToolButton::clicked, &m_player, &RecordingPlayer::next);
  connect(m_play, &QToolButton::clicked, &m_player, &RecordingPlayer::toggle);
  connect(m_pace, &QComboBox::activated, &m_player,
          [this](int index) { m_player.setRecordedPace(index == 1); });
  connect(&m_player, &RecordingPlayer::experimentChanged, this, &RecordingPanel::showExperiment);
  connect(&m_player, &RecordingPlayer::stepChanged, this, &RecordingPanel::showStep);
  connect(&m_player, &RecordingPlayer::advanced, this, &RecordingPanel::showParts);
  connect(&m_player, &RecordingPlayer::playingChanged, this, &RecordingPanel::showPlaying);
  auto* space = new QShortcut(Qt::Key_Space, this);
  space->setContext(Qt::WidgetWithChildrenShortcut);
  connect(space, &QShortcut::activated, this, &RecordingPanel::playOrPress);
  // Exported pictures of these views carry the file that they show.
  for (PlotPanel* panel : {static_cast<PlotPanel*>(m_map), static_cast<PlotPanel*>(m_angles),
                           static_cast<PlotPanel*>(m_curves)}) {
    panel->setCarried([this](const PlotPanel::TakeText& take) {
      take(experiment() ? experiment::toText(*experiment()) : std::string());
    });
  }
  showPlaying();
}

// Space presses a button that has the focus, as everywhere else.
void RecordingPanel::playOrPress() {
  auto* button = qobject_cast<QAbstractButton*>(QApplication::focusWidget());
  if (button != nullptr && button != m_play) {
    button->click();
  } else {
    m_player.toggle();
  }
}

void RecordingPanel::open(RecordedExperiment recorded, const QString& name) {
  m_name = name;
  m_again.setExperiment(recorded);
  m_player.setExperiment(std::move(recorded));
}

void RecordingPanel::showExperiment() {
  const RecordedExperiment& recorded = m_player.experiment();
  const experiment::Plan& plan = recorded->plan;
  m_title->setText(tr("Recorded: %1").arg(m_name));
  m_about->setText(tr("%1 in %2, trained at %3 tokens, planned for %4; settings: %5, questions: %6. "
                      "Nothing here is "
                      "computed now; it was recorded by RopeScope %7.")
                       .arg(QString::fromStdString(plan.model), QString::fromStdString(plan.dtype),
                            tokensText(plan.trainedLength), tokensText(plan.contextTokens))
                       .arg(recorded->results.size())
                       .arg(plan.questions.size())
                       .arg(QString::fromStdString(recorded->program)));
  m_document->show(QString::fromStdString(plan.documentName),
                   QString::fromStdString(plan.documentText));
  m_angles->show(recorded);
  for (const RecordingStep& step : m_player.steps()) {
    if (step.kind == Kind::Map) m_map->show(recorded, step.setting, step.index, step.parts);
  }
  const auto has = [this](Kind kind) {
    return std::any_of(m_player.steps().begin(), m_player.steps().end(),
                       [kind](const RecordingStep& step) { return step.kind == kind; });
  };
  m_views->setTabEnabled(m_views->indexOf(m_map), has(Kind::Map));
  m_views->setTabEnabled(m_views->indexOf(m_angles), has(Kind::Angles));
  m_views->setTabEnabled(m_views->indexOf(m_curves), has(Kind::Curves));
  showParts();
  m_views->setCurrentWidget(has(Kind::Answer) ? static_cast<QWidget*>(m_answers) : m_document);
}

void RecordingPanel::showStep() {
  switch (m_player.step()->kind) {
    case Kind::Document:
      m_views->setCurrentWidget(m_document);
      break;
    case Kind::Map:
      m_views->setCurrentWidget(m_map);
      break;
    case Kind::Answer:
      m_views->setCurrentWidget(m_answers);
      break;
    case Kind::Angles:
      m_views->setCurrentWidget(m_angles);
      break;
    case Kind::Curves:
      m_views->setCurrentWidget(m_curves);
      break;
  }
}

void RecordingPanel::showParts() {
  const RecordedExperiment& recorded = m_player.experiment();
  if (!recorded) return;
  m_position->setText(m_player.positionText());
  m_answers->show(m_player);
  const RecordingStep& now = *m_player.step();
  if (now.kind == Kind::Map) {
    m_map->show(recorded, now.setting, now.index, m_player.shownParts());
  }
  for (std::size_t i = 0; i < m_player.steps().size(); ++i) {
    if (m_player.steps()[i].kind == Kind::Curves) {
      m_curves->show(recorded, m_player.shownParts(i));
    }
  }
}

void RecordingPanel::showPlaying() {
  m_play->setText(m_player.isPlaying() ? tr("Pause") : tr("Play"));
  m_play->setAccessibleName(m_play->text());
}

}  // namespace ropescope::ui
