// score, perplexity, angles, attention, bench, render: fields and how they agree.
#include <cmath>
#include <numbers>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/app/cli_process.h"

namespace ropescope::cli_tests {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr double kFloat32Rounding = 1e-4;  // other chunk sizes add up in another order
constexpr const char* kPngSignature = "\x89PNG";

std::vector<std::string> on(const fs::path& model, std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--model", model.string()});
  return arguments;
}

TEST(Score, GivesLossesAndTheReferenceLogits) {
  const TempDir folder;
  const auto ids = folder.path() / "ids.json";
  writeText(ids, "[1,403,407,261,378,432,383,286,261,376,298,315,421,395,317,426]");
  const Json json = result(on(stories(), {"score", "--tokens", ids.string(), "--last-logits"}));
  EXPECT_EQ(json.at("tokens").size(), 16U);
  ASSERT_EQ(json.at("nll").size(), 16U);
  EXPECT_TRUE(json.at("nll").at(0).is_null());
  double sum = 0.0;
  for (std::size_t i = 1; i < 16; ++i) sum += json.at("nll").at(i).get<double>();
  EXPECT_DOUBLE_EQ(json.at("mean_nll").get<double>(), sum / 15.0);
  EXPECT_DOUBLE_EQ(json.at("perplexity").get<double>(), std::exp(sum / 15.0));
  // From an independent C program: the largest logit after token 15 is 17.45652, of id 338.
  const auto logits = json.at("last_logits").get<std::vector<double>>();
  ASSERT_EQ(logits.size(), 512U);
  EXPECT_EQ(std::max_element(logits.begin(), logits.end()) - logits.begin(), 338);
  EXPECT_NEAR(logits[338], 17.45652, kFloat32Rounding);
}

// --context is the planned length, here twice the trained one; 64 tokens of it are measured.
TEST(PerplexityCurves, AreUnderThePlanOfTheContext) {
  const std::vector<std::string> plan = {"--rope", "dynamic", "--context", "1024"};
  const auto with = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), plan.begin(), plan.end());
    return result(on(stories(), std::move(arguments)));
  };
  const Json curve = with({"perplexity", "--document", sample().string(), "--lengths", "64"});
  EXPECT_EQ(curve.at("settings").at("context"), 1024);
  EXPECT_EQ(curve.at("curves").at(0).at("settings").at("factor"), 2.0);
  const Json score = with({"score", "--document", sample().string(), "--document-tokens", "0:63"});
  EXPECT_NEAR(curve.at("curves").at(0).at("points").at(0).at("nll_mean_to").get<double>(),
              score.at("mean_nll").get<double>(), kFloat32Rounding);
}

TEST(Score, CutsADocumentAtTokensAndPutsBosInFront) {
  const Json all = result({"tokenize", "--document", sample().string()});
  const Json part =
      result({"score", "--document", sample().string(), "--document-tokens", "100:140"});
  ASSERT_EQ(part.at("tokens").size(), 41U);
  EXPECT_EQ(part.at("tokens").at(0), all.at("tokens").at(0));
  for (std::size_t i = 0; i < 40; ++i) {
    EXPECT_EQ(part.at("tokens").at(i + 1), all.at("tokens").at(101 + i));
  }
  EXPECT_TRUE(part.at("last_logits").is_null());
}

// 250 tokens hold two chunks of 100 (BOS in front); positions 50 to 98 of each predict.
TEST(Perplexity, AsLlamaCppAndAsAWideCsv) {
  const TempDir folder;
  const auto wide = folder.path() / "wide.csv";
  const Json json = result(
      on(stories(), {"perplexity", "--document", sample().string(), "--document-tokens", "0:250",
                     "--lengths", "50,100", "--methods", "none;yarn:factor=2,ramp=paper",
                     "--protocol", "llama.cpp", "--wide-csv", wide.string()}));
  EXPECT_EQ(json.at("protocol"), "llama.cpp");
  const Json& points = json.at("curves").at(1).at("points");
  EXPECT_EQ(points.at(1).at("scored_tokens"), 2 * 49);
  EXPECT_TRUE(points.at(1).at("standard_error").is_number());
  const std::string csv = fileText(wide);
  EXPECT_THAT(csv, StartsWith(",50,100\nnone,"));
  EXPECT_THAT(csv, HasSubstr("\n\"yarn:factor=2,ramp=paper\","));
}

