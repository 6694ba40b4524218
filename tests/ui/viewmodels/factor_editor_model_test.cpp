#include "ui/viewmodels/factor_editor_model.h"

#include <QSignalSpy>
#include <cmath>

#include <gtest/gtest.h>

#include "core/base/file_io.h"
#include "core/rope/rope_math.h"
#include "tests/support/temp_dir.h"

namespace ropescope::ui {
namespace {

constexpr double kTwoDivisions = 1e-14;  // relative: plain / (plain / f) rounds twice

rope::RotaryPlan planOf(const char* method) {
  const rope::RopeContext context{
      .base = 1e4, .headDim = 64, .originalLength = 1024, .plannedLength = 4096, .factor = 4};
  return *rope::findMethod(method)->plan(context, {});
}

struct FactorEditorTest : ::testing::Test {
  FactorEditorModel model;

  void SetUp() override {
    model.setPlan(std::make_shared<const rope::RotaryPlan>(planOf("yarn")),
                  {planOf("none"), planOf("pi"), planOf("ntk")});
  }
  const std::vector<double>& factors() const { return model.draft().factors; }
};

TEST_F(FactorEditorTest, BeginsWithTheFactorsInUse) {
  const rope::RotaryPlan yarn = planOf("yarn");
  EXPECT_EQ(factors(), rope::factorsOf(yarn));
  EXPECT_EQ(model.draft().attentionFactor, yarn.attentionFactor);
  EXPECT_FALSE(model.isEdited());
  ASSERT_EQ(model.presets().size(), 4U);  // in use, plain, PI, NTK; "none" is plain RoPE
  const auto plan = model.plan();
  ASSERT_TRUE(plan) << plan.error().message;
  for (std::size_t pair = 0; pair < 32; ++pair) {
    EXPECT_NEAR(plan->invFreq[pair] / yarn.invFreq[pair], 1.0, kTwoDivisions);
  }
}

TEST_F(FactorEditorTest, ADragIsUndoneAsOne) {
  const auto before = factors();
  model.beginDrag();
  for (const double factor : {1.5, 2.0, 3.0}) model.drag(20, factor);
  model.drag(21, 2.5);
  model.endDrag();
  EXPECT_EQ(factors()[20], 3.0);
  EXPECT_EQ(factors()[21], 2.5);
  EXPECT_EQ(model.undoStack().count(), 1);
  model.beginDrag();
  model.drag(20, 8.0);
  model.endDrag();
  EXPECT_EQ(model.undoStack().count(), 2);
  model.undoStack().undo();
  EXPECT_EQ(factors()[20], 3.0);
  model.undoStack().undo();
  EXPECT_EQ(factors(), before);
  model.undoStack().redo();
  EXPECT_EQ(factors()[20], 3.0);
}

TEST_F(FactorEditorTest, ADragThatEndsWhereItBeganLeavesNoStep) {
  const double before = factors()[3];
  model.beginDrag();
  model.drag(3, 2.0);
  model.drag(3, before);
  model.endDrag();
  EXPECT_EQ(model.undoStack().count(), 0);
}

TEST_F(FactorEditorTest, PresetsAndTheAttentionFactorAreSteps) {
  model.usePreset(2);
  for (const double factor : factors()) EXPECT_NEAR(factor, 4.0, kTwoDivisions * 4);
  EXPECT_EQ(model.draft().attentionFactor, 1.0);
  model.setAttentionFactor(1.3);
  EXPECT_EQ(model.plan()->attentionFactor, 1.3);
  model.reset();
  EXPECT_FALSE(model.isEdited());
  EXPECT_EQ(model.undoStack().count(), 3);
  model.undoStack().undo();
  EXPECT_EQ(model.draft().attentionFactor, 1.3);
}

TEST_F(FactorEditorTest, FactorsStayWithinBoundsAndNonsenseIsLeftOut) {
  model.drag(5, 1e9);
  EXPECT_EQ(factors()[5], FactorEditorModel::kMost);
  model.drag(5, -3.0);
  EXPECT_EQ(factors()[5], FactorEditorModel::kLeast);
  const auto before = factors();
  model.drag(99, 2.0);
  model.drag(-1, 2.0);
  model.drag(5, std::nan(""));
  EXPECT_EQ(factors(), before);
}

TEST_F(FactorEditorTest, ASplineGoesThroughItsHandles) {
  model.setTool(FactorTool::Spline);
  const auto handles = model.handles();
  ASSERT_GE(handles.size(), 4U);
  EXPECT_EQ(handles.front().pair, 0);
  EXPECT_EQ(handles.back().pair, 31);
  model.beginDrag();
  model.drag(handles[2].pair, 2.0);
  model.drag(handles[2].pair, 2.5);
  model.endDrag();
  EXPECT_EQ(model.undoStack().count(), 1);
  const auto moved = model.handles();
  for (std::size_t i = 0; i < moved.size(); ++i) {
    const double wanted = i == 2 ? 2.5 : handles[i].factor;
    EXPECT_NEAR(factors()[static_cast<std::size_t>(moved[i].pair)], wanted, 1e-12);
  }
  auto shaped = handles;
  shaped[2].factor = 2.5;
  EXPECT_EQ(factors(), rope::splineFactors(shaped, 32));
}

// Plain RoPE leaves what training showed at 1,024 tokens with pairs 18 … 31; YaRN by 4 within 4,096
// with none: it slows these by 4, and a factor below 4 is too little.
TEST_F(FactorEditorTest, CoverageFollowsTheEditAtOnce) {
  for (int pair = 0; pair < 32; ++pair) EXPECT_FALSE(model.leavesTraining(pair)) << pair;
  model.drag(31, 3.9);
  EXPECT_TRUE(model.leavesTraining(31));
  model.usePreset(1);
  int leaving = 0;
  for (int pair = 0; pair < 32; ++pair) leaving += model.leavesTraining(pair) ? 1 : 0;
  EXPECT_EQ(leaving, 14);
  EXPECT_TRUE(model.formulaText().contains("14 of 32")) << qPrintable(model.formulaText());
}

TEST_F(FactorEditorTest, WhatIsExportedIsReadBackExactly) {
  model.beginDrag();
  model.drag(7, 1.0 / 3.0);
  model.drag(20, 2.718281828459045);
  model.endDrag();
  model.setAttentionFactor(1.0625);
  const test::TempDir temp;
  const auto json = temp / "edited.json";
  const auto csv = temp / "edited.csv";
  ASSERT_TRUE(writeFileAtomically(json, model.block().toStdString()));
  ASSERT_TRUE(writeFileAtomically(csv, model.column().toStdString()));
  const auto edited = model.plan();
  ASSERT_TRUE(edited);
  rope::RopeContext context = edited->context;
  for (const auto& [file, attention] : {std::pair{json, true}, {csv, false}}) {
    const auto loaded = rope::makePlan(
        {.id = "longrope", .values = {{"factors", file.string()}}, .factor = 4.0}, context);
    ASSERT_TRUE(loaded) << loaded.error().message;
    EXPECT_EQ(loaded->invFreq, edited->invFreq);
    EXPECT_EQ(loaded->attentionFactor == 1.0625, attention);
  }
  // The block holds up to the trained length, too.
  context.plannedLength = 512;
  const auto within = rope::makePlan(
      {.id = "longrope", .values = {{"factors", json.string()}}, .factor = 4.0}, context);
  ASSERT_TRUE(within) << within.error().message;
  EXPECT_EQ(within->invFreq, edited->invFreq);
}

TEST_F(FactorEditorTest, APatchIsOfOneDraftOnly) {
  auto patch = std::make_shared<ScorePatch>();
  patch->before = {.queries = {3, 4}, .byDistance = {0.5, 0.5, 0, 0}, .byKey = {0, 0, 0.5, 0.5}};
  patch->after = {.queries = {3, 4}, .byDistance = {0.7, 0.1, 0, 0.2}, .byKey = {0.2, 0, 0.1, 0.7}};
  patch->whose = "the answer's";
  model.setPatch(patch, {});
  EXPECT_NEAR(patch->moved(), 0.4, 1e-12);
  EXPECT_TRUE(model.patchText().contains("40 %")) << qPrintable(model.patchText());
  double before = 0.0;
  double after = 0.0;
  for (const PatchBin& bin : model.patchBins()) {
    before += bin.before;
    after += bin.after;
  }
  EXPECT_NEAR(before, 1.0, 1e-12);
  EXPECT_NEAR(after, 1.0, 1e-12);
  model.drag(5, 2.0);
  EXPECT_EQ(model.patch(), nullptr);
  EXPECT_TRUE(model.patchBins().empty());
}

TEST_F(FactorEditorTest, ARerunSaysWhichEditItIsOf) {
  model.setRerun({2048, 30.0, 28.0}, model.draft(), true);
  EXPECT_TRUE(model.rerunText().contains("without the calibration"));
  model.setRerun({2048, 30.0, 28.0}, model.draft(), false);
  EXPECT_FALSE(model.rerunText().contains("calibration"));
  EXPECT_TRUE(model.rerunText().contains("2,048") || model.rerunText().contains("2048"));
  EXPECT_FALSE(model.rerunText().contains("earlier"));
  model.drag(5, 2.0);
  EXPECT_TRUE(model.rerunText().contains("earlier"));
  model.undoStack().undo();
  EXPECT_FALSE(model.rerunText().contains("earlier"));
}

TEST_F(FactorEditorTest, AnEditOutlivesAChangeOfMethod) {
  model.drag(5, 2.0);
  model.setPlan(std::make_shared<const rope::RotaryPlan>(*model.plan()), {});
  EXPECT_FALSE(model.isEdited());
  EXPECT_EQ(model.undoStack().count(), 1);
  model.undoStack().undo();
  EXPECT_TRUE(model.isEdited());
  const auto edited = factors();
  model.setPlan(std::make_shared<const rope::RotaryPlan>(planOf("ntk")), {});
  EXPECT_EQ(factors(), edited);
  EXPECT_EQ(model.undoStack().count(), 1);
  EXPECT_EQ(model.inUse().factors, rope::factorsOf(planOf("ntk")));
  model.reset();
  model.setPlan(std::make_shared<const rope::RotaryPlan>(planOf("pi")), {});
  EXPECT_EQ(model.undoStack().count(), 0);
  EXPECT_NEAR(factors()[0], 4.0, kTwoDivisions * 4);
  model.setPlan(nullptr, {});
  EXPECT_EQ(model.table().rows(), 0);
  EXPECT_FALSE(model.plan());
}

TEST_F(FactorEditorTest, AnotherSessionUnderTheSameRotationKeepsTheDraft) {
  model.drag(5, 2.0);
  rope::RotaryPlan longer = planOf("yarn");
  longer.context.plannedLength = 8192;
  model.setPlan(std::make_shared<const rope::RotaryPlan>(longer), {});
  EXPECT_EQ(factors()[5], 2.0);
  EXPECT_EQ(model.undoStack().count(), 1);
  EXPECT_TRUE(model.isEdited());
}

TEST_F(FactorEditorTest, TablesTheCoresNumbers) {
  model.usePreset(3);
  const PlotTable table = model.table();
  const auto plan = model.plan();
  const auto unseen = unseenFrom(*plan);
  ASSERT_EQ(table.rows(), 32);
  for (std::size_t pair = 0; pair < 32; ++pair) {
    EXPECT_EQ(table.columns[1].numbers[pair], factors()[pair]);
    EXPECT_EQ(table.columns[3].numbers[pair], plan->invFreq[pair]);
    if (unseen[pair]) {
      EXPECT_EQ(table.columns[5].numbers[pair], static_cast<double>(*unseen[pair]));
    } else {
      EXPECT_TRUE(std::isnan(table.columns[5].numbers[pair]));
    }
  }
}

}  // namespace
}  // namespace ropescope::ui
