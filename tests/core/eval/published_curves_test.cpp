#include "core/eval/published_curves.h"

#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "tests/support/test_models.h"

namespace ropescope {
namespace {

using namespace ropescope::test;

std::filesystem::path publishedPath() {
  return std::filesystem::path(ROPESCOPE_RESOURCES_DIR) / "published";
}

std::map<std::string, PublishedCurve> shipped() {
  const auto curves = readPublishedFolder(publishedPath());
  EXPECT_TRUE(curves) << curves.error().message;
  std::map<std::string, PublishedCurve> byName;
  if (curves) {
    for (const auto& curve : *curves) byName[curve.name] = curve;
  }
  return byName;
}

const PublishedPoint* pointAt(const PublishedCurve& curve, std::int64_t length) {
  for (const PublishedPoint& point : curve.points) {
    if (point.length == length) return &point;
  }
  return nullptr;
}

// Values of the repository's CSV files, read off proofpile-long-small*.csv and govreport.csv of
// jquesnelle/yarn at commits a18e549, 4b7aaad, 124d04a, 5d06df9 and c795a4c; the shipped ones are
// rounded to four digits.
TEST(PublishedCurves, AgreeWithTheYarnRepositorysFiles) {
  const struct {
    const char* name;
    std::int64_t length;
    double perplexity;
  } rows[] = {{"yarn-llama-2-7b-64k-proofpile", 2048, 4.140674114},
              {"yarn-llama-2-7b-64k-proofpile", 65536, 2.421703339},
              {"yarn-llama-2-7b-64k-proofpile", 98304, 15.5106535},
              {"yarn-llama-2-7b-128k-proofpile", 131072, 2.372046709},
              {"yarn-llama-2-13b-64k-proofpile", 114688, 42.42362595},
              {"yarn-together-llama-2-7b-32k-proofpile", 98304, 1920.873657},
              {"yarn-codellama-7b-proofpile", 16384, 3.107144594},
              {"yarn-mistral-7b-none-proofpile", 16384, 36.80331039},
              {"yarn-mistrallite-proofpile", 131072, 6255.70459},
              {"yarn-solar-10.7b-none-proofpile", 8192, 11.522461891174316},
              {"yarn-llama-2-70b-32k-proofpile", 32768, 2.2288265228271484},
              {"yarn-ntk-llama-2-7b-8k-proofpile", 12288, 18.260393142700195},
              {"yarn-llama-2-13b-128k-govreport", 32768, 3.392480612}};
  constexpr double kFourDigits = 5.1e-4;  // half a unit of the fourth digit of 1.000, relative
  const auto curves = shipped();
  for (const auto& row : rows) {
    ASSERT_TRUE(curves.contains(row.name)) << row.name;
    const PublishedPoint* point = pointAt(curves.at(row.name), row.length);
    ASSERT_TRUE(point) << row.name << " at " << row.length;
    EXPECT_NEAR(point->perplexity, row.perplexity, kFourDigits * row.perplexity) << row.name;
    EXPECT_FALSE(point->above);
  }
}

// Read off the papers: PI Table 1, LongRoPE Tables 5 and 6.
TEST(PublishedCurves, HoldThePapersTables) {
  const auto curves = shipped();
  ASSERT_TRUE(curves.contains("pi-llama-7b-pi-32k-pg19"));
  const PublishedCurve& pi = curves.at("pi-llama-7b-pi-32k-pg19");
  EXPECT_EQ(pi.protocol, Protocol::Sliding);
  EXPECT_EQ(pi.stride, 256);
  EXPECT_EQ(pi.source, "arXiv:2306.15595 Table 1");
  ASSERT_EQ(pi.points.size(), 5U);
  EXPECT_EQ(pi.points[4].length, 32768);
  EXPECT_EQ(pi.points[4].perplexity, 6.77);
  const PublishedCurve& plain = curves.at("pi-llama-7b-none-pg19");
  EXPECT_TRUE(plain.points[1].above);
  EXPECT_EQ(plain.points[1].perplexity, 1000.0);
  EXPECT_EQ(curves.at("longrope-llama-2-7b-ft256k-books3").points.back().length, 2097152);
  EXPECT_FALSE(curves.at("longrope-llama-2-7b-ft128k-proofpile").protocol);
}

TEST(PublishedCurves, AreAllDescribed) {
  for (const auto& [name, curve] : shipped()) {
    EXPECT_FALSE(curve.model.empty()) << name;
    EXPECT_FALSE(curve.dataset.empty()) << name;
    EXPECT_FALSE(curve.source.empty()) << name;
    for (std::size_t i = 1; i < curve.points.size(); ++i) {
      EXPECT_LT(curve.points[i - 1].length, curve.points[i].length) << name;
    }
    // Second-hand numbers of PSC stay out.
    EXPECT_EQ(name.find("psc"), std::string::npos);
    EXPECT_EQ(curve.source.find("2505.12423"), std::string::npos) << name;
  }
}

TEST(PublishedCurves, AreFoundByNameAndByGroup) {
  const auto all = readPublishedFolder(publishedPath());
  ASSERT_TRUE(all);
  const auto one = findPublished(*all, "yarn-llama-2-7b-64k-proofpile");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->size(), 1U);
  const auto group = findPublished(*all, "yarn-llama-2-7b-64k");
  ASSERT_TRUE(group);
  EXPECT_EQ(group->size(), 2U);  // Proof-pile and GovReport
  expectError(findPublished(*all, "pi-llama-8b"), ErrorCode::NotFound,
              {"'pi-llama-8b'", "pi-llama-7b-none-pg19"});
  expectError(findPublished(*all, "psc"), ErrorCode::NotFound,
              {"'psc'", "longrope-…, pi-…, yarn-…"});
  expectError(findPublished(*all, ""), ErrorCode::NotFound, {"''"});
}

TEST(PublishedCurves, AWideCsvIsOneToo) {
  TempDir temp;
  const auto file = temp.path() / "wide.csv";
  std::ofstream(file) << ",2048,4096\nmodel/a,4.5,\nmodel/b,4,3\n";
  const auto curves = findPublished({}, file.string());
  ASSERT_TRUE(curves) << curves.error().message;
  ASSERT_EQ(curves->size(), 2U);
  EXPECT_EQ((*curves)[0].name, "model/a");
  EXPECT_FALSE((*curves)[0].protocol);
  EXPECT_EQ((*curves)[0].points.size(), 1U);
  EXPECT_NE(protocolDifference((*curves)[0], {}), "");
  expectError(findPublished({}, "/nowhere/wide.csv"), ErrorCode::NotFound, {"/nowhere/wide.csv"});
}

TEST(PublishedCurves, WarnWhenProtocolsDiffer) {
  const PublishedCurve sliding{.name = "x", .protocol = Protocol::Sliding, .stride = 256};
  EXPECT_EQ(protocolDifference(sliding, {.protocol = Protocol::Sliding, .stride = 256}), "");
  const auto other = protocolDifference(sliding, {.protocol = Protocol::Sliding, .stride = 128});
  EXPECT_NE(other.find("stride 256"), std::string::npos) << other;
  EXPECT_NE(other.find("stride 128"), std::string::npos) << other;
  EXPECT_NE(protocolDifference(sliding, {.protocol = Protocol::OnePass}), "");
  const PublishedCurve truncated{.name = "x", .protocol = Protocol::Truncate};
  EXPECT_EQ(protocolDifference(truncated, {.protocol = Protocol::OnePass}), "");
  EXPECT_NE(protocolDifference(truncated, {.protocol = Protocol::LlamaCpp}), "");
}

TEST(PublishedCurves, RefuseWhatIsWrong) {
  TempDir temp;
  const auto refused = [&](const std::string& curve, const std::vector<std::string>& parts) {
    const auto file = temp.path() / "x.json";
    std::ofstream(file) << R"({"source": "s", "curves": [)" << curve << "]}";
    expectError(readPublishedCurves(file), ErrorCode::CorruptFile, parts);
  };
  const std::string head = R"({"name": "n", "model": "m", "dataset": "d", )";
  refused(head + R"("protocol": "one-pass", "points": {"8": 2}, "speed": 3})",
          {"x.json", "'n'", "'speed'", "stride"});
  refused(head + R"("protocol": "guess", "points": {"8": 2}})", {"'guess'", "sliding"});
  refused(head + R"("protocol": "sliding", "points": {"8": 2}})", {"stride"});
  refused(head + R"("protocol": "truncate", "stride": 4, "points": {"8": 2}})", {"stride"});
  refused(head + R"("protocol": "one-pass"})", {"points"});
  refused(head + R"("protocol": "one-pass", "points": {"8k": 2}})", {"'8k'"});
  refused(head + R"("protocol": "one-pass", "points": {"8": 0.5}})", {"0.5"});
  refused(head + R"("protocol": "one-pass", "points": {"8": ">x"}})", {">x"});
  refused(R"({"model": "m"})", {"name", "missing"});
  refused(head + R"("protocol": "one-pass", "points": {"8": 2}},)" + head +
              R"("protocol": "one-pass", "points": {"8": 2}})",
          {"two curves", "'n'"});
}

}  // namespace
}  // namespace ropescope
