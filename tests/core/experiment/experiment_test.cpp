// Expected answers, losses and maps: a session of the engine asked for each alone.
#include "core/experiment/experiment.h"

#include <cmath>
#include <cstring>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/base/file_io.h"
#include "core/experiment/experiment_run.h"
#include "core/picture/png_text.h"
#include "tests/support/asking.h"

namespace ropescope::experiment {
namespace {

using test::EnginePtr;
using test::Ids;
using testing::HasSubstr;

const std::string kStory =
    "Once upon a time there was a little girl named Lily. She had a red ball. One day the ball "
    "rolled into the pond and Lily was sad. Tom came and helped her.";

EnginePtr stories() {
  static const EnginePtr engine = [] {
    auto loaded =
        Engine::load({.model = test::storiesPath(), .dtype = "float32", .threads = 1}, {});
    EXPECT_TRUE(loaded) << loaded.error().message;
    return *loaded;
  }();
  return engine;
}

Plan smallPlan() {
  Plan plan{.documentName = "lily.txt",
            .documentText = kStory,
            .settings = {"none", "pi:factor=2"},
            .contextTokens = 256,
            .questions = {"What did Lily have?"},
            .generation = {.maxNewTokens = 8},
            .lengths = {16, 32},
            .maps = {{.layer = 1, .head = 3, .cells = 12}}};
  EXPECT_TRUE(describeModel(*stories(), plan));
  return plan;
}

Experiment recorded() {
  static const Experiment made = [] {
    Experiment experiment{.program = "1", .plan = smallPlan()};
    for (const auto& setting : experiment.plan.settings) {
      auto result = runSetting(*stories(), experiment.plan, setting, {});
      EXPECT_TRUE(result) << result.error().message;
      if (result) experiment.results.push_back(*std::move(result));
    }
    return experiment;
  }();
  return made;
}

std::string bytesOf(const std::vector<float>& values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

TEST(Experiment, RecordsWhatASessionGives) {
  const Experiment experiment = recorded();
  const auto tokenizer = *stories()->tokenizer();
  const auto document = *documentPart(stories()->promptFormat(), *tokenizer, kStory);
  const auto question =
      *questionPart(stories()->promptFormat(), *tokenizer, experiment.plan.questions[0]);
  auto session = *stories()->newSession({.rope = {.id = "pi", .values = {}, .factor = 2.0},
                                         .contextTokens = 256,
                                         .captureLayers = {1}});
  const auto answer =
      test::ask(*session, {document.ids, question.ids}, {}, experiment.plan.generation);
  const RecordedSetting& pi = experiment.results.at(1);
  EXPECT_EQ(test::answerOf({.tokens = pi.answers.at(0).tokens}), answer);
  EXPECT_EQ(pi.documentTokens, static_cast<std::int64_t>(document.ids.size()));
  EXPECT_EQ(pi.factor, 2.0);
  const auto map = session->attentionMap(pi.maps.at(0).request, {});
  ASSERT_TRUE(map);
  EXPECT_EQ(bytesOf(pi.maps[0].values), bytesOf(map->values)) << "masked cells are NaN: bytes";
  const auto curve = measureCurve(*stories(), *parseCurve("pi:factor=2", *stories()),
                                  {tokenizer->encode(kStory).ids}, {.lengths = {16, 32}}, {}, {});
  ASSERT_TRUE(curve);
  EXPECT_EQ(pi.perplexity.at(1).nllMeanTo, curve->points.at(1).nllMeanTo);
}

TEST(Experiment, ComesBackFromItsFileAndFromAPicture) {
  const Experiment experiment = recorded();
  const test::TempDir temp;
  ASSERT_TRUE(writeExperiment(experiment, temp / "a.ropescope"));
  const auto read = readExperiment(temp / "a.ropescope");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(toText(*read), toText(experiment));
  EXPECT_EQ(bytesOf(read->results[0].maps[0].values),
            bytesOf(experiment.results[0].maps[0].values));
  for (const auto& line : compare(experiment.results, read->results)) {
    EXPECT_TRUE(line.agrees) << line.what;
  }
  const std::string empty("\x89PNG\r\n\x1a\n\0\0\0\0IEND\xae\x42\x60\x82", 20);
  ASSERT_TRUE(writeFileAtomically(temp / "bare.png", empty));
  EXPECT_THAT(readExperiment(temp / "bare.png").error().message,
              HasSubstr("carries no experiment"));
  ASSERT_TRUE(writeFileAtomically(
      temp / "a.png", *picture::withPngText(empty, kPictureKeyword, toText(experiment))));
  const auto carried = readExperiment(temp / "a.png");
  ASSERT_TRUE(carried) << carried.error().message;
  EXPECT_EQ(toText(*carried), toText(experiment));
}

// What the first program wrote, word for word: form 1, without anything that came later.
TEST(Experiment, ReadsAFileOfTheFirstForm) {
  const auto read = fromText(
      R"({"ropescope_experiment": 1, "program": "0.1.0",
       "plan": {"model": {"name": "m", "hash": "h", "tokenizer_sha256": "t", "dtype": "float32",
                          "trained_length": 8, "plain_inv_freq": [1.0]},
                "protocol": "one pass", "document": {"name": "d.txt", "text": "text"},
                "settings": ["none"], "context": 8, "questions": ["Q"],
                "sampling": {"max_new_tokens": 4, "temperature": 0.0, "top_p": 1.0, "top_k": 0,
                             "seed": 0, "stop_at_eos": true},
                "lengths": [4], "maps": []},
       "results": [{"setting": "none", "method": "none", "factor": 1.0, "attention_factor": 1.0,
                    "inv_freq": [1.0], "note": "", "calibration_sha256": null,
                    "document_tokens": 5,
                    "answers": [{"text": "yes", "token_ids": [7], "log_probabilities": [-0.5],
                                 "finish_reason": "eos"}],
                    "perplexity": [{"length": 4, "nll": 1.0, "perplexity": 2.718281828,
                                    "scored_tokens": 3}],
                    "maps": [], "seconds": 0.25}]})",
      "old");
  ASSERT_TRUE(read) << read.error().message;
  const RecordedSetting& result = read->results.at(0);
  EXPECT_EQ(result.answers.at(0).text, "yes");
  EXPECT_TRUE(result.answers[0].ends.empty());
  EXPECT_EQ(result.answers[0].seconds, 0.0);
  EXPECT_EQ(result.perplexity.at(0).documents, 1);
  EXPECT_TRUE(read->layout.empty());
}

TEST(Experiment, StaysInTheFirstFormWhileNothingIsMissing) {
  Experiment experiment = recorded();
  const auto formOf = [](const Experiment& of) {
    return nlohmann::json::parse(toText(of)).at("ropescope_experiment").get<int>();
  };
  EXPECT_EQ(formOf(experiment), 1) << "an older program reads it";
  experiment.layout = "window";
  EXPECT_EQ(formOf(experiment), 1);
  experiment.results[1].answers[0] = {};  // not asked
  experiment.results[0].maps[0] = {};     // not drawn
  EXPECT_EQ(formOf(experiment), 2);
  const auto read = fromText(toText(experiment), "lesson");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_FALSE(read->results[1].answers[0].isRecorded());
  EXPECT_TRUE(read->results[0].maps[0].values.empty());
  EXPECT_EQ(read->layout, "window");
  EXPECT_EQ(toText(*read), toText(experiment));
  auto asOne = nlohmann::json::parse(toText(experiment));
  asOne["ropescope_experiment"] = 1;
  EXPECT_THAT(fromText(asOne.dump(), "lesson").error().message, HasSubstr("is missing"));
  for (const auto& line : compare(experiment.results, recorded().results)) {
    EXPECT_TRUE(line.agrees) << line.what << ": what was not recorded cannot differ";
  }
}

TEST(Experiment, KeepsWhereEveryTokenEndsInTheAnswer) {
  const RecordedAnswer answer = recorded().results.at(0).answers.at(0);
  ASSERT_EQ(answer.ends.size(), answer.tokens.size());
  EXPECT_EQ(answer.ends.back(), static_cast<std::int64_t>(answer.text.size()));
  const auto tokenizer = *stories()->tokenizer();
  // Behind the first token every token adds its own bytes: these answers are all ASCII.
  for (std::size_t i = 1; i < answer.tokens.size(); ++i) {
    const auto begin = static_cast<std::size_t>(answer.ends[i - 1]);
    const auto end = static_cast<std::size_t>(answer.ends[i]);
    EXPECT_EQ(answer.text.substr(begin, end - begin), tokenizer->bytes(answer.tokens[i].id));
  }
  EXPECT_GT(answer.seconds, 0.0);
}

TEST(Experiment, SaysWhatCameOutDifferently) {
  const Experiment experiment = recorded();
  auto changed = experiment.results;
  changed[0].answers[0].tokens[0].id += 1;
  changed[0].perplexity[1].nllMeanTo += 0.01;
  changed[1].maps[0].values[0] += 0.01F;
  changed[1].calibrationHash = "0123";
  std::vector<std::string> others;
  for (const auto& line : compare(experiment.results, changed)) {
    if (!line.agrees) others.push_back(line.setting + ": " + line.what);
  }
  EXPECT_THAT(others, testing::ElementsAre("none: answer 1", "none: loss at 32 tokens",
                                           "pi:factor=2: calibration file",
                                           "pi:factor=2: map of layer 1, head 3"));
  changed = {experiment.results[0]};
  const auto lines = compare(experiment.results, changed);
  EXPECT_EQ(lines.back().now, "not run");
  EXPECT_FALSE(lines.back().agrees);
}

TEST(Experiment, LooksForFilesAmongTheBundledOnes) {
  const test::TempDir temp;
  std::filesystem::create_directories(temp / "bundled" / "mine");
  std::filesystem::create_directories(temp / "bundled" / "a-first");
  const auto mine = temp / "bundled" / "mine" / "a.safetensors";
  const auto other = temp / "bundled" / "a-first" / "a.safetensors";
  ASSERT_TRUE(writeFileAtomically(mine, "another"));
  ASSERT_TRUE(writeFileAtomically(other, "abc"));
  const Plan plan{.model = "mine"};
  const std::string hash =  // of "abc": FIPS 180-4's example
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  const std::string gone = "yarn:factor=4,calibration=/gone/a.safetensors,psc_strength=0.5";
  const auto at = [](const std::filesystem::path& file) {
    return "yarn:factor=4,calibration=" + file.string() + ",psc_strength=0.5";
  };
  EXPECT_EQ(*settingHere(plan, gone, hash, temp / "bundled"), at(other)) << "the same contents";
  EXPECT_EQ(*settingHere(plan, gone, {}, temp / "bundled"), at(mine)) << "of the plan's model";
  EXPECT_EQ(*settingHere(plan, at(mine), hash, temp / "bundled"), at(mine)) << "it is there";
  const std::string wrong(64, '0');
  const auto refused = settingHere(plan, gone, wrong, temp / "bundled");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::NotFound);
  EXPECT_THAT(refused.error().message, HasSubstr("/gone/a.safetensors is not there"));
  EXPECT_EQ(*settingHere(plan, "pi:factor=2", {}, {}), "pi:factor=2");
}

