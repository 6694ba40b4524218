// Wrong calls and bad input: exit status, one sentence with the cure, an error object.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/app/cli_process.h"

namespace ropescope::cli_tests {
namespace {

using testing::HasSubstr;

struct Wrong {
  std::vector<std::string> arguments;
  int status = 2;
  std::string code;
  std::string sentence;  // part of it
};

// The sentence on standard error and the same in the error object.
void expectRefused(const Wrong& wrong) {
  std::vector<std::string> arguments = wrong.arguments;
  arguments.insert(arguments.end(), {"--json", "-"});
  const Outcome outcome = run(arguments);
  const std::string called = testing::PrintToString(wrong.arguments);
  EXPECT_EQ(outcome.status, wrong.status) << called << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr(wrong.sentence)) << called;
  const Json json = Json::parse(outcome.out, nullptr, /*allow_exceptions=*/false);
  ASSERT_TRUE(json.is_object() && json.contains("error")) << called << outcome.out;
  EXPECT_EQ(json.size(), 1U);
  EXPECT_EQ(json.at("error").at("code"), wrong.code) << called;
  EXPECT_THAT(json.at("error").at("message").get<std::string>(), HasSubstr(wrong.sentence));
}

void expectUsageError(std::vector<std::string> arguments, const std::string& sentence) {
  expectRefused({.arguments = std::move(arguments),
                 .status = 2,
                 .code = "invalid_argument",
                 .sentence = sentence});
}

void expectFailure(std::vector<std::string> arguments, const std::string& code,
                   const std::string& sentence) {
  expectRefused(
      {.arguments = std::move(arguments), .status = 1, .code = code, .sentence = sentence});
}

TEST(CommandLine, ExplainsWhatItDoesNotUnderstand) {
  const std::string text = sample().string();
  expectUsageError({"aks"}, "did you mean 'ask'?");
  expectUsageError({"score", "--documnt", text}, "did you mean --document?");
  expectUsageError({"score"}, "'score' needs --document or --tokens");
  expectUsageError({"score", "--document", text, "--tokens", "x"}, "not both");
  expectUsageError({"score", "--document", text, "--threads", "two"}, "a whole number");
  expectUsageError({"score", "--document", text, "--factor", "big"}, "a number");
  expectUsageError({"score", "--document", text, "--factor"}, "--factor needs a value");
  expectUsageError({"score", "--document", text, "--rope", "yarm"}, "did you mean yarn?");
  expectUsageError({"score", "--document", text, "--seed", "1", "--seed", "2"}, "given twice");
  expectUsageError({"score", "--document", text, "--document-tokens", "7:3"}, "a range A:B");
  expectUsageError({"ask", "--document", text, "--question", "Who", "is"}, "'is' stands alone");
}

TEST(CommandLine, RefusesOptionsThatWouldChangeNothing) {
  const std::string text = sample().string();
  expectUsageError({"tokenize", "--text", "a", "--rope", "yarn"}, "has no use for --rope");
  expectUsageError({"perplexity", "--document", text, "--stride", "8"}, "--protocol sliding");
  expectUsageError({"score", "--document", text, "--psc-strength", "1"}, "--calibration");
  expectUsageError({"perplexity", "--document", text, "--methods", "pi", "--factor", "4"},
                   "write it into --methods");
}

TEST(BadInput, IsNamedWithItsCure) {
  const TempDir folder;
  const auto file = [&](const char* name, const std::string& bytes) {
    writeText(folder.path() / name, bytes);
    return (folder.path() / name).string();
  };
  const std::string text = sample().string();
  expectFailure({"score", "--document", "not-there.txt"}, "not_found", "not-there.txt");
  expectFailure({"score", "--document", file("empty.txt", "")}, "invalid_argument", "is empty");
  expectFailure({"score", "--document", file("binary.txt", std::string("a\0b", 3))},
                "invalid_argument", "binary");
  expectFailure({"score", "--document", file("latin.txt", "caf\xe9 noir")}, "invalid_argument",
                "not UTF-8");
  expectFailure({"score", "--document", text, "--context", "500"}, "invalid_argument",
                "take a part with --document-tokens 0:499");
  expectFailure({"ask", "--document", text, "--question", "Q", "--context", "500"},
                "invalid_argument", "--document-tokens 0:");
  expectFailure({"score", "--document", text, "--document-tokens", "0:999999"}, "invalid_argument",
                "give a range within 0:");
  expectFailure({"score", "--tokens", file("ids.json", "[1, 2, 4096]")}, "invalid_argument",
                "id 4096 at index 2");
  expectFailure({"score", "--tokens", file("object.json", "{}")}, "invalid_argument",
                "a JSON array of token ids");
  expectFailure({"score", "--document", text, "--factor", "0.5"}, "invalid_argument",
                "1 or larger");
  expectFailure({"score", "--document", text, "--rope", "yarn", "--rope-param", "beta_fst=3"},
                "invalid_argument", "did you mean beta_fast?");
  expectFailure({"score", "--document", text, "--rope", "longrope"}, "unsupported", "factors=FILE");
  expectFailure({"attention", "--document", text, "--layer", "6", "--head", "0"},
                "invalid_argument", "layers 0 to 5");
  expectFailure({"perplexity", "--document", text, "--lengths", "64,99999"}, "invalid_argument",
                "the longest document has");
  expectFailure({"inspect", "--dtype", "float16", "--device", "cpu"}, "unsupported", "float32");
}

TEST(BadModel, IsNamedWithItsCure) {
  const TempDir folder;
  const auto model = folder.path() / "model";
  fs::copy(stories(), model);
  const std::vector<std::string> inspect = {"inspect", "--model", model.string()};
  fs::resize_file(model / "model.safetensors", 100000);
  expectFailure(inspect, "corrupt_file", "model.safetensors");
  fs::remove(model / "model.safetensors");
  expectFailure(inspect, "not_found", "model.safetensors");
  Json config = Json::parse(fileText(model / "config.json"));
  config["architectures"] = {"ParrotForCausalLM"};
  writeText(model / "config.json", config.dump());
  expectFailure(inspect, "unsupported", "ParrotForCausalLM");
  expectFailure({"inspect", "--model", (folder.path() / "none").string()}, "not_found", "none");
}

TEST(Outputs, ThatCannotBeWrittenFailBeforeAndAfterTheWork) {
  const std::vector<std::string> call = {"tokenize", "--text", "a"};
  auto missing = call;
  missing.insert(missing.end(), {"--json", "/no-such-folder/x.json"});
  const Outcome before = run(missing);
  EXPECT_EQ(before.status, 1);
  EXPECT_THAT(before.err, HasSubstr("there is no folder /no-such-folder"));
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full to play a full disk";
  auto full = call;
  full.insert(full.end(), {"--json", "/dev/full"});
  const Outcome after = run(full);
  EXPECT_EQ(after.status, 1);
  EXPECT_THAT(after.err, HasSubstr("free some space"));
  const Outcome text = run(Call{.arguments = call, .standardOut = "/dev/full"});
  EXPECT_EQ(text.status, 1);
  EXPECT_THAT(text.err, HasSubstr("could not be written"));
}

TEST(Resources, ThatAreMissingAreNamed) {
  const Outcome outcome = run(
      Call{.arguments = {"inspect"}, .environment = {{"ROPESCOPE_RESOURCES", "/no-such-folder"}}});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("ROPESCOPE_RESOURCES is '/no-such-folder'"));
}

