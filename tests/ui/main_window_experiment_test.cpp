// Saving, opening, playing and running experiments in the whole window, on a real engine.
#include <QDockWidget>
#include <QFile>
#include <QPushButton>
#include <QToolButton>
#include <map>

#include "core/base/file_io.h"
#include "tests/ui/live_window.h"
#include "tests/ui/same_values.h"
#include "ui/panels/angle_panel.h"
#include "ui/panels/attention_panel.h"
#include "ui/panels/compare_panel.h"
#include "ui/panels/loss_panel.h"
#include "ui/panels/perplexity_panel.h"
#include "ui/panels/recording_pages.h"
#include "ui/panels/recording_panel.h"
#include "ui/panels/view_tabs.h"
#include "ui/plots/plot_export.h"

namespace ropescope::ui {
namespace {

using experiment::Experiment;

// Two settings, two questions (one of them of the second setting only), curves and a map.
struct Lesson : WholeWindow {
  QString file = folder.filePath("lesson.ropescope");

  void make() {
    load();
    open(60);
    app.setAnswerTokens(6);
    ask("Who?");
    MethodSettings pi;
    pi.rope = {.id = "pi", .values = {}, .factor = 2.0};
    app.applyMethod(pi);
    ask("Who?");
    ask("Where?");
    auto& perplexity = window->perplexity().model();
    perplexity.editCurves("none;pi:factor=2");
    perplexity.editLengths("64, 128");
    perplexity.start();
    idle();
    ASSERT_EQ(perplexity.curves().size(), 2U) << qPrintable(perplexity.statusText());
  }

  // `leftOut`: what the notice has to say beside that.
  void save(const QString& leftOut = {}) {
    window->statusBar()->clearMessage();
    window->saveExperiment(file);
    ASSERT_TRUE(waitUntil([&] {
      return status().startsWith("Saved") && status().contains(leftOut);
    })) << qPrintable(status());
  }

  Experiment read() const {
    const auto read = experiment::readExperiment(file.toStdString());
    EXPECT_TRUE(read) << read.error().message;
    return read ? *read : Experiment{};
  }

