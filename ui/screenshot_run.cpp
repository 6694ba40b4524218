#include "ui/screenshot_run.h"

#include <QDir>
#include <QDockWidget>
#include <QFile>
#include <QPixmap>
#include <algorithm>
#include <cstdio>

#include "ui/panels/angle_panel.h"
#include "ui/panels/attention_panel.h"
#include "ui/panels/heads_panel.h"
#include "ui/panels/perplexity_panel.h"
#include "ui/panels/view_page.h"
#include "ui/panels/view_tabs.h"
#include "ui/picture_colors.h"
#include "ui/plots/plot_style.h"
#include "ui/presenter.h"

namespace ropescope::ui {
namespace {

constexpr int kTickMs = 100;
constexpr int kPatience = 6000;   // ticks of one step: 10 minutes
constexpr int kSettleTicks = 15;  // layouts, queued replots
constexpr int kColors = 256;      // no eye sees the difference; a third of the bytes
// A head of the bundled model that shows the rotation itself: bands at equal distances.
constexpr int kLayer = 2;
constexpr int kHead = 2;

QString dockName(const QDockWidget* dock) {
  return dock->objectName().remove(QStringLiteral("Dock"));
}

}  // namespace

ScreenshotRun::ScreenshotRun(MainWindow& window, AppModel& app, ChatModel& chat, QString question,
                             QString folder, QObject* parent)
    : QObject(parent),
      m_window(window),
      m_app(app),
      m_chat(chat),
      m_question(std::move(question)),
      m_folder(std::move(folder)) {
  connect(&m_app, &AppModel::errorOccurred, this, &ScreenshotRun::fail);
  connect(&m_timer, &QTimer::timeout, this, &ScreenshotRun::advance);
  m_timer.start(kTickMs);
}

void ScreenshotRun::advance() {
  if (++m_ticks > kPatience) return fail(tr("The pictures took longer than ten minutes."));
  const Step before = m_step;
  switch (m_step) {
    case Step::Load:
      if (!m_app.plan() || !m_app.document() || m_app.document()->part.ids.empty()) return;
      m_window.attention().model().setLayer(kLayer);
      m_window.attention().model().setHead(kHead);
      m_chat.ask(m_question);
      m_step = Step::Answer;
      break;
    case Step::Answer:
      // A failed answer has no picture to wait for.
      if (!m_chat.turns().empty() && m_chat.turns().back().state == ChatTurn::State::Failed) {
        return fail(m_chat.turns().back().problem);
      }
      if (!answered()) return;
      measure();
      m_step = Step::Measure;
      break;
    case Step::Measure:
      if (!measured()) return;
      m_step = Step::Settle;
      break;
    case Step::Settle:
      if (m_ticks < kSettleTicks || !m_window.attention().isSettled()) return;
      save();
      if (m_step == Step::Done) return;
      keepExperiment();
      m_step = Step::Record;
      break;
    case Step::Record:
      if (!recorded()) return;
      collectViews();
      m_step = Step::Views;
      break;
    case Step::Views:
      if (!viewsSaved() || m_step == Step::Done) return;
      collectScenes();
      m_step = Step::Scenes;
      break;
    case Step::Scenes:
      if (!scenesSaved() || m_step == Step::Done) return;
      m_step = Step::Done;
      m_timer.stop();
      emit finished(0);
      break;
    case Step::Done:
      break;
  }
  if (m_step != before) m_ticks = 0;
}

bool ScreenshotRun::answered() {
  return !m_chat.isBusy() && !m_chat.turns().empty() && m_window.attention().model().tile();
}

void ScreenshotRun::measure() {
  m_window.angles().model().setPosition(m_app.document()->tokens());
  m_window.perplexity().model().start();
  if (auto* heads = m_window.findChild<HeadsPanel*>()) heads->findRetrievalHeads();
}

bool ScreenshotRun::measured() {
  const auto& model = m_window.perplexity().model();
  const auto* heads = m_window.findChild<HeadsPanel*>();
  const bool searching = heads && heads->isSearching();  // the reading view averages what is found
  return model.state() == PerplexityViewModel::State::Idle && !searching && m_ticks > 1;
}

bool ScreenshotRun::write(QWidget* widget, const QString& name) {
  const bool dark = themeOf(m_window.palette()) == PlotTheme::Dark;
  const QString path =
      QDir(m_folder).filePath(name + (dark ? QStringLiteral("-dark.png") : QStringLiteral(".png")));
  if (fewerColors(widget->grab().toImage(), kColors).save(path)) return true;
  fail(tr("%1 cannot be written; name a folder that can.").arg(path));
  return false;
}

void ScreenshotRun::save() {
  if (m_window.perplexity().model().hasFailed() || m_window.perplexity().model().curves().empty()) {
    return fail(m_window.perplexity().model().statusText());
  }
  if (!QDir().mkpath(m_folder)) return fail(tr("%1: the folder cannot be made.").arg(m_folder));
  if (!write(&m_window, QStringLiteral("window"))) return;
  for (QDockWidget* dock : m_window.docks()) {
    // Those come with the views.
    if (dock->isHidden() || dynamic_cast<ViewTabs*>(dock->widget())) continue;
    if (!write(dock, dockName(dock))) return;
  }
}

void ScreenshotRun::collectViews() {
  for (QDockWidget* dock : m_window.docks()) {
    auto* tabs = dock->findChild<ViewTabs*>();
    if (!tabs && dock->isHidden() && dynamic_cast<ViewPage*>(dock->widget()) != nullptr) {
      m_views.push_back({dock, nullptr, {}, dockName(dock)});
    }
    if (!tabs) continue;
    const QStringList names = tabs->names();
    for (const QString& name : names) {
      // The first view is the dock's own picture.
      const bool plain = tabs == dock->widget() && name == names.front();
      m_views.push_back({dock, tabs, name, dockName(dock) + (plain ? QString() : u'-' + name)});
    }
  }
  std::reverse(m_views.begin(), m_views.end());
}

// An example may replace the session (PSC's does), and views show what the answer's tokens read.
bool ScreenshotRun::answerIsCurrent() {
  if (m_chat.isBusy() || m_app.isAnswering()) return false;
  const ChatTurn& turn = m_chat.turns().back();
  if (turn.state == ChatTurn::State::Failed) {
    fail(turn.problem);
    return false;
  }
  if (turn.session == m_app.sessionSerial() && m_app.position() > 0) return true;
  m_chat.ask(m_question);
  return false;
}

// One picture after the other: a view that is not in front does not ask for its data.
bool ScreenshotRun::viewsSaved() {
  if (m_views.empty()) return true;
  const View view = m_views.back();
  QWidget* shown = view.tabs ? view.tabs->view(view.name) : view.dock->widget();
  auto* page = dynamic_cast<ViewPage*>(shown);
  if (!m_inFront) {
    if (!answerIsCurrent()) return false;
    view.dock->show();
    view.dock->raise();
    if (view.tabs) view.tabs->showView(view.name);
    if (page) page->showExample();
    m_inFront = true;
    m_ticks = 0;
  }
  if (m_ticks < kSettleTicks || (page && !page->isSettled())) return false;
  m_views.pop_back();
  m_inFront = false;
  m_ticks = 0;
  return write(view.dock, view.picture) && m_views.empty();
}

void ScreenshotRun::keepExperiment() {
  m_experiment = m_temporary.filePath(QStringLiteral("lesson.ropescope"));
  m_window.saveExperiment(m_experiment);
}

bool ScreenshotRun::recorded() {
  if (!m_experiment.isEmpty() && QFile::exists(m_experiment)) {
    m_window.openExperiment(m_experiment);
    m_experiment.clear();
  }
  return m_experiment.isEmpty() && m_window.recording() != nullptr;
}

void ScreenshotRun::collectScenes() {
  for (const WindowLayout& layout : namedLayouts()) {
    m_scenes.push_back({QStringLiteral("layout-") + layout.name.toLower(),
                        [this, layout] { m_window.useLayout(layout); },
                        [this] { m_window.restoreDefaultLayout(); }});
  }
  m_scenes.push_back({QStringLiteral("presenter"),
                      [this] {
                        m_window.restoreDefaultLayout();
                        m_window.attention().setFocus();
                        m_window.presenter().start();
                      },
                      [this] { m_window.presenter().leave(); }});
  std::reverse(m_scenes.begin(), m_scenes.end());
}

bool ScreenshotRun::scenesSaved() {
  if (m_scenes.empty()) return true;
  const Scene& scene = m_scenes.back();
  if (m_ticks == 1) scene.begin();
  if (m_ticks < kSettleTicks) return false;
  const bool written = write(&m_window, scene.name);
  scene.end();
  m_scenes.pop_back();
  m_ticks = 0;
  return written && m_scenes.empty();
}

void ScreenshotRun::fail(const QString& why) {
  m_timer.stop();
  m_step = Step::Done;
  std::fprintf(stderr, "%s\n", qPrintable(why));
  emit finished(1);
}

}  // namespace ropescope::ui