TEST(Experiment, RunsTheOthersWhenOneCannotBe) {
  const test::TempDir temp;
  const std::string factors = R"({"short_factor": [1, 1.5, 2, 3], "long_factor": [1, 1.5, 2, 3]})";
  ASSERT_TRUE(writeFileAtomically(temp / "lists.json", factors));
  const std::string moved = "longrope:factor=2,factors=" + (temp / "lists.json").string();
  Experiment experiment{.plan = smallPlan()};
  experiment.plan.settings = {moved, "none"};
  for (const auto& setting : experiment.plan.settings) {
    auto result = runSetting(*stories(), experiment.plan, setting, {});
    ASSERT_TRUE(result) << result.error().message;
    experiment.results.push_back(*std::move(result));
  }
  const auto bundled = temp / "bundled" / "stories260K";
  std::filesystem::create_directories(bundled);
  std::filesystem::rename(temp / "lists.json", bundled / "lists.json");
  const auto found = runAgain(*stories(), experiment, temp / "bundled", [](const auto&) {}, {});
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_TRUE(found->failed.empty());
  ASSERT_EQ(found->results.size(), 2U);
  EXPECT_EQ(found->results[0].setting, moved) << "under the plan's name";
  for (const auto& line : compare(experiment.results, found->results)) {
    EXPECT_TRUE(line.agrees) << line.setting << " " << line.what;
  }

  std::vector<std::string> begun;
  const auto lost = runAgain(*stories(), experiment, {},
                             [&](const std::string& setting) { begun.push_back(setting); }, {});
  ASSERT_TRUE(lost) << lost.error().message;
  EXPECT_EQ(begun, experiment.plan.settings);
  ASSERT_EQ(lost->results.size(), 1U);
  std::vector<std::string> others;
  for (const auto& line : compare(experiment.results, lost->results, lost->failed)) {
    if (!line.agrees) others.push_back(line.now);
  }
  ASSERT_EQ(others.size(), 1U) << "the other setting came out again";
  EXPECT_THAT(others[0], testing::StartsWith("could not be run: "));
  EXPECT_THAT(others[0], HasSubstr("lists.json is not there"));
}

