#include "ui/main_window.h"

#include <QApplication>
#include <QCloseEvent>
#include <QDockWidget>
#include <QDragEnterEvent>
#include <QDropEvent>
#include <QFileInfo>
#include <QLabel>
#include <QMessageBox>
#include <QMimeData>
#include <QStatusBar>
#include <QTimer>
#include <QToolBar>
#include <QUrl>

#include "ui/panels/chat_panel.h"
#include "ui/panels/compare_panel.h"
#include "ui/panels/document_panel.h"
#include "ui/panels/method_panel.h"
#include "ui/panels/model_panel.h"
#include "ui/panels/needle_panel.h"
#include "ui/panels/plot_panel.h"
#include "ui/panels/status_panel.h"
#include "ui/panels/view_tabs.h"
#include "ui/presenter.h"

namespace ropescope::ui {
namespace {

constexpr int kWidth = 1600;  // pixels of a first start
constexpr int kHeight = 980;
constexpr int kNoticeMs = 15000;

}  // namespace

MainWindow::MainWindow(WindowParts parts, QWidget* parent)
    : QMainWindow(parent),
      m_runner(parts.runner),
      m_app(parts.app),
      m_chat(parts.chat),
      m_theme(parts.theme),
      m_store(parts.store),
      m_samples(std::move(parts.samples)),
      m_resources(std::move(parts.resources)),
      m_results(parts.results.empty() ? needleFolder() : std::move(parts.results)),
      m_settings(m_store.load()),
      m_document(m_app),
      m_method(m_app),
      m_model(m_app),
      m_compare(m_app, m_chat, m_runner),
      m_reading({m_app, m_chat, m_document, m_runner, m_heads}),
      m_loss(m_app, m_runner) {
  setObjectName(QStringLiteral("mainWindow"));
  setWindowTitle(tr("RopeScope"));
  setAcceptDrops(true);
  setDockNestingEnabled(true);
  addModelBar();
  addContextBar();
  addDocks();
  followFocus();
  addStatusBar();
  addFileMenu();
  addRunMenu();
  addSlotMenu();
  addViewMenu();
  addWindowMenu();
  addHelpMenu();
  connectApp();
  connectReading();
  resize(kWidth, kHeight);
  restoreDefaultLayout();
  restoreGeometry(m_settings.windowGeometry);
  if (!restoreState(m_settings.windowState, kLayoutVersion)) {
    QTimer::singleShot(0, this, &MainWindow::shareSpace);  // sizes are known once it is shown
  }
}

MainWindow::~MainWindow() = default;

void MainWindow::addModelBar() {
  auto* bar = addToolBar(tr("Model"));
  bar->setObjectName(QStringLiteral("modelBar"));
  bar->setMovable(false);
  bar->setContextMenuPolicy(Qt::PreventContextMenu);
  auto* panel = new ModelPanel(m_model, bar);
  bar->addWidget(panel);
  connect(panel, &ModelPanel::openRequested, this, &MainWindow::openModel);
}

QDockWidget* MainWindow::addDock(const QString& name, const QString& title, QWidget* content) {
  auto* dock = new QDockWidget(title, this);
  dock->setObjectName(name);
  dock->setWidget(content);
  content->setAccessibleName(title);
  addDockWidget(Qt::LeftDockWidgetArea, dock);
  return dock;
}

void MainWindow::addDocks() {
  m_chatPanel = new ChatPanel(m_app, m_chat, m_document, this);
  addAttentionViews();
  addAngleViews();
  addPerplexityViews();
  m_docks[Document] =
      addDock("documentDock", tr("Document"), new DocumentPanel(m_document, m_shading, this));
  m_docks[Method] = addDock("methodDock", tr("Method"), new MethodPanel(m_method, this));
  m_docks[Chat] = addDock("chatDock", tr("Chat"), m_chatPanel);
  m_docks[Attention] = addDock("attentionDock", tr("Attention"), m_attentionViews);
  m_docks[Angles] = addDock("anglesDock", tr("Rotation angles"), m_angleViews);
  m_comparePanel = new ComparePanel(m_app, m_compare, this);
  m_docks[Compare] = addDock("compareDock", tr("Compare"), m_comparePanel);
  m_docks[Perplexity] = addDock("perplexityDock", tr("Perplexity"), m_perplexityViews);
}

// Text on the left, the question beside it, the three pictures on the right.
void MainWindow::restoreDefaultLayout() {
  for (auto* dock : m_docks) {
    dock->setFloating(false);
    dock->show();
    removeDockWidget(dock);
  }
  const auto place = [this](Dock dock) {
    addDockWidget(Qt::LeftDockWidgetArea, m_docks[dock], Qt::Horizontal);
    m_docks[dock]->show();
  };
  place(Document);
  place(Chat);
  place(Attention);
  splitDockWidget(m_docks[Chat], m_docks[Method], Qt::Vertical);
  splitDockWidget(m_docks[Attention], m_docks[Angles], Qt::Vertical);
  splitDockWidget(m_docks[Angles], m_docks[Perplexity], Qt::Horizontal);
  for (auto* dock : m_docks) dock->show();
  tabifyDockWidget(m_docks[Chat], m_docks[Compare]);
  m_docks[Compare]->hide();  // until it is wanted; then it stands in front of the chat
  placeRecording();
  shareSpace();
}

void MainWindow::shareSpace() {
  const int available = width();
  resizeDocks({m_docks[Document], m_docks[Chat], m_docks[Attention]},
              {available * 22 / 100, available * 24 / 100, available * 54 / 100}, Qt::Horizontal);
  resizeDocks({m_docks[Chat], m_docks[Method]}, {height() * 46 / 100, height() * 54 / 100},
              Qt::Vertical);
  resizeDocks({m_docks[Attention], m_docks[Angles]}, {height() * 52 / 100, height() * 48 / 100},
              Qt::Vertical);
  resizeDocks({m_docks[Angles], m_docks[Perplexity]}, {available * 27 / 100, available * 27 / 100},
              Qt::Horizontal);
}

void MainWindow::addStatusBar() {
  m_notice = new QLabel(this);
  m_notice->setAccessibleName(tr("Notice"));
  statusBar()->setObjectName(QStringLiteral("statusBar"));
  m_slotText = new QLabel(this);
  m_slotText->setAccessibleName(tr("Settings in use"));
  statusBar()->addPermanentWidget(m_slotText);
  statusBar()->addPermanentWidget(new StatusPanel(m_runner, this));
}

void MainWindow::connectApp() {
  connect(&m_app, &AppModel::errorOccurred, this, &MainWindow::showError);
  connect(&m_app, &AppModel::notice, this, [this](const QString& sentence) {
    if (m_app.position() == 0) m_unreadNotice = sentence;
    showNotice(sentence);
  });
  // What was said of a session before it read anything ("not read yet") is over once it does.
  connect(&m_app, &AppModel::sessionAdvanced, this, [this](qint64 position) {
    if (position > 0 && statusBar()->currentMessage() == m_unreadNotice) {
      statusBar()->clearMessage();
    }
  });
  connect(&m_app, &AppModel::documentChanged, this, &MainWindow::adoptDocument);
  connect(&m_app, &AppModel::documentChanged, &m_tokens, &TokenChoice::clear);
  connect(&m_app, &AppModel::slotsChanged, this, &MainWindow::showSlots);
  connect(&m_app, &AppModel::modelChanged, this, [this] {
    remember(m_settings.recentModels, QString::fromStdString(m_app.engine()->folder().string()));
  });
  connect(m_comparePanel, &ComparePanel::errorOccurred, this, &MainWindow::showError);
  for (PlotPanel* panel : findChildren<PlotPanel*>()) {
    connect(panel, &PlotPanel::errorOccurred, this, &MainWindow::showError);
  }
  carryExperiments();
}

void MainWindow::adoptDocument() {
  const auto& path = m_app.document()->document.path;
  const QString shown = QString::fromStdString(path.string());
  setWindowFilePath(shown);
  setWindowTitle(tr("%1 – RopeScope").arg(QFileInfo(shown).fileName()));
  const QStringList questions = questionsFor(m_samples, path);
  m_chatPanel->setSuggestions(questions);
  m_comparePanel->setQuestion(questions.value(0));
  // A prompt of a measurement is no file that could be opened again.
  if (QFileInfo::exists(shown)) remember(m_settings.recentDocuments, shown);
}

void MainWindow::openPath(const QString& path) {
  const std::filesystem::path native = path.toStdString();
  if (QFileInfo(path).isDir()) {
    m_app.loadModel(native);
  } else if (experiment::mayBeExperiment(native)) {
    openExperiment(path);
  } else {
    m_app.openDocument(native);
  }
}

void MainWindow::showError(const QString& sentence) {
  statusBar()->showMessage(sentence);
  if (!isVisible()) return;
  auto* box =
      new QMessageBox(QMessageBox::Warning, tr("RopeScope"), sentence, QMessageBox::Ok, this);
  box->setObjectName(QStringLiteral("errorBox"));
  box->setAttribute(Qt::WA_DeleteOnClose);
  box->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
  box->open();  // not exec(): the window goes on
}

void MainWindow::showNotice(const QString& sentence) {
  statusBar()->showMessage(sentence, kNoticeMs);
}

void MainWindow::setTheme(ThemeChoice choice) {
  m_settings.theme = choice;
  m_theme.apply(choice);
}

void MainWindow::closeEvent(QCloseEvent* event) {
  m_presenter->leave();  // the layout to remember is the one before
  m_runner.stopAll();
  if (m_remembers) {
    m_settings.windowGeometry = saveGeometry();
    m_settings.windowState = saveState(kLayoutVersion);
    m_store.save(m_settings);
  }
  event->accept();
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
  const auto urls = event->mimeData()->urls();
  if (urls.size() == 1 && urls.front().isLocalFile()) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
  const auto urls = event->mimeData()->urls();
  if (urls.size() != 1 || !urls.front().isLocalFile()) return;
  event->acceptProposedAction();
  openPath(urls.front().toLocalFile());
}

}  // namespace ropescope::ui