TEST(Perplexity, SetsPublishedCurvesBesideItsOwnAndWarns) {
  const TempDir folder;
  const auto wide = folder.path() / "others.csv";
  writeText(wide, ",100,200\nsome/model,5.5,\n");
  const Json json =
      result(on(stories(), {"perplexity", "--document", sample().string(), "--document-tokens",
                            "0:250", "--lengths", "100", "--methods", "none", "--published",
                            "pi-llama-7b-pi-8k-pg19", "--published", wide.string()}));
  ASSERT_EQ(json.at("published").size(), 2U);
  const Json& pi = json.at("published").at(0);
  EXPECT_EQ(pi.at("source"), "arXiv:2306.15595 Table 1");
  EXPECT_EQ(pi.at("protocol"), "sliding");
  EXPECT_EQ(pi.at("points").at(2).at("perplexity"), 6.95);
  EXPECT_EQ(json.at("published").at(1).at("name"), "some/model");
  std::string notices;
  for (const auto& notice : json.at("notices")) notices += notice.get<std::string>() + "\n";
  EXPECT_THAT(notices, HasSubstr("pi-llama-7b-pi-8k-pg19 was published under another protocol"));
  EXPECT_THAT(notices, HasSubstr("not comparable"));
  const Outcome wrong = run(
      on(stories(), {"perplexity", "--document", sample().string(), "--published", "psc-llama"}));
  EXPECT_EQ(wrong.status, 1);
  EXPECT_THAT(wrong.err, HasSubstr("no published curve 'psc-llama'"));
}

TEST(Perplexity, OfOnePassAgreesWithScore) {
  const TempDir folder;
  const auto csv = folder.path() / "curves.csv";
  const Json json =
      result({"perplexity", "--document", sample().string(), "--lengths", "128,256", "--methods",
              "none;pi:factor=2;yarn:factor=auto,beta_fast=16", "--csv", csv.string()});
  EXPECT_EQ(json.at("protocol"), "one-pass");
  ASSERT_EQ(json.at("curves").size(), 3U);
  for (const char* method : {"none", "pi"}) {
    const Json& curve = json.at("curves").at(method == std::string("none") ? 0 : 1);
    std::vector<std::string> call = {
        "score", "--document", sample().string(), "--document-tokens", "0:255", "--rope", method};
    if (method == std::string("pi")) call.insert(call.end(), {"--factor", "2"});
    const Json nll = result(call).at("nll");
    double sum = 0.0;
    for (std::size_t i = 1; i < 128; ++i) sum += nll.at(i).get<double>();
    EXPECT_NEAR(curve.at("points").at(0).at("nll_mean_to").get<double>(), sum / 127.0,
                kFloat32Rounding);
    double bin = 0.0;
    for (std::size_t i = 128; i < 256; ++i) bin += nll.at(i).get<double>();
    EXPECT_NEAR(curve.at("points").at(1).at("nll_bin").get<double>(), bin / 128.0,
                kFloat32Rounding);
    EXPECT_EQ(curve.at("points").at(1).at("scored_tokens"), 255);
    EXPECT_EQ(curve.at("points").at(1).at("documents"), 1);
    EXPECT_TRUE(curve.at("points").at(1).at("standard_error").is_null());
  }
  EXPECT_EQ(json.at("curves").at(2).at("settings").at("parameters").at("beta_fast"), 16.0);
  EXPECT_TRUE(json.at("curves").at(2).at("settings").at("factor_follows_length").get<bool>());
  const std::string table = fileText(csv);
  EXPECT_THAT(table, StartsWith("method,protocol,length,nll_mean_to,nll_bin,perplexity,"
                                "standard_error,scored_tokens,documents\n"));
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 1 + 3 * 2);
}

TEST(Perplexity, TakesSeveralDocumentsAndOtherProtocols) {
  const TempDir folder;
  const auto other = folder.path() / "other.txt";
  writeText(other, fileText(sample()).substr(2000, 3000));
  for (const char* protocol : {"sliding", "truncate"}) {
    const Json json = result({"perplexity", "--document", sample().string(), other.string(),
                              "--document-tokens", "0:600", "--lengths", "256", "--protocol",
                              protocol, "--rope", "pi", "--factor", "1"});
    EXPECT_EQ(json.at("protocol"), protocol);
    const Json& point = json.at("curves").at(0).at("points").at(0);
    EXPECT_EQ(point.at("documents"), 2);
    EXPECT_TRUE(point.at("standard_error").is_number());
    EXPECT_TRUE(point.at("nll_bin").is_null());
  }
}

