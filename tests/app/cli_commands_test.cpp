// ask, generate, tokenize, inspect, and what every result has in common.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/app/cli_process.h"

namespace ropescope::cli_tests {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// From an independent C program (float32, greedy): tests/golden/README.md.
const std::vector<int> kLilyIds = {1,   403, 407, 261, 378, 432, 383, 286,
                                   261, 376, 298, 315, 421, 395, 317, 426};
constexpr const char* kLilyText = "Once upon a time, there was a little girl named Lily.";

TEST(Help, IsShownWithoutArgumentsAndForEveryCommand) {
  const Outcome general = run(std::vector<std::string>{});
  EXPECT_EQ(general.status, 0);
  EXPECT_THAT(general.out, HasSubstr("Examples:"));
  for (const char* command : {"ask", "generate", "score", "perplexity", "attention", "angles",
                              "inspect", "tokenize", "bench", "render", "heads"}) {
    EXPECT_THAT(general.out, HasSubstr(command));
    const Outcome help = run({command, "--help"});
    EXPECT_EQ(help.status, 0);
    EXPECT_THAT(help.out, HasSubstr(std::string("Usage: ropescope-cli ") + command));
    EXPECT_THAT(help.out, HasSubstr("--json FILE"));
  }
}

TEST(Version, IsOneLine) {
  const Outcome version = run({"--version"});
  EXPECT_EQ(version.status, 0);
  EXPECT_THAT(version.out, testing::MatchesRegex("RopeScope [0-9]+\\.[0-9]+\\.[0-9]+[^\n]*\n"));
}

TEST(Result, CarriesVersionModelSettingsAndSeconds) {
  const Json json = result({"generate", "--model", stories().string(), "--prompt", "Once",
                            "--max-new-tokens", "3", "--rope", "yarn", "--factor", "4",
                            "--rope-param", "beta_fast=16", "--seed", "7"});
  EXPECT_TRUE(json.at("version").is_string());
  EXPECT_EQ(json.at("model").at("path"), stories().string());
  EXPECT_EQ(json.at("model").at("hash").get<std::string>().size(), 64U);
  EXPECT_GT(json.at("seconds").get<double>(), 0.0);
  const Json& settings = json.at("settings");
  EXPECT_EQ(settings.at("seed"), 7);
  EXPECT_EQ(settings.at("device"), "cpu");
  EXPECT_EQ(settings.at("dtype"), "float32");
  EXPECT_EQ(settings.at("rope").at("method"), "yarn");
  EXPECT_EQ(settings.at("rope").at("factor"), 4.0);
  EXPECT_EQ(settings.at("rope").at("parameters").at("beta_fast"), 16.0);
  EXPECT_EQ(settings.at("rope").at("parameters").at("beta_slow"), 1.0);
  EXPECT_EQ(settings.at("sampling").at("temperature"), 0.0);
}

TEST(Result, GoesToAFileWithNothingOnStandardOutput) {
  const TempDir folder;
  const auto file = folder.path() / "result.json";
  const Outcome outcome = run(
      {"tokenize", "--model", stories().string(), "--text", kLilyText, "--json", file.string()});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(Json::parse(fileText(file)).at("tokens"), Json(kLilyIds));
}

TEST(Tokenize, GivesIdsPiecesAndSpans) {
  const Json json = result({"tokenize", "--model", stories().string(), "--text", kLilyText});
  EXPECT_EQ(json.at("tokens"), Json(kLilyIds));
  EXPECT_EQ(json.at("pieces").at(0), "<s>");
  EXPECT_EQ(json.at("pieces").size(), kLilyIds.size());
  EXPECT_EQ(json.at("spans").at(0), Json({0, 0}));
  EXPECT_EQ(json.at("spans").back().at(1), std::string(kLilyText).size());
}

// -h is a prompt like others: standard output carries the result and nothing else.
TEST(Generate, AValueThatLooksLikeAQuestionForHelpIsAValue) {
  const Json json = result(
      {"generate", "--model", stories().string(), "--prompt", "-h", "--max-new-tokens", "1"});
  EXPECT_EQ(json.at("token_ids").size(), 1U);
}

// Files beside config and weights that the model's hash does not cover.
TEST(Generate, SettingsNameTokenizerPromptFormatAndEnd) {
  TempDir folder;
  const auto model = folder.path() / "stories260K";
  fs::copy(stories(), model);
  const auto settings = [&] {
    return result({"generate", "--model", model.string(), "--prompt", "a", "--max-new-tokens", "1"})
        .at("settings");
  };
  const Json before = settings();
  EXPECT_EQ(before.at("tokenizer_sha256").get<std::string>().size(), 64U);
  EXPECT_EQ(before.at("eos"), Json({2}));
  std::ofstream(model / "generation_config.json") << R"({"eos_token_id": [2, 7]})";
  EXPECT_EQ(settings().at("eos"), Json({2, 7}));
  EXPECT_EQ(settings().at("tokenizer_sha256"), before.at("tokenizer_sha256"));
}

// Which list of factors is in use is said below the trained length too.
TEST(Generate, SaysWhatALengthDependentMethodDecided) {
  const auto factors =
      fs::path(ROPESCOPE_RESOURCES_DIR) / "calibrations" / "bookworm-11m" / "longrope-4x.json";
  const Outcome outcome = run({"generate", "--prompt", "Once", "--max-new-tokens", "1", "--rope",
                               "longrope", "--rope-param", "factors=" + factors.string()});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("short factors: planned"));
}

