#include "core/model/calibration_files.h"

#include <algorithm>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace ropescope {
namespace {

std::filesystem::path bundled() {
  return std::filesystem::path(ROPESCOPE_RESOURCES_DIR) / "calibrations";
}

TEST(CalibrationFiles, SayWhatTheyHoldAndWhatTheyWereTrainedFor) {
  // Shapes and metadata read with Python: ranks 8 and 34, phase modules only in the psc file.
  const auto psc =
      describeCalibrationFile(bundled() / "bookworm-11m" / "yarn-4x-psc-seed0.safetensors");
  ASSERT_TRUE(psc) << psc.error().message;
  EXPECT_TRUE(psc->hasPhase);
  EXPECT_TRUE(psc->hasLora);
  EXPECT_EQ(psc->loraRank, 8);
  ASSERT_TRUE(psc->origin);
  EXPECT_EQ(psc->origin->method, "yarn");
  EXPECT_EQ(psc->origin->factor, 4.0);
  const auto wide =
      describeCalibrationFile(bundled() / "bookworm-11m" / "pi-4x-wide-seed0.safetensors");
  ASSERT_TRUE(wide);
  EXPECT_FALSE(wide->hasPhase);
  EXPECT_EQ(wide->loraRank, 34);
}

TEST(CalibrationFiles, AreOfferedForTheirModelMethodAndFactor) {
  const CalibrationFolder folder = listCalibrations(bundled());
  EXPECT_TRUE(folder.problems.empty());
  ASSERT_GE(folder.files.size(), 6U);
  const std::string hash = folder.files.front().origin->modelHash;
  const auto count = [&](const std::string& model, const std::string& method, double factor) {
    return std::count_if(folder.files.begin(), folder.files.end(), [&](const auto& file) {
      return wasTrainedFor(file, model, method, factor);
    });
  };
  EXPECT_GE(count(hash, "yarn", 4.0), 3);
  EXPECT_GE(count(hash, "pi", 4.0), 3);
  EXPECT_EQ(count(hash, "pi", 3.0), 0);
  EXPECT_EQ(count(hash, "ntk", 4.0), 0);
  EXPECT_EQ(count("another model", "pi", 4.0), 0);
}

TEST(CalibrationFiles, KnowTheMethodThatTheyWereTrainedUnder) {
  const auto folder = bundled() / "bookworm-11m";
  const auto yarn =
      trainedChoice(*describeCalibrationFile(folder / "yarn-4x-psc-seed0.safetensors"));
  ASSERT_TRUE(yarn) << yarn.error().message;
  EXPECT_EQ(yarn->id, "yarn");
  EXPECT_EQ(yarn->factor, 4.0);
  EXPECT_TRUE(yarn->values.empty());
  // Its factors lie beside it.
  const auto described = *describeCalibrationFile(folder / "longrope-4x-psc-seed0.safetensors");
  const auto longrope = trainedChoice(described);
  ASSERT_TRUE(longrope) << longrope.error().message;
  EXPECT_EQ(std::get<std::string>(longrope->values.at("factors")),
            (folder / "longrope-4x.json").string());
  const test::TempDir elsewhere;
  CalibrationFile moved = described;
  moved.path = elsewhere.path() / "moved.safetensors";
  const auto lost = trainedChoice(moved);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, ErrorCode::NotFound);
  EXPECT_NE(lost.error().message.find("longrope-4x.json"), std::string::npos);
  moved.origin->parameters = "colour=blue";
  EXPECT_EQ(trainedChoice(moved).error().code, ErrorCode::InvalidArgument);
  moved.origin.reset();
  EXPECT_EQ(trainedChoice(moved).error().code, ErrorCode::InvalidArgument);
}

TEST(CalibrationFiles, ABrokenOneIsNamedAndTheOthersStay) {
  const test::TempDir folder;
  std::filesystem::copy_file(bundled() / "bookworm-11m" / "pi-4x-lora-seed0.safetensors",
                             folder.path() / "good.safetensors");
  std::ofstream(folder.path() / "bad.safetensors") << "no header";
  const CalibrationFolder found = listCalibrations(folder.path());
  ASSERT_EQ(found.files.size(), 1U);
  EXPECT_EQ(found.files[0].path.filename(), "good.safetensors");
  ASSERT_EQ(found.problems.size(), 1U);
  EXPECT_NE(found.problems[0].find("bad.safetensors"), std::string::npos);
}

}  // namespace
}  // namespace ropescope
