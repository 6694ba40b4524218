// Contributions in the window: the core's own numbers, ghosts after a switch, and nothing asked for
// while hidden.
#include "ui/panels/contribution_panel.h"

#include <numeric>

#include <gtest/gtest.h>

#include "tests/ui/live_app.h"

namespace ropescope::ui {
namespace {

constexpr double kSum = 1e-5;  // shares sum to the score that attention had

struct Window {
  LiveApp live;
  HeadChoice heads;
  TokenChoice tokens;
  ContributionPanel panel{{live.app, live.runner, heads, tokens}};

  Window() {
    panel.resize(430, 420);
    panel.show();
    live.load();
    live.open(20);
    const ModelConfig& config = live.app.engine()->config();
    heads.setModelShape(config.layers, config.heads);
    heads.setHead({2, 3});
  }

  void read() {
    live.app.readDocument();
    live.idle();
  }
  bool waitForBars() {
    return waitUntil([this] {
      return panel.model().pair().reading() != nullptr && !panel.model().pair().isLoading();
    });
  }
  TokenPair fromCore() {
    Result<TokenPair> asked = Error{};
    const PairRequest request = panel.model().pair().reading()->pair.request;
    live.runner.requestView<TokenPair>(
        QStringLiteral("test"), &live.app,
        [request](EngineRoom& room, const JobControl& job) {
          return tokenPair(*room.session, request, job);
        },
        [&](const Result<TokenPair>& pair) { asked = pair; });
    EXPECT_TRUE(waitUntil([&] { return bool(asked); }));
    return *asked;
  }
  void usePi() {
    MethodSettings settings = live.app.method();
    settings.rope = {.id = "pi", .values = {}, .factor = 2.0};
    live.app.applyMethod(settings);
    live.idle();
  }
};

TEST(ContributionPanel, ASecondQuestionIsReadInPlaceOfTheFirst) {
  Window window;
  window.live.app.setAnswerTokens(4);
  window.live.chat.ask("Who?");
  window.live.idle();
  const std::int64_t query = window.live.app.position() - 1;  // of the answer
  window.tokens.choose(query, 7);
  ASSERT_TRUE(window.waitForBars()) << window.panel.model().pair().message().toStdString();
  const double before = window.panel.model().pair().reading()->pair.used.score;
  window.live.chat.ask("What did the little girl see in the big green park with her friend?");
  window.live.idle();
  ASSERT_TRUE(waitUntil([&] {
    const auto reading = window.panel.model().pair().reading();
    return reading && reading->pair.used.score != before;
  })) << "still the first question's token";
  EXPECT_EQ(window.panel.model().pair().reading()->pair.used.score, window.fromCore().used.score);
}

TEST(ContributionPanel, ShowsTheCoresNumbersAndTheirTable) {
  Window window;
  ContributionViewModel& model = window.panel.model();
  EXPECT_FALSE(model.pair().message().isEmpty());
  window.read();
  window.tokens.choose(90, 7);
  ASSERT_TRUE(window.waitForBars()) << model.pair().message().toStdString();
  const TokenPair pair = window.fromCore();
  EXPECT_EQ(pair.request, (PairRequest{.layer = 2, .head = 3, .query = 90, .key = 7}));
  const auto wanted = contributions(pair.contents, *window.live.app.plan(), 90, 7);
  ASSERT_EQ(static_cast<std::size_t>(model.bars().shares.size()), wanted.size());
  for (std::size_t p = 0; p < wanted.size(); ++p) {
    EXPECT_EQ(model.bars().shares[static_cast<qsizetype>(p)], wanted[p]);
  }
  EXPECT_NEAR(std::accumulate(wanted.begin(), wanted.end(), 0.0), model.bars().row->score, kSum);
  EXPECT_EQ(model.bars().row->weight(), pair.used.weight());
  window.panel.showTable(true);
  EXPECT_EQ(window.panel.table().columns.at(1).numbers, wanted);
  EXPECT_EQ(window.panel.tableView()->tableModel()->rowCount(), static_cast<int>(wanted.size()));
  EXPECT_TRUE(model.sentence().contains(QStringLiteral("83 tokens")));
}

TEST(ContributionPanel, KeepsTheBarsOfBeforeASwitchAsGhosts) {
  Window window;
  ContributionViewModel& model = window.panel.model();
  window.read();
  window.tokens.choose(90, 7);
  ASSERT_TRUE(window.waitForBars());
  const ShareBars before = model.bars();
  window.usePi();
  ASSERT_TRUE(waitUntil([&] { return model.bars().isEmpty(); }));
  EXPECT_EQ(model.ghost().shares, before.shares);  // the new session is not read yet
  window.read();
  ASSERT_TRUE(window.waitForBars()) << model.pair().message().toStdString();
  EXPECT_EQ(model.ghost().shares, before.shares);
  EXPECT_EQ(model.ghost().row->weight(), before.row->weight());
  EXPECT_NE(model.bars().shares, before.shares);
  window.tokens.choose(90, 8);  // other tokens: nothing is known of them before
  ASSERT_TRUE(window.waitForBars());
  ASSERT_TRUE(waitUntil([&] { return model.ghost().isEmpty(); }));
  window.live.open(21);  // another document
  EXPECT_FALSE(window.tokens.query() < 0) << "the window clears the choice, not the view";
  EXPECT_EQ(model.pair().before(), nullptr);
}

TEST(ContributionPanel, ComparesWithTheSameContentsUnderAnotherMethod) {
  Window window;
  ContributionViewModel& model = window.panel.model();
  MethodSettings longer = window.live.app.method();  // the trained length alone needs no method
  longer.contextTokens = 2048;
  window.live.app.applyMethod(longer);
  window.read();
  window.tokens.choose(90, 7);
  ASSERT_TRUE(window.waitForBars());
  const int pi = static_cast<int>(model.comparisons().size()) - 1;
  ASSERT_GE(pi, 2) << "no method rotates otherwise";
  model.setComparison(pi);
  ASSERT_TRUE(waitUntil([&] { return model.ghost().row.has_value(); }));
  const double sum = std::accumulate(model.ghost().shares.begin(), model.ghost().shares.end(), 0.0);
  EXPECT_NEAR(sum, model.ghost().row->score, kSum);
  EXPECT_TRUE(model.levelText().contains(QStringLiteral("approximation")));
  window.heads.setHead({0, 1});
  ASSERT_TRUE(waitUntil([&] {
    return model.pair().reading() && model.ghost().row.has_value() &&
           model.pair().reading()->pair.request.layer == 0;
  }));
  EXPECT_TRUE(model.levelText().contains(QStringLiteral("exact")));
}

TEST(ContributionPanel, FindsTheStrongestKey) {
  Window window;
  window.read();
  window.tokens.choose(150, 20);
  ASSERT_TRUE(window.waitForBars());
  const double weight = window.panel.model().bars().row->weight();
  window.panel.model().pair().chooseStrongestKey();
  ASSERT_TRUE(waitUntil([&] { return window.tokens.key() != 20; }));
  ASSERT_TRUE(waitUntil([&] {
    const auto reading = window.panel.model().pair().reading();
    return reading && reading->pair.request.key == window.tokens.key();
  }));
  EXPECT_GT(window.panel.model().bars().row->weight(), weight);
  EXPECT_GE(window.tokens.key(), 4);
}

TEST(ContributionPanel, AsksForNothingWhileHidden) {
  Window window;
  window.panel.hide();
  window.read();
  window.tokens.choose(90, 7);
  window.heads.setHead({1, 1});
  EXPECT_FALSE(window.panel.model().pair().isLoading());
  EXPECT_EQ(window.panel.model().pair().reading(), nullptr);
  window.panel.show();
  EXPECT_TRUE(window.waitForBars());
}

TEST(ContributionPanel, SurvivesClosingAndSwitchingWhileItWaits) {
  auto window = std::make_unique<Window>();
  window->read();
  window->tokens.choose(90, 7);
  window->panel.model().setComparison(static_cast<int>(window->panel.model().comparisons().size()) -
                                      1);
  window->usePi();
  window->live.app.readDocument();
  window.reset();  // ends with the engine still reading
}

}  // namespace
}  // namespace ropescope::ui