TEST(Generate, ContinuesAsTheReferenceDoes) {
  const Json json =
      result({"generate", "--model", stories().string(), "--prompt", "", "--max-new-tokens", "60"});
  EXPECT_THAT(json.at("text").get<std::string>(),
              StartsWith("Once upon a time, there was a little girl named Lily. She loved to play "
                         "outside in the park. One day, she saw a big, red ball."));
  EXPECT_EQ(json.at("token_ids").at(0), 403);
}

TEST(Generate, TakesIdsAsTheyAreWithoutATokenizer) {
  const TempDir folder;
  const auto ids = folder.path() / "ids.json";
  writeText(ids, "[1, 403, 407]");
  const auto model = folder.path() / "model";
  fs::copy(stories(), model);
  const Json with = result(
      {"generate", "--model", model.string(), "--tokens", ids.string(), "--max-new-tokens", "5"});
  fs::remove(model / "tokenizer.model");
  const Json without = result(
      {"generate", "--model", model.string(), "--tokens", ids.string(), "--max-new-tokens", "5"});
  EXPECT_EQ(with.at("token_ids"), Json({261, 378, 432, 383, 286}));
  EXPECT_EQ(without.at("token_ids"), with.at("token_ids"));
  EXPECT_EQ(with.at("text"), " a time, there was");
  EXPECT_TRUE(without.at("text").is_null());
}

TEST(Generate, RepeatsASampleWithTheSameSeed) {
  const std::vector<std::string> call = {
      "generate",      "--model", stories().string(), "--prompt", "Tom and",
      "--temperature", "1",       "--max-new-tokens", "20",       "--seed"};
  const auto ids = [&](const char* seed) {
    auto arguments = call;
    arguments.emplace_back(seed);
    return result(arguments).at("token_ids");
  };
  EXPECT_EQ(ids("3"), ids("3"));
  EXPECT_NE(ids("3"), ids("4"));
}

class AskTheSample : public testing::Test {
 protected:
  // Every planted fact, in one call.
  static std::vector<std::string> allQuestions() {
    std::vector<std::string> arguments = {"ask", "--document", sample().string()};
    for (const auto& fact : sampleFacts()) {
      arguments.insert(arguments.end(), {"--question", fact.at("question").get<std::string>()});
    }
    arguments.insert(arguments.end(),
                     {"--rope", "yarn", "--factor", "4", "--max-new-tokens", "16"});
    return arguments;
  }
};