TEST(Resources, AreFoundBesideACopiedProgram) {
  const TempDir folder;
  const auto copy = folder.path() / "ropescope-cli";
  fs::copy_file(program(), copy);
  fs::create_directories(folder.path() / "resources" / "models");
  fs::copy(stories(), folder.path() / "resources" / "models" / "bookworm-11m");
  const Outcome outcome = run(Call{.arguments = {"inspect", "--json", "-"}, .program = copy});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(Json::parse(outcome.out).at("trained_length"), 512);
}

TEST(Notices, SayWhatHasNoEffect) {
  const Json json = result({"score", "--document", sample().string(), "--document-tokens", "0:20",
                            "--rope", "none", "--factor", "4"});
  EXPECT_THAT(json.at("notices").dump(), HasSubstr("takes no factor"));
  EXPECT_EQ(json.at("settings").at("rope").at("factor"), 1.0);
}

TEST(Interrupt, WritesThePartialAnswer) {
  const TempDir folder;
  const auto file = folder.path() / "partial.json";
  // Greedy and without an end in sight; streamed text goes to standard error with --json.
  const Outcome outcome =
      run(Call{.arguments = {"generate", "--prompt", "It was a dark night and", "--max-new-tokens",
                             "20000", "--json", file.string()},
               .interruptAfter = "the sun"});
  EXPECT_EQ(outcome.status, 130) << outcome.err;
  const Json json = Json::parse(fileText(file));
  EXPECT_EQ(json.at("interrupted"), true);
  EXPECT_EQ(json.at("finish_reason"), "stopped");
  EXPECT_GT(json.at("token_ids").size(), 0U);
  EXPECT_LT(json.at("token_ids").size(), 20000U);
  EXPECT_THAT(json.at("text").get<std::string>(), HasSubstr("the sun"));
}

}  // namespace
}  // namespace ropescope::cli_tests
