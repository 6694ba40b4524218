// Four settings to flip between: a flip reads nothing again and changes no number.
#include <QSignalSpy>
#include <set>

#include <gtest/gtest.h>

#include "core/rope/rope_math.h"
#include "core/tokenizer/tokenizer.h"
#include "tests/ui/live_app.h"
#include "ui/panels/angle_panel.h"
#include "ui/panels/attention_panel.h"
#include "ui/plots/angle_plot.h"
#include "ui/text/number_text.h"
#include "ui/viewmodels/model_view_model.h"
#include "ui/viewmodels/plan_comparison.h"

namespace ropescope::ui {
namespace {

constexpr int kPi = 0;
constexpr int kYarn = 1;
constexpr int kLongRope = 2;
constexpr int kPsc = 3;

struct SlotApp : LiveApp {
  int prefillReports = 0;
  SlotApp() {
    QObject::connect(&runner, &EngineRunner::progressed, &app,
                     [this](Lane, const Progress& progress) {
                       if (progress.stage == "prefill") ++prefillReports;
                     });
  }
  void start(int sentences) {
    load();
    open(sentences);
    app.setAnswerTokens(8);
  }
  void read(int slot) {
    app.activateSlot(slot);
    idle();
    app.readDocument();
    idle();
    ASSERT_EQ(app.position(), app.document()->tokens()) << qPrintable(errors.join("; "));
  }
  const ChatTurn& ask(int slot, const QString& question) {
    app.activateSlot(slot);
    chat.ask(question);
    idle();
    return lastTurn();
  }
};

// What a session that nobody else uses answers.
std::vector<std::int32_t> freshAnswer(const SlotApp& live, const MethodSettings& settings,
                                      const QString& question) {
  const Engine& engine = *live.app.engine();
  auto session =
      engine.newSession({.rope = settings.rope, .contextTokens = live.app.plannedContext()});
  const auto tokenizer = engine.tokenizer();
  const auto part = questionPart(engine.promptFormat(), **tokenizer, question.toStdString());
  EXPECT_TRUE(session && part);
  EXPECT_TRUE((*session)->prefill({live.app.document()->part.ids, part->ids}, {}));
  const auto generation = (*session)->generate({.maxNewTokens = 8}, {}, {});
  EXPECT_TRUE(generation);
  std::vector<std::int32_t> ids;
  for (const GeneratedToken& token : generation->tokens) ids.push_back(token.id);
  return ids;
}

// What the model bar shows beside the model's name.
TEST(AppModelSlots, TheBytesKeptForMapsAreThoseThatASessionHas) {
  SlotApp live;
  live.start(20);
  live.read(kPi);
  std::int64_t held = -1;
  live.runner.requestView<std::int64_t>(
      "test", &live.app,
      [](EngineRoom& room, const JobControl&) -> Result<std::int64_t> {
        return room.session->captureBytes();
      },
      [&](const Result<std::int64_t>& bytes) { held = *bytes; });
  ASSERT_TRUE(waitUntil([&] { return held >= 0; }));
  ModelViewModel model(live.app);
  EXPECT_GT(held, 0);
  EXPECT_TRUE(model.memory().endsWith(memoryText(held) + " of it to draw maps"))
      << qPrintable(model.memory());
}

TEST(AppModelSlots, SayWhereASecondQuestionBegins) {
  SlotApp live;
  live.start(20);
  const std::int64_t document = live.app.document()->tokens();
  live.ask(kPi, "Who?");
  std::vector<qint64> positions;
  QObject::connect(&live.app, &AppModel::sessionAdvanced, &live.app,
                   [&](qint64 position) { positions.push_back(position); });
  live.ask(kPi, "What did the little girl see in the big green park with her good friend?");
  ASSERT_FALSE(positions.empty());
  EXPECT_GE(positions.front(), document);
  EXPECT_LT(positions.front(), live.app.position());
  // Both questions begin alike; what follows differs.
  EXPECT_LE(positions.front(), document + 16);
  EXPECT_EQ(positions.back(), live.app.position());
}

// Fails when a comparison asks a method for its defaults alone: LongRoPE has none without a file.
TEST(AppModelSlots, OtherMethodsAreComparedAsASlotHasThem) {
  SlotApp live;
  live.start(10);
  MethodSettings settings;
  settings.rope = {.id = "pi", .values = {}, .factor = 2.0};
  settings.contextTokens = 1024;  // beyond the trained length: the long factors
  live.app.applyMethod(settings);
  live.idle();
  const auto& engine = *live.app.engine();
  const auto without = comparePlans(engine, *live.app.plan(), {});
  EXPECT_TRUE(without.leftOut.contains("LongRoPE"));
  const QString path = live.folder.filePath("factors.csv");
  QFile file(path);
  ASSERT_TRUE(file.open(QIODevice::WriteOnly));
  file.write("1.0\n1.25\n1.5\n2.0\n");
  file.close();
  MethodSettings found = live.app.slot(kLongRope).settings();
  found.rope = {.id = "longrope", .values = {{"factors", path.toStdString()}}, .factor = 2.0};
  live.app.setSlot(kLongRope, found);
  const auto with = comparePlans(engine, *live.app.plan(), live.app.slotChoices());
  EXPECT_FALSE(with.leftOut.contains("LongRoPE")) << qPrintable(with.reasons);
  const auto longrope = std::find_if(with.plans.begin(), with.plans.end(),
                                     [](const auto& plan) { return plan.method == "longrope"; });
  ASSERT_NE(longrope, with.plans.end());
  EXPECT_DOUBLE_EQ(longrope->invFreq[1], rope::plainInvFreq(longrope->context)[1] / 1.25);
}

TEST(AppModelSlots, TenFlipsReadNothingAgain) {
  SlotApp live;
  live.start(80);
  live.read(kPi);
  live.read(kYarn);
  const int readings = live.prefillReports;
  EXPECT_GT(readings, 0);
  std::set<std::uint64_t> serials;
  for (int flip = 0; flip < 10; ++flip) {
    live.app.activateSlot(flip % 2 == 0 ? kPi : kYarn);
    EXPECT_EQ(live.app.activeSlot(), flip % 2 == 0 ? kPi : kYarn);
    EXPECT_EQ(live.app.plan()->method, flip % 2 == 0 ? "pi" : "yarn");
    live.idle();
    EXPECT_EQ(live.app.position(), live.app.document()->tokens());
    serials.insert(live.app.sessionSerial());
  }
  EXPECT_EQ(serials.size(), 2U);
  EXPECT_EQ(live.prefillReports, readings);
  // Nor does a question: the document stands in the cache.
  const ChatTurn& turn = live.ask(kPi, "Who?");
  ASSERT_EQ(turn.state, ChatTurn::State::Finished) << qPrintable(turn.problem);
  EXPECT_EQ(turn.result.prefill.reusedTokens, live.app.document()->tokens());
  EXPECT_TRUE(live.errors.isEmpty()) << qPrintable(live.errors.join("; "));
}

TEST(AppModelSlots, TakingTurnsGivesWhatFreshSessionsGive) {
  SlotApp live;
  live.start(80);
  for (const QString& question : {QString("Who?"), QString("Where was Lily?")}) {
    for (const int slot : {kPi, kYarn}) {
      const ChatTurn& turn = live.ask(slot, question);
      ASSERT_EQ(turn.state, ChatTurn::State::Finished) << qPrintable(turn.problem);
      EXPECT_EQ(turn.result.ids, freshAnswer(live, live.app.slot(slot).settings(), question));
    }
  }
}

TEST(AppModelSlots, SlotsThatCannotWorkSayWhyAndStayUsable) {
  SlotApp live;
  live.start(80);
  EXPECT_TRUE(live.app.slot(kPi).problem.isEmpty()) << qPrintable(live.app.slot(kPi).problem);
  EXPECT_TRUE(live.app.slot(kLongRope).problem.contains("factor"));
  EXPECT_TRUE(live.app.slot(kPsc).problem.contains("calibration"));
  live.app.activateSlot(kYarn);
  const auto serial = live.app.sessionSerial();
  live.app.activateSlot(kPsc);
  ASSERT_EQ(live.errors.size(), 1);
  EXPECT_EQ(live.app.activeSlot(), kYarn);
  EXPECT_EQ(live.app.sessionSerial(), serial);
  MethodSettings settings;
  settings.rope = {.id = "ntk"};
  live.app.setSlot(kPsc, settings);
  EXPECT_TRUE(live.app.slot(kPsc).problem.isEmpty());
  live.app.activateSlot(kPsc);
  EXPECT_EQ(live.app.plan()->method, "ntk");
}

TEST(AppModelSlots, AMissingCalibrationIsKnownBeforeTheSlotIsUsed) {
  SlotApp live;
  live.start(80);
  MethodSettings settings;
  settings.rope = {.id = "yarn"};
  settings.calibrationFile = "/nowhere/psc.safetensors";
  live.app.setSlot(kPsc, settings);
  live.idle();
  EXPECT_TRUE(live.app.slot(kPsc).problem.contains("/nowhere/psc.safetensors"));
}

TEST(AppModelSlots, TheAppliedSettingsOfASlotMakeItActive) {
  SlotApp live;
  live.start(80);
  EXPECT_EQ(live.app.activeSlot(), -1);
  live.app.applyMethod(live.app.slot(kYarn).settings());
  EXPECT_EQ(live.app.activeSlot(), kYarn);
  MethodSettings other = live.app.method();
  other.rope.factor = 8.0;
  live.app.applyMethod(other);
  EXPECT_EQ(live.app.activeSlot(), -1);
  EXPECT_EQ(live.app.plan()->context.factor, 8.0);
  EXPECT_FALSE(live.app.slot(kYarn).settings() == other) << "the slot keeps its settings";
  live.app.setSlot(kYarn, other);
  EXPECT_EQ(live.app.activeSlot(), kYarn) << "the session in use moved into the slot";
}

TEST(AppModelSlots, EditingTheActiveSlotAppliesIt) {
  SlotApp live;
  live.start(80);
  live.read(kPi);
  MethodSettings settings = live.app.slot(kPi).settings();
  settings.rope.factor = 16.0;
  live.app.setSlot(kPi, settings);
  EXPECT_EQ(live.app.activeSlot(), kPi);
  EXPECT_EQ(live.app.plan()->context.factor, 16.0);
  EXPECT_EQ(live.app.position(), 0);
}

TEST(AppModelSlots, AFlipWhileReadingStopsAndComingBackGoesOn) {
  SlotApp live;
  live.start(600);
  live.app.activateSlot(kPi);
  live.app.readDocument();
  ASSERT_TRUE(waitUntil([&] { return live.app.position() > 0; }));
  live.app.activateSlot(kYarn);
  EXPECT_EQ(live.app.position(), 0);
  live.idle();
  live.app.activateSlot(kPi);
  const std::int64_t before = live.app.position();
  EXPECT_GT(before, 0);
  live.read(kPi);
  const ChatTurn& turn = live.ask(kPi, "Who?");
  EXPECT_EQ(turn.result.ids, freshAnswer(live, live.app.slot(kPi).settings(), "Who?"));
}

TEST(AppModelSlots, AnotherDocumentForgetsWhatWasRead) {
  SlotApp live;
  live.start(80);
  live.read(kPi);
  live.read(kYarn);
  live.open(90);
  EXPECT_EQ(live.app.position(), 0);
  EXPECT_EQ(live.app.slot(kPi).session.position(), 0);
  live.read(kPi);
}

TEST(AppModelSlots, SaysWhenMemoryWasTooShortToKeepASession) {
  SlotApp live;
  live.start(80);
  QStringList notices;
  QObject::connect(&live.app, &AppModel::notice, &live.app,
                   [&](const QString& text) { notices << text; });
  live.runner.startLong<Done>(
      &live.app, Lane::Housekeeping, SameLane::Queue,
      [](EngineRoom& room, const JobControl&) -> Status {
        room.freeBytes = [] { return std::int64_t{0}; };
        return Done{};
      },
      [](const Status&) {});
  live.read(kPi);
  live.read(kYarn);
  ASSERT_TRUE(waitUntil([&] { return live.app.slot(kPi).session.position() == 0; }));
  EXPECT_TRUE(notices.filter("Memory is short").size() == 1) << qPrintable(notices.join("; "));
  EXPECT_GT(live.app.slot(kYarn).session.bytes, 0);
  EXPECT_EQ(live.app.slot(kPi).session.bytes, 0);
}

TEST(AppModelSlots, TheBundledModelBringsItsFactorsAndItsCalibration) {
  const std::filesystem::path resources = ROPESCOPE_RESOURCES_DIR;
  SlotApp live;
  live.app.setCalibrationsFolder(resources / "calibrations");
  live.app.loadModel(resources / "models/bookworm-11m");
  live.app.openDocument(resources / "samples/01-newgate-escape.txt");
  live.idle();
  for (int i = 0; i < AppModel::kSlots; ++i) {
    EXPECT_TRUE(live.app.slot(i).problem.isEmpty()) << qPrintable(live.app.slot(i).problem);
  }
  EXPECT_EQ(settingsTitle(live.app.slot(kPi).session),
            QStringLiteral("Position Interpolation × 4"));
  EXPECT_EQ(settingsTitle(live.app.slot(kPsc).session), QStringLiteral("YaRN × 4 + PSC"));
  live.app.activateSlot(kPsc);
  live.idle();
  EXPECT_EQ(live.app.activeSlot(), kPsc) << qPrintable(live.errors.join("; "));
  EXPECT_TRUE(live.app.calibration());
  EXPECT_TRUE(live.app.recipe().options.calibration);
}

TEST(AppModelSlots, TheAnglesKeepTheirAxesAndShowTheCurveBefore) {
  SlotApp live;
  AnglePanel panel(live.app);
  live.start(80);
  auto* plot = panel.findChild<AnglePlot*>();
  ASSERT_NE(plot, nullptr);
  live.app.activateSlot(kPi);
  live.app.activateSlot(kYarn);
  ASSERT_NE(panel.model().ghost(), nullptr);
  EXPECT_TRUE(panel.model().ghost()->title.startsWith("Position"));
  EXPECT_TRUE(plot->ghostCurve()->visible());
  const QCPRange factors = plot->ghostCurve()->valueAxis()->range();
  live.app.activateSlot(kPi);
  EXPECT_EQ(plot->ghostCurve()->valueAxis()->range(), factors);
  EXPECT_TRUE(panel.model().ghost()->title.startsWith("YaRN"));
  MethodSettings other = live.app.method();
  other.rope.factor = 3.0;
  live.app.applyMethod(other);
  EXPECT_EQ(panel.model().ghost(), nullptr) << "no flip, no ghost";
  EXPECT_FALSE(plot->ghostCurve()->visible());
}

TEST(AppModelSlots, TheMapKeepsViewAndColoursAndShowsTheOtherSessionsNumbers) {
  SlotApp live;
  AttentionPanel panel(live.app, live.runner);
  panel.resize(640, 480);
  panel.show();
  live.start(60);
  live.read(kPi);
  live.read(kYarn);
  const auto settled = [&] {
    return waitUntil([&] { return panel.model().tile() && !panel.model().isLoading(); });
  };
  ASSERT_TRUE(settled());
  const MapView view{{20.0, 220.0}, {120.0, 420.0}};
  panel.model().setView(view);
  ASSERT_TRUE(waitUntil(
      [&] { return panel.model().tile() && panel.model().tile()->request.keys.begin == 20; }));
  const ValueRange range = panel.model().valueRange();
  const auto before = panel.model().tile();
  live.app.activateSlot(kPi);
  ASSERT_TRUE(waitUntil([&] { return panel.model().tile() != before; }));
  EXPECT_EQ(panel.model().view(), view);
  EXPECT_EQ(panel.model().valueRange(), range);
  ASSERT_EQ(panel.model().tile()->request, before->request);
  EXPECT_NE(panel.model().tile()->values, before->values);
}

}  // namespace
}  // namespace ropescope::ui