TEST_F(AskTheSample, FindsThePlantedFactsAndReusesTheDocument) {
  const Json json = result(allQuestions());
  const Json facts = sampleFacts();
  ASSERT_EQ(json.at("answers").size(), facts.size());
  const auto documentTokens = json.at("settings").at("document_tokens").at(1).get<int>();
  for (std::size_t i = 0; i < facts.size(); ++i) {
    const Json& answer = json.at("answers").at(i);
    EXPECT_EQ(answer.at("question"), facts.at(i).at("question"));
    EXPECT_EQ(answer.at("text"), facts.at(i).at("answer"));
    EXPECT_EQ(answer.at("finish_reason"), "eos");
    EXPECT_GT(answer.at("prompt_tokens"), documentTokens);
    EXPECT_GE(answer.at("seconds").at("prefill").get<double>(), 0.0);
    EXPECT_GE(answer.at("seconds").at("decode").get<double>(), 0.0);
    if (i == 0) {
      EXPECT_EQ(answer.at("reused_tokens"), 0);
    } else {
      EXPECT_GT(answer.at("reused_tokens"), documentTokens);
    }
  }
  EXPECT_THAT(json.at("notices").dump(), HasSubstr("trained 1,024: yarn with factor 4"));
}

TEST_F(AskTheSample, AnswersAQuestionAloneAsAmongOthers) {
  const Json among = result(allQuestions());
  const std::string question = sampleFacts().at(1).at("question");
  const Json alone = result({"ask", "--document", sample().string(), "--question", question,
                             "--rope", "yarn", "--factor", "4", "--max-new-tokens", "16"});
  EXPECT_EQ(alone.at("answers").at(0).at("token_ids"), among.at("answers").at(1).at("token_ids"));
}

TEST_F(AskTheSample, ChatsWithEarlierTurnsInThePrompt) {
  auto arguments = allQuestions();
  const Json independent = result(arguments);
  arguments.emplace_back("--chat");
  const Json chat = result(arguments);
  EXPECT_EQ(chat.at("answers").at(0).at("token_ids"),
            independent.at("answers").at(0).at("token_ids"));
  EXPECT_GT(chat.at("answers").at(1).at("prompt_tokens"),
            independent.at("answers").at(1).at("prompt_tokens"));
  EXPECT_GT(chat.at("answers").at(1).at("reused_tokens"),
            independent.at("answers").at(1).at("reused_tokens"));
}

TEST_F(AskTheSample, PrintsTheAnswerOnStandardOutputWithoutJson) {
  const Json fact = sampleFacts().at(0);
  const Outcome outcome =
      run({"ask", "--document", sample().string(), "--question",
           fact.at("question").get<std::string>(), "--rope", "yarn", "--max-new-tokens", "16"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out, fact.at("answer").get<std::string>() + "\n");
}

TEST(Inspect, NamesMethodsParametersAndMemory) {
  const Json json = result({"inspect"});
  EXPECT_EQ(json.at("architecture"), "LlamaForCausalLM");
  EXPECT_EQ(json.at("trained_length"), 1024);
  // 2 (keys, values) * 6 layers * 2 heads * 64 * 4 bytes.
  EXPECT_EQ(json.at("kv_bytes_per_token"), 6144);
  std::vector<std::int64_t> lengths;
  for (const auto& row : json.at("memory")) {
    lengths.push_back(row.at("tokens"));
    EXPECT_EQ(row.at("kv_cache"), row.at("tokens").get<std::int64_t>() * 6144);
  }
  EXPECT_THAT(lengths, ElementsAre(4096, 8192, 16384, 32768, 65536, 131072));
  for (const auto& method : json.at("methods")) {
    EXPECT_EQ(method.at("available").get<bool>(), method.at("id") != "longrope");
    EXPECT_EQ(method.at("reason").is_null(), method.at("id") != "longrope");
    for (const auto& parameter : method.at("parameters")) {
      for (const char* field : {"name", "help", "default", "range"}) {
        EXPECT_TRUE(parameter.contains(field)) << method.at("id") << " " << field;
      }
    }
  }
}

}  // namespace
}  // namespace ropescope::cli_tests
