// experiment new, run, show and render --experiment, as a person would use them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/app/cli_process.h"

namespace ropescope::cli_tests {
namespace {

using testing::HasSubstr;

Json makeExperiment(const fs::path& out) {
  return result({"experiment",
                 "new",
                 "--model",
                 stories().string(),
                 "--document",
                 sample().string(),
                 "--document-tokens",
                 "0:100",
                 "--methods",
                 "none;pi:factor=2",
                 "--question",
                 "Who?",
                 "--max-new-tokens",
                 "6",
                 "--lengths",
                 "32,64",
                 "--maps",
                 "1:2,4:7",
                 "--size",
                 "16",
                 "--out",
                 out.string()});
}

TEST(Experiment, RunsAgainWithTheSameResults) {
  const TempDir temp;
  const fs::path file = temp / "lesson.ropescope";
  const Json made = makeExperiment(file);
  ASSERT_EQ(made.at("results").size(), 2U);
  EXPECT_EQ(made["results"][1]["factor"], 2.0);
  EXPECT_EQ(made["results"][1]["maps"], 2);
  const Json again = result({"experiment", "run", file.string(), "--model", stories().string()});
  EXPECT_EQ(again.at("agrees"), true);
  EXPECT_EQ(again.at("differences").size(), 2U * (1 + 2 + 2)) << "an answer, 2 losses, 2 maps each";
  const Outcome other = run({"experiment", "run", file.string(), "--model", bookworm().string()});
  EXPECT_EQ(other.status, 1);
  EXPECT_THAT(other.err, HasSubstr("made with the model of stories260K"));
}

TEST(Experiment, RunsTheOthersWhenAFileIsGone) {
  const TempDir temp;
  const fs::path file = temp / "lesson.ropescope";
  makeExperiment(file);
  Json json = Json::parse(fileText(file));
  json["plan"]["settings"].push_back("longrope:factor=2,factors=/gone/lists.json");
  writeText(file, json.dump());
  const fs::path out = temp / "again.ropescope";
  const Json again = result(
      {"experiment", "run", file.string(), "--model", stories().string(), "--out", out.string()});
  EXPECT_EQ(again.at("agrees"), false);
  const Json& lines = again.at("differences");
  ASSERT_EQ(lines.size(), 2U * (1 + 2 + 2) + 1);
  for (std::size_t i = 0; i + 1 < lines.size(); ++i)
    EXPECT_EQ(lines[i]["agrees"], true) << lines[i];
  EXPECT_THAT(lines.back()["now"].get<std::string>(),
              HasSubstr("could not be run: /gone/lists.json is not there"));
  const Json written = result({"experiment", "show", out.string()});
  EXPECT_EQ(written.at("results").size(), 2U);
  EXPECT_EQ(written.at("plan").at("settings"), Json({"none", "pi:factor=2"}));
}

TEST(Experiment, MatchesWhatTheCommandsSayAlone) {
  const TempDir temp;
  const Json made = makeExperiment(temp / "lesson.ropescope");
  const Json curve =
      result({"perplexity", "--model", stories().string(), "--document", sample().string(),
              "--document-tokens", "0:100", "--methods", "pi:factor=2", "--lengths", "32,64"});
  EXPECT_EQ(made["results"][1]["perplexity"][1]["perplexity"],
            curve.at("curves")[0]["points"][1]["perplexity"]);
  const Json asked = result({"ask", "--model", stories().string(), "--document", sample().string(),
                             "--document-tokens", "0:100", "--question", "Who?", "--rope", "pi",
                             "--factor", "2", "--max-new-tokens", "6"});
  EXPECT_EQ(made["results"][1]["answers"][0]["text"], asked.at("answers")[0]["text"]);
}

TEST(Experiment, ShowsAndDrawsWithoutItsModel) {
  const TempDir temp;
  const fs::path file = temp / "lesson.ropescope";
  makeExperiment(file);
  const Json shown = result({"experiment", "show", file.string(), "--model", "/nowhere"});
  EXPECT_EQ(shown.at("plan").at("model"), "stories260K");
  const Json drawn = result({"render", "--experiment", file.string(), "--out",
                             (temp / "pictures").string(), "--model", "/nowhere"});
  ASSERT_EQ(drawn.at("files").size(), 2U * 2 + 2) << "two maps a setting, angles, perplexity";
  for (const auto& picture : drawn["files"]) {
    const Json carried = result({"experiment", "show", picture.get<std::string>()});
    EXPECT_EQ(carried.at("results"), shown.at("results")) << picture;
  }
}

TEST(Experiment, RefusesWhatIsNone) {
  const Outcome refused = run({"experiment", "show", sample().string()});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("no experiment"));
  const Outcome maps = run({"experiment", "new", "--document", sample().string(), "--methods",
                            "none", "--maps", "2", "--out", "/tmp/none.ropescope"});
  EXPECT_EQ(maps.status, 2);
  EXPECT_THAT(maps.err, HasSubstr("LAYER:HEAD"));
}

}  // namespace
}  // namespace ropescope::cli_tests