TEST(Angles, FollowTheFormulas) {
  const Json json = result({"angles", "--rope", "pi", "--factor", "4", "--position", "3000"});
  EXPECT_EQ(json.at("attention_factor"), 1.0);
  ASSERT_EQ(json.at("pairs").size(), 32U);
  for (std::size_t i = 0; i < 32; ++i) {
    const Json& pair = json.at("pairs").at(i);
    const double frequency = std::pow(1e4, -2.0 * static_cast<double>(i) / 64.0) / 4.0;
    EXPECT_EQ(pair.at("index"), i);
    EXPECT_NEAR(pair.at("inv_freq").get<double>() / frequency, 1.0, 1e-14);
    EXPECT_NEAR(pair.at("wavelength").get<double>() * frequency, 2.0 * std::numbers::pi, 1e-12);
    EXPECT_NEAR(pair.at("scale").get<double>(), 4.0, 1e-12);
    EXPECT_NEAR(pair.at("angle").get<double>() / (3000.0 * frequency), 1.0, 1e-14);
    EXPECT_TRUE(pair.contains("turns_in_trained_length"));
    // 1,024 tokens turn pair 18 by 1024 / 10^(18 / 8) = 5.76 rad, less than one turn; distance
    // 4 * 1,024 is the first that PI by 4 does not squeeze into what training showed.
    EXPECT_EQ(pair.at("unseen_from"), i < 18 ? Json(nullptr) : Json(4096)) << i;
  }
  EXPECT_EQ(json.at("unseen_pairs"), 0);
  EXPECT_EQ(result({"angles", "--rope", "none", "--position", "3000"}).at("unseen_pairs"), 14);
}

TEST(Angles, OfYarnCarryItsAttentionFactor) {
  const Json json = result({"angles", "--rope", "yarn", "--context", "4096"});
  EXPECT_EQ(json.at("settings").at("rope").at("factor"), 4.0);
  EXPECT_DOUBLE_EQ(json.at("attention_factor").get<double>(), 0.1 * std::log(4.0) + 1.0);
}

TEST(Attention, RowsAreDistributionsAndTheFutureIsNull) {
  const TempDir folder;
  const auto png = folder.path() / "map.png";
  const Json json =
      result({"attention", "--document", sample().string(), "--document-tokens", "0:99", "--layer",
              "3", "--head", "2", "--reduce", "mean", "--png", png.string()});
  EXPECT_EQ(json.at("width"), 100);
  EXPECT_EQ(json.at("height"), 100);
  EXPECT_EQ(json.at("queries"), Json({0, 100}));
  EXPECT_EQ(json.at("keys"), Json({0, 100}));
  for (std::size_t row = 0; row < 100; ++row) {
    double sum = 0.0;
    for (std::size_t column = 0; column < 100; ++column) {
      const Json& value = json.at("values").at(row).at(column);
      EXPECT_EQ(value.is_null(), column > row);
      if (!value.is_null()) sum += value.get<double>();
    }
    EXPECT_NEAR(sum, 1.0, kFloat32Rounding) << "row " << row;
  }
  EXPECT_THAT(fileText(png), StartsWith(kPngSignature));
}

TEST(Attention, ShowsAnyPartAndPoolsByTheMaximum) {
  const Json json =
      result({"attention", "--document", sample().string(), "--document-tokens", "0:299", "--layer",
              "0", "--head", "5", "--queries", "200:300", "--keys", "0:200", "--size", "50"});
  EXPECT_EQ(json.at("width"), 50);
  EXPECT_EQ(json.at("height"), 50);
  EXPECT_EQ(json.at("queries"), Json({200, 300}));
  EXPECT_EQ(json.at("settings").at("reduce"), "max");
  const Outcome drawn = run({"attention", "--document", sample().string(), "--document-tokens",
                             "0:299", "--layer", "0", "--head", "5"});
  EXPECT_THAT(drawn.out, HasSubstr("keys 0 to 299 from left to right"));
}

TEST(Bench, MeasuresTheMachineAndTheModel) {
  const Json json = result(on(stories(), {"bench", "--lengths", "64,128"}));
  EXPECT_GT(json.at("machine").at("matrix_peak_flops").get<double>(), 1e6);
  EXPECT_GT(json.at("machine").at("read_bandwidth_bytes_per_second").get<double>(), 1e6);
  ASSERT_EQ(json.at("prefill").size(), 2U);
  EXPECT_EQ(json.at("prefill").at(1).at("tokens"), 128);
  EXPECT_GT(json.at("prefill").at(0).at("tokens_per_second").get<double>(), 0.0);
  EXPECT_EQ(json.at("decode").at(1).at("cached"), 128);
  EXPECT_GT(json.at("decode").at(1).at("tokens_per_second").get<double>(), 0.0);
  EXPECT_GT(json.at("attention_map").at(1).at("seconds_per_head").get<double>(), 0.0);
  EXPECT_GT(json.at("peak_rss").get<std::int64_t>(), 1 << 20);
}

TEST(Render, WritesThreePictures) {
  const TempDir folder;
  const auto out = folder.path() / "deep" / "pictures";
  const Json json = result({"render", "--out", out.string(), "--document", sample().string(),
                            "--document-tokens", "0:700", "--rope", "yarn", "--factor", "2"});
  ASSERT_EQ(json.at("files").size(), 3U);
  for (const char* name : {"attention.png", "angles.png", "perplexity.png"}) {
    EXPECT_THAT(fileText(out / name), StartsWith(kPngSignature)) << name;
  }
}

}  // namespace
}  // namespace ropescope::cli_tests
