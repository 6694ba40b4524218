#include "core/eval/curve_text.h"

#include <gtest/gtest.h>

namespace ropescope {
namespace {

TEST(CurveText, SaysMethodFactorCalibrationAndSettings) {
  const auto curve = readCurve(
      "yarn:factor=4,beta_fast=16,calibration=/a/psc.safetensors,psc_strength=0.5,lora=off");
  ASSERT_TRUE(curve) << curve.error().message;
  EXPECT_EQ(curve->rope.id, "yarn");
  EXPECT_EQ(curve->rope.factor, 4.0);
  EXPECT_EQ(std::get<double>(curve->rope.values.at("beta_fast")), 16.0);
  EXPECT_EQ(curve->calibrationFile, "/a/psc.safetensors");
  EXPECT_EQ(curve->pscStrength, 0.5);
  EXPECT_FALSE(curve->lora);
  EXPECT_FALSE(curve->factorFollowsLength);
}

TEST(CurveText, IsReadBackAsItWasWritten) {
  for (const char* text :
       {"none", "pi:factor=4", "pi:factor=auto", "yarn:factor=2.5,beta_fast=16",
        "yarn:factor=4,calibration=a.safetensors",
        "yarn:factor=4,calibration=a.safetensors,psc_strength=0.25,lora=off,force=on",
        "longrope:factors=some/factors.json"}) {
    const auto curve = readCurve(text);
    ASSERT_TRUE(curve) << curve.error().message;
    const auto written = curveText(*curve);
    ASSERT_TRUE(written) << written.error().message;
    EXPECT_EQ(*written, text);
    EXPECT_EQ(*readCurve(*written), *curve);
  }
}

TEST(CurveText, LeavesOutWhatIsUsual) {
  CurveDescription curve{.rope = {.id = "pi", .values = {}, .factor = 2.0}};
  curve.pscStrength = 0.5;  // of no calibration
  EXPECT_EQ(*curveText(curve), "pi:factor=2");
}

TEST(CurveText, CannotHoldCommasWithinAValue) {
  CurveDescription curve{.rope = {.id = "pi", .values = {}, .factor = 2.0}};
  curve.calibrationFile = "a,b.safetensors";
  const auto text = curveText(curve);
  ASSERT_FALSE(text);
  EXPECT_NE(text.error().message.find("a,b.safetensors"), std::string::npos);
}

TEST(CurveText, NamesWhatIsWrong) {
  for (const auto& [text, wanted] :
       {std::pair("yran", "'yran'"), std::pair("pi:factor", "name=value"),
        std::pair("pi:factor=x", "'x'"), std::pair("pi:calibration=", "a file is wanted"),
        std::pair("pi:lora=off", "needs calibration=FILE"),
        std::pair("none:factor=2", "takes no factor"),
        std::pair("pi:factor=2,factor=3", "given twice"),
        std::pair("pi:speed=2", "unknown setting 'speed'")}) {
    const auto curve = readCurve(text);
    ASSERT_FALSE(curve) << text;
    EXPECT_NE(curve.error().message.find(wanted), std::string::npos) << curve.error().message;
    EXPECT_NE(curve.error().message.find(text), std::string::npos) << "names the curve";
  }
}

}  // namespace
}  // namespace ropescope
