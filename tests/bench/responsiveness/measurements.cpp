#include "tests/bench/responsiveness/measurements.h"

#include <QElapsedTimer>
#include <QLocale>
#include <algorithm>
#include <cstdio>

#include "core/lens/head_mosaic.h"
#include "core/probe/angle_table.h"
#include "ui/panels/angle_panel.h"
#include "ui/panels/attention_panel.h"
#include "ui/panels/heads_panel.h"
#include "ui/panels/view_tabs.h"

namespace ropescope::bench {
namespace {

using ui::MapView;

constexpr int kRepeats = 9;
constexpr int kFrames = 240;
constexpr int kTabMs = 700;  // every view stays in front so long while the document is read
constexpr double kPanShare = 0.01;

double seconds(const QElapsedTimer& timer) {
  return 1e-9 * static_cast<double>(timer.nsecsElapsed());
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

QString number(double value, int digits = 1) {
  return QLocale(QLocale::English).toString(value, 'f', digits);
}

QString tokensText(BenchWindow& bench) {
  return QLocale(QLocale::English).toString(static_cast<qlonglong>(bench.app().position()));
}

// The tile that the map shows next, in milliseconds: as a person sees it, and alone.
Line tile(BenchWindow& bench, const QString& what, const std::function<void(int)>& change) {
  ui::AttentionViewModel& map = bench.window().attention().model();
  std::vector<double> shown;
  std::vector<double> engine;
  for (int i = 0; i < kRepeats; ++i) {
    const auto before = map.tile();
    shown.push_back(bench.painted(
        bench.window().attention().plot(), [&] { change(i); },
        [&] { return map.tile() && map.tile() != before && !map.isLoading(); }));
    engine.push_back(bench.onEngine([request = map.tile()->request, &bench](ui::EngineRoom& room) {
      const auto again = room.session->attentionMap(request, {});
      if (!again) giveUp(QString::fromStdString(again.error().message));
    }));
  }
  const MapRequest& request = map.tile()->request;
  return {what,
          median(shown),
          median(engine),
          QStringLiteral("ms"),
          {},
          QStringLiteral("%1 x %2 cells").arg(request.width).arg(request.height)};
}

std::vector<ui::ViewTabs*> tabs(BenchWindow& bench) {
  const auto found = bench.window().findChildren<ui::ViewTabs*>();
  return {found.begin(), found.end()};
}

}  // namespace

void print(const Line& line) {
  const QString engine = line.engine < 0 ? QStringLiteral("-") : number(line.engine);
  const QString added = line.engine < 0 || line.unit != QStringLiteral("ms")
                            ? QStringLiteral("-")
                            : number(line.shown - line.engine);
  std::printf("%-44s %9s %9s %9s  %-10s %-12s %s\n", qPrintable(line.what),
              qPrintable(number(line.shown)), qPrintable(engine), qPrintable(added),
              qPrintable(line.unit), qPrintable(line.goal), qPrintable(line.note));
  std::fflush(stdout);
}

Line methodSwitch(BenchWindow& bench) {
  std::vector<double> shown;
  std::vector<double> engine;
  const auto angles = bench.app().plannedContext();
  for (int i = 0; i < kRepeats; ++i) {
    ui::MethodSettings settings = bench.app().method();
    settings.rope = {.id = i % 2 == 0 ? "yarn" : "pi", .values = {}, .factor = {}};
    QElapsedTimer alone;
    alone.start();
    const auto plan = bench.app().engine()->plan(settings.rope, angles);
    if (!plan) giveUp(QString::fromStdString(plan.error().message));
    const auto rows = angleTable(*plan, angles - 1);
    engine.push_back(1e3 * seconds(alone));
    if (rows.empty()) giveUp(QStringLiteral("the plan has no pairs"));
    shown.push_back(
        bench.painted(bench.window().angles().plot(), [&] { bench.app().applyMethod(settings); }));
  }
  return {QStringLiteral("method switch to redrawn angles"),
          median(shown),
          median(engine),
          QStringLiteral("ms"),
          QStringLiteral("50 ms"),
          {}};
}

Line angleSlider(BenchWindow& bench) {
  auto& model = bench.window().angles().model();
  QElapsedTimer timer;
  timer.start();
  for (int frame = 0; frame < kFrames; ++frame) {
    bench.painted(bench.window().angles().plot(),
                  [&] { model.setPosition(model.lastPosition() * (frame + 1) / (kFrames + 1)); });
  }
  return {QStringLiteral("angle position slider"),
          kFrames / seconds(timer),
          -1.0,
          QStringLiteral("frames/s"),
          {},
          {}};
}

std::vector<Line> mapTiles(BenchWindow& bench) {
  ui::AttentionViewModel& map = bench.window().attention().model();
  const QString length = tokensText(bench);
  std::vector<Line> lines;
  map.resetView();
  bench.idle();
  lines.push_back(tile(bench, QStringLiteral("whole map of %1 tokens, next head").arg(length),
                       [&map](int) { map.stepHead(1); }));
  const double whole = static_cast<double>(bench.app().position());
  lines.push_back(
      tile(bench, QStringLiteral("zoom to a quarter of %1 tokens").arg(length), [&](int i) {
        const double from = whole * (0.4 + 0.01 * i);
        map.setView({{from, from + whole / 4}, {from + whole / 4, from + whole / 2}});
      }));
  lines.push_back(tile(bench, QStringLiteral("zoom to 256 of %1 tokens").arg(length), [&](int i) {
    const double from = whole / 2 + 300.0 * i;
    map.setView({{from, from + 256}, {from, from + 256}});
  }));
  for (Line& line : lines) line.goal = QStringLiteral("300 ms (16k)");
  map.resetView();
  bench.idle();
  return lines;
}

Line mapPanning(BenchWindow& bench) {
  ui::AttentionViewModel& map = bench.window().attention().model();
  const double whole = static_cast<double>(bench.app().position());
  map.setView({{0, whole / 4}, {whole / 2, whole * 3 / 4}});
  bench.idle();
  QElapsedTimer timer;
  timer.start();
  double worst = 0.0;
  for (int frame = 0; frame < kFrames; ++frame) {
    // Back and forth, as a hand does.
    const double step = whole / 4 * (frame / 30 % 2 == 0 ? kPanShare : -kPanShare);
    worst = std::max(worst, bench.painted(bench.window().attention().plot(), [&] {
      MapView view = map.view();
      view.keys = {view.keys.lower + step, view.keys.upper + step};
      map.setView(view);
    }));
  }
  Line line{QStringLiteral("panning over %1 tokens").arg(tokensText(bench)),
            kFrames / seconds(timer),
            -1.0,
            QStringLiteral("frames/s"),
            QStringLiteral("60"),
            QStringLiteral("slowest frame %1 ms").arg(number(worst))};
  map.resetView();
  bench.idle();
  return line;
}

Line mosaic(BenchWindow& bench) {
  const QString what = QStringLiteral("mosaic of all heads, %1 tokens").arg(tokensText(bench));
  for (ui::ViewTabs* group : tabs(bench)) {
    auto* panel = dynamic_cast<ui::HeadsPanel*>(group->view(QStringLiteral("heads")));
    if (panel == nullptr) continue;
    const QString front = group->currentWidget()->objectName();
    QElapsedTimer timer;
    timer.start();
    group->showView(QStringLiteral("heads"));
    bench.waitUntil([panel] {
      QCoreApplication::processEvents(QEventLoop::AllEvents, 5);
      return panel->isSettled();
    });
    const double shown = 1e3 * seconds(timer);
    const MosaicGrid grid = panel->model().grid();
    const double engine = bench.onEngine([grid](ui::EngineRoom& room) {
      for (const int layer : room.session->options().captureLayers) {
        const auto band = drawMosaicBand(*room.session,
                                         {.layer = layer,
                                          .tokensPerCell = grid.tokensPerCell,
                                          .firstRow = 0,
                                          .endRow = grid.cells},
                                         {});
        if (!band) giveUp(QString::fromStdString(band.error().message));
      }
    });
    const QString note = QStringLiteral("%1 heads of %2 x %2 cells")
                             .arg(panel->model().heads() * panel->model().layers())
                             .arg(grid.cells);
    group->showView(front);
    return {what, shown, engine, QStringLiteral("ms"), {}, note};
  }
  return {what, 0.0,
          -1.0, QStringLiteral("ms"),
          {},   QStringLiteral("SKIPPED: the window has no view named heads")};
}

std::vector<Line> reading(BenchWindow& bench, WatchedApplication& program, std::int64_t tokens) {
  bench.openDocument(tokens);
  const auto length = bench.app().document()->tokens();
  const double engine = bench.onEngine([&bench](ui::EngineRoom& room) {
    auto session = room.engine->newSession(bench.app().recipe().options);
    if (!session) giveUp(QString::fromStdString(session.error().message));
    const auto done = (*session)->prefill({bench.app().document()->part.ids}, {});
    if (!done) giveUp(QString::fromStdString(done.error().message));
  });
  QTimer turn;
  int turns = 0;
  QObject::connect(&turn, &QTimer::timeout, &turn, [&] {
    ++turns;
    for (ui::ViewTabs* group : tabs(bench)) {
      if (group->count() > 0) group->setCurrentIndex(turns % group->count());
    }
  });
  turn.start(kTabMs);
  program.startWatch();
  QElapsedTimer timer;
  timer.start();
  bench.app().readDocument();
  bench.waitUntil([&bench] { return !bench.runner().isBusy(); });
  const double shown = 1e3 * seconds(timer);
  const Blocked blocked = program.stopWatch();
  turn.stop();
  for (ui::ViewTabs* group : tabs(bench)) group->setCurrentIndex(0);
  bench.idle();
  const QString text = QLocale(QLocale::English).toString(static_cast<qlonglong>(length));
  return {{QStringLiteral("reading %1 tokens, all views in turn").arg(text),
           shown,
           engine,
           QStringLiteral("ms"),
           {},
           {}},
          {QStringLiteral("  longest block of the GUI thread"), blocked.beatMs, -1.0,
           QStringLiteral("ms"), QStringLiteral("50 ms"),
           QStringLiteral("between two beats of a 1 ms timer")},
          {QStringLiteral("  longest work in one event"), blocked.eventCpuMs, -1.0,
           QStringLiteral("ms"), QStringLiteral("16 ms"),
           QStringLiteral("processor time, %1; longest event by the clock %2 ms")
               .arg(blocked.event, number(blocked.eventMs))}};
}

}  // namespace ropescope::bench
