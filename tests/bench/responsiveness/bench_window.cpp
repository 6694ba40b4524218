#include "tests/bench/responsiveness/bench_window.h"

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QFile>
#include <cstdio>
#include <cstdlib>

#include "ui/panels/attention_panel.h"

namespace ropescope::bench {
namespace {

constexpr int kWidth = 1600;  // pixels
constexpr int kHeight = 1000;
constexpr std::int64_t kHeadTokens = 64;  // of the prompt around the document

double milliseconds(const QElapsedTimer& timer) {
  return 1e-6 * static_cast<double>(timer.nsecsElapsed());
}

}  // namespace

void giveUp(const QString& sentence) {
  std::fprintf(stderr, "responsiveness: %s\n", qPrintable(sentence));
  std::exit(1);
}

BenchWindow::BenchWindow(const std::filesystem::path& model) {
  QObject::connect(&m_app, &ui::AppModel::errorOccurred, &m_app, giveUp);
  m_window = std::make_unique<ui::MainWindow>(
      ui::WindowParts{m_runner, m_app, m_chat, m_theme, m_store, {}});
  m_window->dontRemember();
  m_window->resize(kWidth, kHeight);
  m_window->show();
  m_app.loadModel(model);
  waitUntil([this] { return !m_runner.isBusy() && m_app.engine(); });
}

void BenchWindow::openDocument(std::int64_t tokens) {
  QFile sample(QStringLiteral(ROPESCOPE_RESOURCES_DIR "/samples/02-boat-race.txt"));
  if (!sample.open(QIODevice::ReadOnly)) giveUp(QStringLiteral("the longer sample is not there"));
  const QByteArray text = sample.readAll();
  const auto tokenizer = m_app.engine()->tokenizer();
  if (!tokenizer) giveUp(QString::fromStdString(tokenizer.error().message));
  const auto perText = static_cast<double>((*tokenizer)->encode(text.toStdString()).ids.size());
  const double texts = static_cast<double>(tokens - kHeadTokens) / perText;
  QByteArray whole;
  while (static_cast<double>(whole.size()) < texts * static_cast<double>(text.size())) {
    whole += text;
  }
  whole.truncate(static_cast<qsizetype>(texts * static_cast<double>(text.size())));
  const QString path = m_folder.filePath(QStringLiteral("text-%1.txt").arg(tokens));
  QFile file(path);
  if (!file.open(QIODevice::WriteOnly)) giveUp(path + QStringLiteral(" cannot be written"));
  file.write(whole);
  file.close();
  m_app.openDocument(path.toStdString());
  waitUntil([this] { return !m_runner.isBusy() && m_app.document(); });
}

void BenchWindow::read() {
  m_app.readDocument();
  idle();
}

void BenchWindow::waitUntil(const std::function<bool()>& done) {
  while (!done()) QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents);
}

void BenchWindow::idle() {
  waitUntil([this] { return !m_runner.isBusy() && !m_window->attention().model().isLoading(); });
  QElapsedTimer quiet;
  quiet.start();
  // Timers that follow the last change ask for their pictures now.
  while (quiet.elapsed() < 400 || m_window->attention().model().isLoading()) {
    QCoreApplication::processEvents(QEventLoop::AllEvents, 10);
  }
}

double BenchWindow::painted(QCustomPlot* plot, const std::function<void()>& change,
                            const std::function<bool()>& ready) {
  class PaintWatch : public QObject {
   public:
    bool eventFilter(QObject* watched, QEvent* event) override {
      if (event->type() == QEvent::Paint) seen = true;
      return QObject::eventFilter(watched, event);
    }
    bool seen = false;
  } watch;
  plot->installEventFilter(&watch);
  QElapsedTimer timer;
  timer.start();
  change();
  if (ready) waitUntil(ready);
  watch.seen = false;
  waitUntil([&watch] { return watch.seen; });
  return milliseconds(timer);
}

double BenchWindow::onEngine(const std::function<void(ui::EngineRoom&)>& work) {
  double took = -1.0;
  m_runner.requestView<double>(
      QStringLiteral("bench"), &m_app,
      [work](ui::EngineRoom& room, const JobControl&) -> Result<double> {
        QElapsedTimer timer;
        timer.start();
        work(room);
        return milliseconds(timer);
      },
      [&took](const Result<double>& measured) { took = *measured; });
  waitUntil([&took] { return took >= 0.0; });
  return took;
}

}  // namespace ropescope::bench
