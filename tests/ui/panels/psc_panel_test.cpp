// The PSC inspector on the bundled model and its calibrations.
#include "ui/panels/psc_panel.h"

#include <gtest/gtest.h>

#include "tests/ui/live_app.h"
#include "ui/plots/psc_plot.h"

namespace ropescope::ui {
namespace {

std::filesystem::path resources() {
  return ROPESCOPE_RESOURCES_DIR;
}

struct PscWindow {
  LiveApp live;
  HeadChoice heads;
  TokenChoice tokens;
  PscPanel panel{{live.app, live.runner, heads, tokens}};

  PscWindow() {
    live.app.setCalibrationsFolder(resources() / "calibrations");
    panel.resize(430, 420);
    panel.show();
    live.app.loadModel(resources() / "models/bookworm-11m");
    live.idle();
    live.open(20);
    const ModelConfig& config = live.app.engine()->config();
    heads.setModelShape(config.layers, config.heads);
    heads.setHead({2, 1});
  }
  PscViewModel& model() { return panel.model(); }
  void calibrate() {
    panel.use(panel.offered().front());
    live.idle();
    live.app.readDocument();
    live.idle();
    tokens.choose(120, 40);
  }
  bool settle() {
    return waitUntil([this] {
      return model().spread() && !model().tokenGates().isEmpty() && !model().isLoading() &&
             model().spread()->request.strength == model().strength() &&
             model().pair().changedRow();
    });
  }
  template <class Value>
  Value fromCore(std::function<Result<Value>(const Session&, const JobControl&)> ask) {
    Result<Value> answer = Error{};
    live.runner.requestView<Value>(
        QStringLiteral("test"), &live.app,
        [ask](EngineRoom& room, const JobControl& job) { return ask(*room.session, job); },
        [&](const Result<Value>& value) { answer = value; });
    EXPECT_TRUE(waitUntil([&] { return bool(answer); }));
    return *answer;
  }
};

TEST(PscPanel, OffersTheBundledCalibrationsWithGates) {
  PscWindow window;
  EXPECT_FALSE(window.model().hasGates());
  EXPECT_TRUE(window.model().message().contains(QStringLiteral("No calibration")));
  ASSERT_GE(window.panel.offered().size(), 2U);
  for (const CalibrationFile& file : window.panel.offered()) EXPECT_TRUE(file.hasPhase);
  const CalibrationFile file = window.panel.offered().back();
  window.panel.use(file);
  window.live.idle();
  EXPECT_TRUE(window.model().hasGates()) << qPrintable(window.live.errors.join("; "));
  EXPECT_EQ(window.live.app.plan()->method, file.origin->method);
  EXPECT_EQ(window.live.app.plan()->context.factor, file.origin->factor);
  EXPECT_TRUE(window.panel.offered().empty());
}

TEST(PscPanel, OffersWhatFitsTheContextAndTheMethodFirst) {
  PscWindow window;
  for (const auto& [method, factor] : {std::pair{"yarn", 4.0}, {"yarn", 8.0}, {"pi", 4.0}}) {
    MethodSettings settings = window.live.app.method();
    settings.rope = {.id = method, .values = {}, .factor = factor};
    settings.contextTokens = static_cast<std::int64_t>(factor * 1024);
    window.live.app.applyMethod(settings);
    window.live.idle();
    ASSERT_FALSE(window.panel.offered().empty());
    EXPECT_EQ(window.panel.offered().front().origin->method, method);
    EXPECT_EQ(window.panel.offered().front().origin->factor, factor);
  }
}

TEST(PscPanel, ShowsTheCoresGatesAndTheirTable) {
  PscWindow window;
  window.calibrate();
  for (const GateSide side : {GateSide::Query, GateSide::Key}) {
    window.model().setSide(side);
    ASSERT_TRUE(waitUntil([&] {
      return window.model().spread() && window.model().spread()->request.side == side &&
             !window.model().tokenGates().isEmpty() && !window.model().isLoading();
    })) << window.model().message().toStdString();
    const bool isQuery = side == GateSide::Query;
    const auto token = window.fromCore<TokenGates>([&](const Session& s, const JobControl& job) {
      return tokenGates(s, {2, isQuery ? 120 : 40}, job);
    });
    const int head = isQuery ? 1 : window.model().spread()->request.head;
    const auto wanted = (isQuery ? token.query : token.key).gatesOf(head);
    const QVector<double> shown = window.model().tokenGates();
    ASSERT_EQ(static_cast<std::size_t>(shown.size()), wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      EXPECT_EQ(shown[static_cast<qsizetype>(i)], wanted[i]);
    }
    const PlotTable table = window.panel.table();
    EXPECT_EQ(table.rows(), static_cast<int>(wanted.size()));
    EXPECT_EQ(table.columns.at(2).numbers, std::vector<double>(wanted.begin(), wanted.end()));
    for (const double turn : window.model().tokenTurns()) EXPECT_LT(std::abs(turn), 30.0);
    const auto spread = window.fromCore<GateSpread>(
        [request = window.model().spread()->request](const Session& s, const JobControl& job) {
          return gateSpread(s, request, job);
        });
    ASSERT_EQ(spread.gates.size(), wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      EXPECT_EQ(table.columns.at(3).numbers[i], spread.gates[i].low);
      EXPECT_EQ(table.columns.at(5).numbers[i], spread.gates[i].median);
      EXPECT_EQ(table.columns.at(7).numbers[i], spread.gates[i].high);
      EXPECT_EQ(table.columns.at(10).numbers[i], spread.turns[i % spread.turns.size()].median);
    }
  }
}

TEST(PscPanel, TheSliderMovesGatesScoreAndWeight) {
  PscWindow window;
  window.calibrate();
  ASSERT_TRUE(window.settle()) << window.model().message().toStdString();
  const double before = window.model().pair().changedRow()->score;
  EXPECT_NEAR(before, window.model().pair().reading()->pair.used.score, 1e-4);  // as in use
  window.model().setStrength(0.0);
  ASSERT_TRUE(window.settle());
  for (const double gate : window.model().tokenGates()) EXPECT_EQ(gate, 1.0);
  const PairRequest request = window.model().pair().reading()->pair.request;
  const auto row = window.fromCore<RowScore>([&](const Session& s, const JobControl& job) {
    return rowUnder(s, request, {s.plan(), 0.0}, job);
  });
  EXPECT_EQ(window.model().pair().changedRow()->score, row.score);
  EXPECT_EQ(window.model().pair().changedRow()->weight(), row.weight());
  EXPECT_NE(row.score, before);
  EXPECT_TRUE(window.model().effectText().contains(QStringLiteral("Only this layer")));
}

TEST(PscPanel, AppliesTheStrengthToANewSession) {
  PscWindow window;
  window.calibrate();
  ASSERT_TRUE(window.settle());
  const auto serial = window.live.app.sessionSerial();
  window.model().applyStrength();  // nothing to apply
  EXPECT_EQ(window.live.app.sessionSerial(), serial);
  window.model().setStrength(0.4);
  window.model().applyStrength();
  window.live.idle();
  EXPECT_GT(window.live.app.sessionSerial(), serial);
  EXPECT_EQ(window.live.app.method().pscStrength, 0.4);
  EXPECT_EQ(window.model().strength(), 0.4);
  EXPECT_TRUE(window.model().hasGates());
}

}  // namespace
}  // namespace ropescope::ui