  RecordingPanel& open(const QString& path) {
    window->openExperiment(path);
    EXPECT_TRUE(waitUntil([this] { return window->recording() != nullptr; }))
        << qPrintable(status());
    return *window->recording();
  }
  using LiveApp::open;
};

TEST(WindowExperiment, KeepsWhatTheWindowHolds) {
  Lesson lesson;
  lesson.make();
  lesson.save();
  const Experiment saved = lesson.read();
  const experiment::Plan& plan = saved.plan;
  EXPECT_EQ(plan.settings, (std::vector<std::string>{"pi:factor=2", "none"}))
      << "the one in use, then what was asked or measured; none of the four that was neither";
  EXPECT_EQ(plan.questions, (std::vector<std::string>{"Who?", "Where?"}));
  EXPECT_EQ(plan.lengths, (std::vector<std::int64_t>{64, 128}));
  EXPECT_EQ(plan.documentText, lesson.app.document()->document.text);
  EXPECT_EQ(plan.modelHash, lesson.app.engine()->modelHash());
  EXPECT_EQ(plan.generation.maxNewTokens, 6);
  EXPECT_FALSE(saved.layout.empty());
  const auto& turns = lesson.chat.turns();
  const auto& pi = saved.results.at(0);
  const auto& none = saved.results.at(1);
  EXPECT_EQ(none.answers.at(0).text, turns[0].result.text);
  EXPECT_FALSE(none.answers.at(1).isRecorded()) << "never asked under it";
  EXPECT_EQ(pi.answers.at(1).text, turns[2].result.text);
  EXPECT_EQ(pi.answers[1].ends.size(), turns[2].result.ids.size());
  EXPECT_LT(pi.answers[1].tokens.at(0).logProbability, 0.0);
  const auto& curves = lesson.window->perplexity().model().curves();
  EXPECT_EQ(none.perplexity.at(1).nllMeanTo, curves[0].points.at(1).nllMeanTo);
  EXPECT_EQ(pi.perplexity.at(1).nllMeanTo, curves[1].points.at(1).nllMeanTo);
  EXPECT_FALSE(pi.maps.at(0).values.empty()) << "the session holds the document";
  EXPECT_TRUE(none.maps.at(0).values.empty()) << "its session is gone";
}

TEST(WindowExperiment, KeepsOnlyCurvesOfOnePassOverItsDocument) {
  Lesson lesson;
  lesson.make();
  auto& perplexity = lesson.window->perplexity().model();
  // As Set up does it: a second book, windows of 64 tokens. What the inputs say later counts not.
  perplexity.inputs().addBook(
      {.name = "other.txt", .path = "other.txt", .ids = lesson.app.document()->plainIds});
  lesson.save();
  EXPECT_EQ(lesson.read().plan.lengths, (std::vector<std::int64_t>{64, 128}))
      << "the curves were measured before the book came";
  perplexity.editCurves("none");
  perplexity.editLengths("64");
  perplexity.start();
  lesson.idle();
  ASSERT_EQ(perplexity.curves().size(), 1U) << qPrintable(perplexity.statusText());
  lesson.save("The curves of story.txt, other.txt under “one pass”");
  EXPECT_TRUE(lesson.read().plan.lengths.empty());

  perplexity.inputs().clearBooks();
  perplexity.inputs().setProtocol(Protocol::Sliding);
  perplexity.inputs().editStride("32");
  perplexity.start();
  lesson.idle();
  ASSERT_EQ(perplexity.curves().size(), 1U) << qPrintable(perplexity.statusText());
  perplexity.inputs().setProtocol(Protocol::OnePass);
  lesson.save("The curves of story.txt under “sliding windows (YaRN)”");
  for (const auto& result : lesson.read().results) EXPECT_TRUE(result.perplexity.empty());
}

TEST(WindowExperiment, KeepsWhatTheComparisonAnswered) {
  Lesson lesson;
  lesson.load();
  lesson.open(60);
  lesson.app.setAnswerTokens(6);
  lesson.app.setSlot(2, {});  // plain RoPE beside PI and YaRN; the fourth has no calibration
  ComparePanel& compare = lesson.window->compare();
  compare.setQuestion("Who?");
  compare.showExample();
  lesson.idle();
  lesson.window->loss().showExample();
  ASSERT_TRUE(waitUntil([&] { return lesson.window->loss().isSettled(); }));
  lesson.idle();
  lesson.save("Not in it: The loss of every token.");
  const Experiment saved = lesson.read();
  EXPECT_EQ(saved.plan.questions, std::vector<std::string>{"Who?"});
  EXPECT_EQ(saved.plan.generation.maxNewTokens, 6);
  const std::map<std::string, int> paneOf{{"pi:factor=2", 0}, {"yarn:factor=2", 1}, {"none", 2}};
  ASSERT_EQ(saved.results.size(), paneOf.size());
  for (const auto& result : saved.results) {
    const auto& answer = result.answers.at(0);
    ASSERT_TRUE(answer.isRecorded()) << result.setting;
    EXPECT_FALSE(answer.tokens.empty());
    EXPECT_EQ(QString::fromStdString(answer.text).simplified(),
              compare.pane(paneOf.at(result.setting))->text()->toPlainText().simplified())
        << result.setting;
  }
}

TEST(WindowExperiment, RunsAgainAndComesOutTheSame) {
  Lesson lesson;
  lesson.make();
  lesson.save();
  RecordingPanel& panel = lesson.open(lesson.file);
  QTest::mouseClick(panel.findChild<QPushButton*>("runAgain"), Qt::LeftButton);
  ASSERT_TRUE(waitUntil([&] { return !panel.runAgain().isRunning(); }));
  EXPECT_FALSE(panel.runAgain().differences().empty()) << qPrintable(panel.runAgain().text());
  int compared = 0;
  for (const auto& line : panel.runAgain().differences()) {
    EXPECT_TRUE(line.agrees) << line.setting << " " << line.what << ": " << line.recorded << " | "
                             << line.now;
    compared += line.recorded != "not recorded" ? 1 : 0;
  }
  EXPECT_EQ(compared, 3 + 4 + 1) << "answers, losses, a map";
  EXPECT_EQ(panel.runAgain().table().rows(),
            static_cast<int>(panel.runAgain().differences().size()));
}

TEST(WindowExperiment, RunsTheOthersWhenAFileIsGone) {
  Lesson lesson;
  lesson.make();
  lesson.save();
  Experiment saved = lesson.read();
  saved.plan.settings.push_back("longrope:factor=2,factors=/gone/lists.json");
  ASSERT_TRUE(experiment::writeExperiment(saved, lesson.file.toStdString()));
  RecordingPanel& panel = lesson.open(lesson.file);
  panel.runAgain().start();
  ASSERT_TRUE(waitUntil([&] { return !panel.runAgain().isRunning(); }));
  const auto& lines = panel.runAgain().differences();
  ASSERT_GT(lines.size(), 8U) << qPrintable(panel.runAgain().text());
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) EXPECT_TRUE(lines[i].agrees) << lines[i].what;
  EXPECT_EQ(lines.back().now.find("could not be run: /gone/lists.json is not there"), 0U)
      << lines.back().now;
  EXPECT_TRUE(panel.runAgain().text().contains("could not be run: 1"));
}

TEST(WindowExperiment, OpensWithoutAModelAndSaysThatItIsRecorded) {
  Lesson lesson;
  lesson.make();
  lesson.save();
  const QString answer = QString::fromStdString(lesson.chat.turns()[2].result.text).simplified();

  Lesson bare;  // no model, no document
  RecordingPanel& panel = bare.open(lesson.file);
  EXPECT_FALSE(bare.app.engine());
  auto* page = dynamic_cast<RecordedAnswersPage*>(panel.views()->view("answers"));
  ASSERT_NE(page, nullptr);
  EXPECT_TRUE(page->text().simplified().contains(answer)) << qPrintable(page->text());
  EXPECT_TRUE(page->text().contains("Position Interpolation × 2")) << qPrintable(page->text());
  const auto& last = lesson.chat.turns()[0].result;  // "none" is the second setting of the file
  ASSERT_EQ(page->table().rows(), static_cast<int>(last.ids.size()));
  EXPECT_EQ(page->table().columns[3].numbers[0], last.tokens[0].logProbability);
  QString about;
  for (const auto* label : panel.findChildren<QLabel*>()) about += label->text() + '\n';
  EXPECT_TRUE(about.contains("Recorded: lesson.ropescope"));
  EXPECT_TRUE(about.contains("Nothing here is computed now"));
  auto* curves = dynamic_cast<RecordedCurvesPanel*>(panel.views()->view("curves"));
  ASSERT_EQ(curves->model().lines().size(), 2U);
  EXPECT_EQ(curves->model().lines()[0].perplexities.at(1),
            lesson.window->perplexity().model().curves()[1].points.at(1).perplexity);
  auto* angles = dynamic_cast<RecordedAnglesPanel*>(panel.views()->view("angles"));
  // The factor curve of the file is that of the plan: plain / this, 2 for every pair under PI.
  for (const double factor : angles->model().current().factors) EXPECT_NEAR(factor, 2.0, 1e-12);
  panel.runAgain().start();
  EXPECT_TRUE(panel.runAgain().text().contains("No model is loaded"));
}

TEST(WindowExperiment, TheMapIsTheSessionsAndGrowsWhilePlaying) {
  Lesson lesson;
  lesson.make();
  lesson.save();
  RecordingPanel& panel = lesson.open(lesson.file);
  auto* map = dynamic_cast<RecordedMapPanel*>(panel.views()->view("map"));
  ASSERT_NE(map, nullptr);
  panel.player().goTo(1);
  EXPECT_EQ(panel.views()->currentWidget(), map);
  ASSERT_TRUE(
      waitUntil([&] { return map->model().tile() != nullptr && !map->model().isLoading(); }));
  const AttentionMap& saved = panel.experiment()->results[0].maps[0];
  ASSERT_TRUE(
      waitUntil([&] { return map->model().tile()->request.height == saved.request.height; }));
  EXPECT_EQ(map->model().tile()->request.queries.end, lesson.app.document()->tokens());
  EXPECT_EQ(map->table().rows(), saved.request.height);
  const AttentionMap& shown = *map->model().tile();
  expectSame(shown.values, saved.values);
  panel.player().goTo(0);
  panel.player().play();
  panel.player().next();
  panel.player().advance(1.5);  // half of it
  ASSERT_TRUE(waitUntil([&] {
    return map->model().tile() && map->model().tile()->request.height < saved.request.height;
  }));
  panel.player().pause();
}

TEST(WindowExperiment, SpacePlaysAndTheKeysStep) {
  Lesson lesson;
  lesson.make();
  lesson.save();
  RecordingPanel& panel = lesson.open(lesson.file);
  QTest::keyClick(panel.views()->currentWidget(), Qt::Key_Space);
  EXPECT_TRUE(panel.player().isPlaying());
  EXPECT_EQ(panel.player().current(), 0U);
  QTest::keyClick(&panel, Qt::Key_Space);
  EXPECT_FALSE(panel.player().isPlaying());
  QTest::keyClick(&panel, Qt::Key_Right, Qt::AltModifier);
  // A button's key presses it for a moment before it counts.
  EXPECT_TRUE(waitUntil([&] { return panel.player().current() == 1U; }));
  QTest::keyClick(&panel, Qt::Key_Left, Qt::AltModifier);
  EXPECT_TRUE(waitUntil([&] { return panel.player().current() == 0U; }));
}

TEST(WindowExperiment, ClosesWhilePlayingAndWhileRunningAgain) {
  Lesson lesson;
  lesson.make();
  lesson.save();
  RecordingPanel& panel = lesson.open(lesson.file);
  panel.runAgain().start();
  panel.player().play();
  ASSERT_TRUE(waitUntil([&] { return lesson.runner.isBusy(Lane::Sweep); }));
  EXPECT_TRUE(lesson.window->close());
  lesson.window.reset();
  lesson.idle();
}

TEST(WindowExperiment, StoppingRunAgainLeavesTheRecord) {
  Lesson lesson;
  lesson.make();
  lesson.save();
  RecordingPanel& panel = lesson.open(lesson.file);
  panel.runAgain().start();
  panel.runAgain().stop();
  lesson.idle();
  EXPECT_TRUE(panel.runAgain().differences().empty());
  EXPECT_TRUE(panel.runAgain().text().contains("Stopped"));
  EXPECT_TRUE(panel.runAgain().canStart());
}

TEST(WindowExperiment, PicturesCarryItAndOpenAgain) {
  Lesson lesson;
  lesson.make();
  for (const QString& ending : pictureFormats()) {
    const QString path = lesson.folder.filePath("plot." + ending);
    QSignalSpy exported(&lesson.window->attention(), &PlotPanel::exported);
    lesson.window->attention().exportCarrying(path);
    ASSERT_TRUE(waitUntil([&] { return exported.count() == 1; })) << qPrintable(ending);
    const auto carried = experiment::readExperiment(path.toStdString());
    ASSERT_TRUE(carried) << carried.error().message;
    EXPECT_EQ(carried->plan.questions.size(), 2U);
    EXPECT_FALSE(carried->results.at(0).maps.at(0).values.empty());
    Lesson other;
    other.window->openPath(path);
    ASSERT_TRUE(waitUntil([&] { return other.window->recording() != nullptr; }))
        << qPrintable(other.status());
    EXPECT_EQ(other.window->recording()->experiment()->plan.questions, carried->plan.questions);
    // A picture of the recorded view carries the same file on.
    const QString again = other.folder.filePath("again." + ending);
    auto* curves =
        dynamic_cast<RecordedCurvesPanel*>(other.window->recording()->views()->view("curves"));
    curves->exportCarrying(again);
    const auto twice = experiment::readExperiment(again.toStdString());
    ASSERT_TRUE(twice) << twice.error().message;
    EXPECT_EQ(experiment::toText(*twice), experiment::toText(*carried));
  }
}

TEST(WindowExperiment, TwoCalibrationsOfOneMethodHaveTitlesOfTheirOwn) {
  auto recorded = std::make_shared<Experiment>();
  recorded->plan.trainedLength = 512;
  recorded->plan.lengths = {64};
  recorded->plan.settings = {"yarn:factor=4",
                             "yarn:factor=4,calibration=/gone/yarn-4x-psc.safetensors",
                             "yarn:factor=4,calibration=/gone/yarn-4x-psc.safetensors,psc_strength="
                             "0.5,lora=off"};
  for (const auto& setting : recorded->plan.settings) {
    recorded->results.push_back({.setting = setting,
                                 .method = "yarn",
                                 .factor = 4.0,
                                 .perplexity = {{.length = 64, .perplexity = 8.0}}});
  }
  RecordedCurvesPanel panel;
  panel.show(recorded, 1);
  QStringList titles;
  for (const auto& line : panel.model().lines()) titles << line.title;
  EXPECT_EQ(titles, (QStringList{"YaRN × 4", "YaRN × 4 + yarn-4x-psc",
                                 "YaRN × 4 + yarn-4x-psc 50 % without LoRA"}))
      << qPrintable(titles.join('\n'));
}

TEST(WindowExperiment, ABadFileIsOneSentenceAndLosesNothing) {
  Lesson lesson;
  lesson.make();
  lesson.save();
  RecordingPanel& panel = lesson.open(lesson.file);
  const auto before = panel.experiment();
  const QString bad = lesson.folder.filePath("bad.ropescope");
  const QString plain = lesson.folder.filePath("plain.png");
  ASSERT_TRUE(writeFileAtomically(bad.toStdString(), "{\"ropescope_experiment\": 1}"));
  ASSERT_TRUE(savePicture(lesson.window->attention().plot(), plain));
  for (const auto& [path, wanted] : {std::pair{bad, "program"}, std::pair{plain, "no experiment"},
                                     std::pair{lesson.folder.filePath("gone.ropescope"), "gone"}}) {
    lesson.window->openPath(path);
    ASSERT_TRUE(waitUntil([&, wanted = wanted] { return lesson.status().contains(wanted); }))
        << qPrintable(lesson.status());
    EXPECT_FALSE(lesson.status().contains('\n'));
    EXPECT_EQ(panel.experiment(), before);
    delete lesson.window->findChild<QMessageBox*>("errorBox");
  }
  EXPECT_EQ(lesson.chat.turns().size(), 3U);
}

TEST(WindowExperiment, APictureWithoutAnExperimentSaysSo) {
  Lesson lesson;
  lesson.load();  // and no document
  const QString path = lesson.folder.filePath("plot.png");
  lesson.window->angles().exportCarrying(path);
  ASSERT_TRUE(waitUntil([&] { return lesson.status().startsWith("Written: " + path); }))
      << qPrintable(lesson.status());
  EXPECT_TRUE(lesson.status().contains("carries no experiment: no document is open"))
      << qPrintable(lesson.status());
  EXPECT_FALSE(experiment::readExperiment(path.toStdString()));
  // Numbers never carry one, and a picture of something to keep says nothing of the kind.
  lesson.window->angles().exportCarrying(lesson.folder.filePath("plot.csv"));
  EXPECT_EQ(lesson.status(), "Written: " + lesson.folder.filePath("plot.csv"));
  lesson.open(60);
  lesson.window->angles().exportCarrying(path);
  EXPECT_TRUE(waitUntil([&] { return lesson.status() == "Written: " + path; }))
      << qPrintable(lesson.status());
  EXPECT_TRUE(experiment::readExperiment(path.toStdString()));
}

TEST(WindowExperiment, NothingToSaveIsSaidWithTheCure) {
  WholeWindow empty;
  empty.window->saveExperiment(empty.folder.filePath("none.ropescope"));
  ASSERT_TRUE(waitUntil([&] { return empty.status().contains("no model is loaded"); }))
      << qPrintable(empty.status());
  EXPECT_FALSE(QFile::exists(empty.folder.filePath("none.ropescope")));
}

}  // namespace
}  // namespace ropescope::ui
