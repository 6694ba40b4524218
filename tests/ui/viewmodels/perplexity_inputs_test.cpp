#include "ui/viewmodels/perplexity_inputs.h"

#include <gtest/gtest.h>

namespace ropescope::ui {
namespace {

std::vector<std::int32_t> tokens(std::size_t count) {
  return std::vector<std::int32_t>(count, 5);
}

struct PerplexityInputsTest : ::testing::Test {
  PerplexityInputs inputs;
  PerplexityInputsTest() {
    inputs.setModel(1024, true);
    inputs.setDocument(tokens(5000), QStringLiteral("open.txt"));
  }
};

TEST_F(PerplexityInputsTest, SeveralDocumentsAreMeasuredTogether) {
  inputs.addBook(
      {.name = QStringLiteral("b.txt"), .path = QStringLiteral("/b.txt"), .ids = tokens(3000)});
  inputs.addBook({.name = QStringLiteral("b.txt"),
                  .path = QStringLiteral("/b.txt"),
                  .ids = tokens(3000)});  // the same again
  const auto order = inputs.order();
  ASSERT_TRUE(order) << order.error().message;
  ASSERT_EQ(order->documents.size(), 2U);
  EXPECT_EQ(order->documents[0].size(), 5000U);
  EXPECT_EQ(order->documents[1].size(), 3000U);
  // Every default length has all documents.
  EXPECT_EQ(order->config.lengths.back(), 3000);
  EXPECT_TRUE(inputs.documentsText().contains(QStringLiteral("open.txt")));
  inputs.removeBook(0);
  EXPECT_EQ(inputs.order()->documents.size(), 1U);
  EXPECT_EQ(inputs.order()->config.lengths.back(), 5000);
}

TEST_F(PerplexityInputsTest, EveryProtocolCanBeChosen) {
  for (const Protocol protocol : kProtocols) {
    inputs.setProtocol(protocol);
    const auto order = inputs.order();
    ASSERT_TRUE(order) << order.error().message;
    EXPECT_EQ(order->config.protocol, protocol);
    EXPECT_FALSE(order->config.lengths.empty());
    EXPECT_FALSE(protocolTitle(protocol).isEmpty());
  }
  inputs.setProtocol(Protocol::LlamaCpp);  // needs two windows
  EXPECT_LE(inputs.order()->config.lengths.back(), 2500);
}

TEST_F(PerplexityInputsTest, TheStrideFollowsTheShortestWindowUntilItIsGiven) {
  inputs.setProtocol(Protocol::Sliding);
  inputs.editLengths(QStringLiteral("128, 1024"));
  EXPECT_EQ(inputs.order()->config.stride, 64);  // as on the command line
  inputs.editLengths(QStringLiteral("1024, 2048"));
  EXPECT_EQ(inputs.order()->config.stride, 256);
  inputs.editStride(QStringLiteral("512"));
  EXPECT_EQ(inputs.order()->config.stride, 512);
  inputs.editStride(QStringLiteral("half"));
  const auto wrong = inputs.order();
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().message.find("'half'"), std::string::npos);
}

TEST_F(PerplexityInputsTest, CurvesOfTheEditorStayWhenTheFactorChanges) {
  inputs.curves().append({.rope = {.id = "ntk", .values = {}, .factor = 4.0}});
  const QString edited = inputs.curvesText();
  EXPECT_TRUE(edited.endsWith(QStringLiteral("ntk:factor=4")));
  inputs.setPlannedFactor(8.0);
  EXPECT_EQ(inputs.curvesText(), edited);
  inputs.curves().editText(QString());
  EXPECT_EQ(inputs.curvesText(), defaultCurves(8.0));
}

TEST_F(PerplexityInputsTest, SaysWhatIsMissing) {
  while (inputs.curves().rowCount() > 0) inputs.curves().remove(0);
  EXPECT_NE(inputs.order().error().message.find("curve"), std::string::npos);
  inputs.setDocument({}, {});
  EXPECT_NE(inputs.order().error().message.find("document"), std::string::npos);
}

}  // namespace
}  // namespace ropescope::ui
