// What the window shows is what ropescope-cli prints for the same settings. Perplexity curves and
// needle grids have theirs beside their own tests.
#include <cmath>

#include "tests/ui/cli_call.h"
#include "tests/ui/live_app.h"
#include "tests/ui/same_values.h"
#include "ui/panels/angle_panel.h"
#include "ui/panels/attention_panel.h"
#include "ui/panels/contribution_panel.h"
#include "ui/panels/heads_panel.h"
#include "ui/panels/psc_panel.h"
#include "ui/panels/score_panel.h"
#include "ui/viewmodels/compare_model.h"
#include "ui/viewmodels/coverage_view_model.h"
#include "ui/viewmodels/loss_view_model.h"
#include "ui/viewmodels/reading_view_model.h"

namespace ropescope::ui {
namespace {

using Json = nlohmann::json;

// stories260K under PI by 2, 1,024 tokens planned.
struct SameApp : LiveApp {
  HeadChoice heads;
  TokenChoice tokens;
  LossViewModel loss{app, runner};  // follows the document from the beginning

  SameApp() {
    load();
    heads.setModelShape(app.engine()->config().layers, app.engine()->config().heads);
    open(20);
    MethodSettings settings = app.method();
    settings.rope = {.id = "pi", .values = {}, .factor = 2.0};
    settings.contextTokens = 1024;
    app.applyMethod(settings);
    idle();
  }
  void read() {
    app.readDocument();
    idle();
  }
  QString story() const { return folder.filePath("story.txt"); }
  Json cli(const QStringList& command) const {
    return cliResult(command + QStringList{"--model", QString::fromStdString(storiesModel()),
                                           "--rope", "pi", "--factor", "2", "--context", "1024",
                                           "--threads", QString::number(app.engine()->threads())});
  }
};

TEST(CommandLine, HasTheAnglesAndTheUnseenDistances) {
  SameApp live;
  AnglePanel panel(live.app);
  panel.model().setPosition(700);
  CoverageViewModel coverage;
  coverage.setPlans(live.app.plan(), {});
  const Json json = live.cli({"angles", "--position", "700"});
  const auto& rows = panel.model().current().rows;
  ASSERT_EQ(json.at("pairs").size(), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Json& pair = json.at("pairs").at(i);
    EXPECT_EQ(pair.at("inv_freq"), rows[i].invFreq);
    EXPECT_EQ(pair.at("wavelength"), rows[i].wavelength);
    EXPECT_EQ(pair.at("angle"), rows[i].angle);
    const UnseenFrom& unseen = coverage.shown().unseen[i];
    EXPECT_EQ(pair.at("unseen_from"), unseen ? Json(*unseen) : Json(nullptr));
  }
}

TEST(CommandLine, HasTheMapAndItsStrips) {
  SameApp live;
  AttentionPanel panel(live.app, live.runner);
  panel.resize(900, 700);
  panel.show();
  live.read();
  panel.model().setIgnoredTokens(0);
  panel.model().selectHead(1, 2);
  panel.model().setView({{0, 90}, {0, 90}});  // fewer tokens than pixels: all cells are tokens
  panel.weights().pin(80, 40);
  ASSERT_TRUE(waitUntil([&] {
    const auto tile = panel.model().tile();
    return tile && tile->request.queries == TokenRange{0, 90} && tile->request.head == 2 &&
           tile->request.keys == TokenRange{0, 90} && panel.weights().row().weights.size() == 90 &&
           panel.weights().weight();
  })) << panel.model().message().toStdString();
  const Json json = live.cli({"attention", "--document", live.story(), "--layer", "1", "--head",
                              "2", "--queries", "0:90", "--keys", "0:90", "--size", "90"});
  std::vector<float> wanted;
  for (const Json& row : json.at("values")) {
    for (const Json& value : row) {
      wanted.push_back(value.is_null() ? std::nanf("") : value.get<float>());
    }
  }
  expectSame(panel.model().tile()->values, wanted);
  // A row alone is computed in another block.
  constexpr double kOtherBlocks = 2e-5;
  for (int key = 0; key <= 80; ++key) {
    const double weight = json.at("values").at(80).at(static_cast<std::size_t>(key));
    EXPECT_NEAR(panel.weights().row().weights[key], weight, kOtherBlocks);
  }
}

TEST(CommandLine, HasTheContributionsAndTheScoreCurve) {
  SameApp live;
  const LensParts parts{live.app, live.runner, live.heads, live.tokens};
  ContributionPanel contributions(parts);
  ScorePanel score(parts);
  contributions.show();
  score.show();
  live.heads.setHead({2, 3});
  live.read();
  live.tokens.choose(90, 7);
  ASSERT_TRUE(waitUntil([&] {
    return !contributions.model().bars().isEmpty() && !score.model().lines().empty() &&
           !score.model().isLoading() && !contributions.model().pair().isLoading();
  }));
  const Json json = live.cli({"contributions", "--document", live.story(), "--layer", "2", "--head",
                              "3", "--query", "90", "--key", "7", "--distances", "0,100,900"});
  const QVector<double>& shares = contributions.model().bars().shares;
  ASSERT_EQ(json.at("pairs").size(), static_cast<std::size_t>(shares.size()));
  for (qsizetype i = 0; i < shares.size(); ++i) {
    EXPECT_EQ(json.at("pairs").at(static_cast<std::size_t>(i)).at("contribution"), shares[i]);
  }
  ASSERT_TRUE(score.model().lines()[0].isInUse);
  ASSERT_EQ(score.model().step(), 1);
  for (const Json& at : json.at("score_at")) {
    EXPECT_EQ(at.at("score"), score.model().lines()[0].scores[at.at("distance").get<qsizetype>()]);
  }
}

TEST(CommandLine, HasTheLosses) {
  SameApp live;
  live.loss.start();
  ASSERT_TRUE(waitUntil([&] { return !live.loss.isRunning(); }));
  const auto& losses = live.loss.losses();
  const Json json = live.cli({"score", "--document", live.story()});
  ASSERT_EQ(json.at("nll").size(), losses.size());
  for (std::size_t i = 1; i < losses.size(); ++i) {
    EXPECT_EQ(json.at("nll").at(i), losses[i]) << i;
  }
}

TEST(CommandLine, HasTheAnswersAndWhereTheyAreRead) {
  SameApp live;
  DocumentViewModel document(live.app);
  ReadingViewModel reading({live.app, live.chat, document, live.runner, live.heads});
  CompareModel compare(live.app, live.chat, live.runner);
  live.app.setAnswerTokens(8);
  live.chat.ask("Who?");
  live.idle();
  reading.setHeadsKind(HeadSetKind::Mean);
  reading.selectAnswer(live.lastTurn().id, {});
  ASSERT_TRUE(waitUntil([&] { return reading.reading() && !reading.isLoading(); }));
  const Json json = live.cli(
      {"reads", "--document", live.story(), "--question", "Who?", "--max-new-tokens", "8"});
  EXPECT_EQ(json.at("answer").at("token_ids"), live.lastTurn().result.ids);
  EXPECT_EQ(json.at("answer").at("text"), live.lastTurn().result.text);
  EXPECT_EQ(json.at("weights"), reading.reading()->attention.weights);
  MethodSettings settings = live.app.method();
  live.app.setSlot(0, settings);
  compare.ask("Who?");
  live.idle();
  EXPECT_EQ(json.at("answer").at("token_ids"), compare.progress(0).answer.ids);
}

TEST(CommandLine, HasTheRetrievalHeads) {
  SameApp live;
  HeadsPanel panel(live.app, live.runner, live.heads);
  panel.findRetrievalHeads();
  ASSERT_TRUE(waitUntil([&] { return live.heads.ranking() != nullptr; }));
  const Json json = live.cli({"heads"});
  const auto& found = live.heads.ranking()->heads;
  ASSERT_EQ(json.at("heads").size(), found.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const Json& head = json.at("heads").at(i);
    EXPECT_EQ(head.at("layer"), found[i].head.layer) << i;
    EXPECT_EQ(head.at("head"), found[i].head.head) << i;
    EXPECT_EQ(head.at("score"), found[i].score) << i;
    EXPECT_EQ(head.at("copy_rate"), found[i].copyRate) << i;
  }
}

// On the bundled model: stories260K has no calibration.
TEST(CommandLine, HasTheGates) {
  const std::filesystem::path resources = ROPESCOPE_RESOURCES_DIR;
  LiveApp live;
  HeadChoice heads;
  TokenChoice tokens;
  live.app.setCalibrationsFolder(resources / "calibrations");
  PscPanel panel({live.app, live.runner, heads, tokens});
  panel.resize(430, 420);
  panel.show();
  live.app.loadModel(resources / "models/bookworm-11m");
  live.idle();
  live.open(20);
  heads.setModelShape(live.app.engine()->config().layers, live.app.engine()->config().heads);
  heads.setHead({2, 1});
  const auto file = resources / "calibrations/bookworm-11m/yarn-4x-psc-seed0.safetensors";
  MethodSettings settings = live.app.method();
  settings.rope = {.id = "yarn", .values = {}, .factor = 4.0};
  settings.contextTokens = 4096;
  settings.calibrationFile = file;
  live.app.applyMethod(settings);
  live.idle();
  live.app.readDocument();
  live.idle();
  tokens.choose(120, 40);
  ASSERT_TRUE(waitUntil([&] {
    return panel.model().spread() && !panel.model().tokenGates().isEmpty() &&
           !panel.model().isLoading();
  })) << panel.model().message().toStdString();
  // The ids as the window reads them: in the model's prompt format.
  const QString ids = live.folder.filePath("ids.json");
  QFile written(ids);
  ASSERT_TRUE(written.open(QIODevice::WriteOnly));
  written.write(QByteArray::fromStdString(Json(live.app.document()->part.ids).dump()));
  written.close();
  const Json json = cliResult({"gate", "--tokens", ids, "--layer", "2", "--position", "120",
                               "--rope", "yarn", "--factor", "4", "--context", "4096",
                               "--calibration", QString::fromStdString(file.string()), "--threads",
                               QString::number(live.app.engine()->threads())});
  const Json& head = json.at("q").at(1);
  const QVector<double> gates = panel.model().tokenGates();
  const QVector<double> turns = panel.model().tokenTurns();
  ASSERT_EQ(head.at("gates").size(), static_cast<std::size_t>(gates.size()));
  for (qsizetype i = 0; i < gates.size(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    EXPECT_EQ(head.at("gates").at(at), gates[i]);
    EXPECT_EQ(head.at("spread").at("gates").at(at).at("median"),
              panel.model().spread()->gates[at].median);
  }
  for (qsizetype i = 0; i < turns.size(); ++i) {
    EXPECT_EQ(head.at("turns_degrees").at(static_cast<std::size_t>(i)), turns[i]);
  }
}

}  // namespace
}  // namespace ropescope::ui