TEST(Experiment, AStopWhileRunningAgainEndsItAll) {
  test::StopAfter stop(1);
  const auto stopped = runAgain(
      *stories(), recorded(), {}, [](const auto&) {}, stop.job);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::Cancelled);
}

TEST(Experiment, RefusesAnotherModel) {
  Plan plan = smallPlan();
  EXPECT_TRUE(checkModel(*stories(), plan));
  plan.modelHash = "feedbeef";
  const Status refused = checkModel(*stories(), plan);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("feedbeef"));
  EXPECT_THAT(refused.error().message, HasSubstr("--model"));
}

TEST(Experiment, RefusesHeadsThatTheModelHasNot) {
  Plan plan = smallPlan();
  plan.maps = {{.layer = 5, .head = 0}};
  const auto refused = runSetting(*stories(), plan, "none", {});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("layers 0 to 4"));
}

TEST(Experiment, AStopEndsItWithoutHalfARecord) {
  test::StopAfter stop(1);
  const auto stopped = runSetting(*stories(), smallPlan(), "none", stop.job);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::Cancelled);
}

TEST(Experiment, SaysWhereAFileIsWrong) {
  const auto good = nlohmann::json::parse(toText(recorded()));
  const auto refusal = [&](const std::function<void(nlohmann::json&)>& change) {
    nlohmann::json json = good;
    change(json);
    const auto read = fromText(json.dump(), "lesson");
    return read ? std::string("taken") : read.error().message;
  };
  using Json = nlohmann::json;
  EXPECT_EQ(refusal([](Json&) {}), "taken");
  EXPECT_THAT(fromText("not JSON", "lesson").error().message, HasSubstr("lesson: no experiment"));
  EXPECT_THAT(refusal([](Json& j) { j["ropescope_experiment"] = 3; }), HasSubstr("form 3"));
  EXPECT_THAT(refusal([](Json& j) { j["plan"]["settings"] = Json::array(); }),
              HasSubstr("settings is empty"));
  EXPECT_THAT(refusal([](Json& j) { j["plan"].erase("context"); }), HasSubstr("context"));
  EXPECT_THAT(refusal([](Json& j) { j["results"][0]["maps"][0]["weights"] = "AAAA"; }),
              HasSubstr("weights"));
  EXPECT_THAT(refusal([](Json& j) { j["results"][0]["maps"][0]["reducer"] = "sum"; }),
              HasSubstr("max or mean"));
  EXPECT_THAT(refusal([](Json& j) { j["results"][1]["answers"] = Json::array(); }),
              HasSubstr("0 answers to 1 questions"));
  EXPECT_THAT(refusal([](Json& j) { j["results"][0]["setting"] = "ntk"; }), HasSubstr("'ntk'"));
  EXPECT_THAT(refusal([](Json& j) { j["results"][0]["answers"][0]["token_ids"] = {1}; }),
              HasSubstr("1 token ids"));
  EXPECT_THAT(refusal([](Json& j) {
                j["results"][0]["answers"][0]["token_ends"] = {9, 4};
              }),
              HasSubstr("ends of an answer's tokens"));
}

}  // namespace
}  // namespace ropescope::experiment
