#include "core/eval/wide_csv.h"

#include <gtest/gtest.h>

#include "tests/support/test_models.h"

namespace ropescope {
namespace {

using namespace ropescope::test;

// The first lines and columns of data/proofpile-long-small-8k.csv of jquesnelle/yarn (commit
// c795a4c), as they stand there.
constexpr const char* kOfTheRepository =
    ",2048,4096,6144\n"
    "emozilla/Yarn-Llama-2-7b-8k,3.9184463024139404,3.5097882747650146,3.5142462253570557\n"
    "emozilla/NTK-Llama-2-7b-8k,4.202556610107422,3.750666856765747,3.7433838844299316\n";

TEST(WideCsv, ReadsAFileOfTheYarnRepository) {
  const auto curves = readWideCsv(kOfTheRepository, "8k.csv");
  ASSERT_TRUE(curves) << curves.error().message;
  ASSERT_EQ(curves->size(), 2U);
  EXPECT_EQ((*curves)[0].name, "emozilla/Yarn-Llama-2-7b-8k");
  ASSERT_EQ((*curves)[1].points.size(), 3U);
  EXPECT_EQ((*curves)[1].points[2].length, 6144);
  EXPECT_EQ((*curves)[1].points[2].perplexity, 3.7433838844299316);
}

// data/proofpile-long-small.csv ends the rows of shorter models with empty fields, the one of
// Llama-2-70b ends them early.
TEST(WideCsv, LengthsWithoutAValueAreNoPoints) {
  const auto curves = readWideCsv(",2048,4096,8192\r\na,4.1,,\r\nb,3.9\r\nc,,5,6", "x.csv");
  ASSERT_TRUE(curves) << curves.error().message;
  ASSERT_EQ(curves->size(), 3U);
  EXPECT_EQ((*curves)[0].points.size(), 1U);
  EXPECT_EQ((*curves)[1].points.size(), 1U);
  ASSERT_EQ((*curves)[2].points.size(), 2U);
  EXPECT_EQ((*curves)[2].points[0].length, 4096);
}

TEST(WideCsv, WritesTheSameForm) {
  const auto curves = readWideCsv(kOfTheRepository, "8k.csv");
  ASSERT_TRUE(curves);
  EXPECT_EQ(wideCsv(*curves), kOfTheRepository);
}

TEST(WideCsv, NamesWithCommasAndQuotesComeBack) {
  const std::vector<WideCurve> curves = {{"yarn:factor=4,ramp=paper", {{512, 3.25}, {1024, 0.1}}},
                                         {"say \"x\"", {{256, 1e-9}}}};
  const std::string text = wideCsv(curves);
  EXPECT_EQ(text,
            ",256,512,1024\n\"yarn:factor=4,ramp=paper\",,3.25,0.1\n\"say \"\"x\"\"\",1e-09,,\n");
  const auto back = readWideCsv(text, "x.csv");
  ASSERT_TRUE(back) << back.error().message;
  ASSERT_EQ(back->size(), 2U);
  EXPECT_EQ((*back)[0].name, curves[0].name);
  EXPECT_EQ((*back)[1].name, curves[1].name);
  EXPECT_EQ((*back)[0].points[1].perplexity, 0.1);
}

TEST(WideCsv, SaysWhatIsWrongWhere) {
  const auto refused = [](const std::string& text, const std::vector<std::string>& parts) {
    expectError(readWideCsv(text, "x.csv"), ErrorCode::CorruptFile, parts);
  };
  refused("", {"x.csv", "no curve"});
  refused(",2048\n", {"no curve"});
  refused("method,length\nnone,3\n", {"line 1", "header"});
  refused(",2048,1024\na,1,2\n", {"line 1", "field 3", "'1024'", "rising"});
  refused(",2048\n\na,1,2\n", {"line 3", "2 values", "1 lengths"});
  refused(",2048\na,x\n", {"line 2", "field 2", "'x'"});
  refused(",2048\na,nan\n", {"'nan'"});
  refused(",2048\na,-3\n", {"'-3'"});
  refused(",2048\n\"a,3\n", {"line 2", "quote"});
}

}  // namespace
}  // namespace ropescope
