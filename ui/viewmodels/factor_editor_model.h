// Factors being drawn by hand: one divisor of the plain frequency per pair, with presets from every
// method and undo. Knows no widget and no engine.
//
// Three levels of what an edit does, each said to be what it is: the formula at once (plan(),
// coverage), a score patch on the session's captured q and k (setPatch()), a run of its own over a
// slice of the document (setRerun()).
#pragma once

#include <QObject>
#include <QString>
#include <QUndoStack>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/result.h"
#include "core/lens/distance_mass.h"
#include "core/probe/angle_coverage.h"
#include "core/rope/factor_file.h"
#include "core/rope/factor_spline.h"
#include "ui/plots/plot_table.h"
#include "ui/viewmodels/distance_bins.h"

namespace ropescope::ui {

// What is edited and undone as one.
struct FactorDraft {
  std::vector<double> factors;  // [P]
  double attentionFactor = 1.0;
  std::int64_t unscaledTokens = 0;  // n-hat
  bool operator==(const FactorDraft&) const = default;
};

struct FactorPreset {
  QString title;  // "YaRN × 4"
  FactorDraft draft;
};

// Attention of the same queries before and after the edit.
struct ScorePatch {
  DistanceMass before;
  DistanceMass after;
  QString whose;  // "the answer's"
  QString what;   // "the answer's 5 tokens, mean of 36 heads"
  // Half the sum of what every key gains and loses: 0 nothing moved, 1 everything.
  double moved() const;
};

struct SliceRerun {
  std::int64_t tokens = 0;
  double before = 0.0;  // perplexity
  double after = 0.0;
};

// Attention begin … end - 1 tokens back, in shares.
struct PatchBin {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  double before = 0.0;
  double after = 0.0;
};

enum class FactorTool { Bars, Spline };

class FactorEditorModel : public QObject {
  Q_OBJECT

 public:
  static constexpr double kLeast = 0.25;  // of a factor
  static constexpr double kMost = 1024.0;

  explicit FactorEditorModel(QObject* parent = nullptr);

  // Another rotation in use: the draft becomes its factors, undo is forgotten. Null: nothing to
  // edit. The same rotation in another session, and one that the draft was applied as, keep both.
  void setPlan(std::shared_ptr<const rope::RotaryPlan> plan,
               const std::vector<rope::RotaryPlan>& others);
  bool hasPlan() const { return m_plan != nullptr; }
  const FactorDraft& draft() const { return m_draft; }
  const FactorDraft& inUse() const { return m_inUse; }
  bool isEdited() const { return !(m_draft == m_inUse); }
  const std::vector<FactorPreset>& presets() const { return m_presets; }
  QUndoStack& undoStack() { return m_undo; }

  void usePreset(int index);
  void reset();  // to the plan in use
  void setAttentionFactor(double factor);
  void setTool(FactorTool tool);
  FactorTool tool() const { return m_tool; }
  // Spline handles on the draft's curve; with the tool Bars there are none.
  std::vector<rope::FactorHandle> handles() const;
  // A drag is everything from beginDrag() to endDrag() and undone as one. `pair`: a bar, or the
  // pair of a handle. Outside of a drag every call is a step of its own.
  void beginDrag();
  void drag(int pair, double factor);  // cut to kLeast … kMost
  void endDrag();

  // Level a, the formula.
  Result<rope::RotaryPlan> plan() const;  // of the draft, in the context of the plan in use
  rope::MethodChoice choice() const { return choiceOf(m_draft); }
  rope::MethodChoice choiceInUse() const { return choiceOf(m_inUse); }
  bool leavesTraining(int pair) const;  // within the planned length
  QString formulaText() const;
  QString describe(int pair) const;

  // Level b, the score patch; null with the reason in words. Gone after the next edit.
  void setPatch(std::shared_ptr<const ScorePatch> patch, const QString& why);
  const std::shared_ptr<const ScorePatch>& patch() const { return m_patch; }
  const std::vector<PatchBin>& patchBins() const { return m_patchBins; }
  QString patchText() const;
  QString patchNote() const;  // for the plot: whose attention is drawn

  // Level c, the re-run of a draft. Stays, as of an earlier one, after an edit.
  // `uncalibrated`: the session has a calibration, which a re-run leaves out.
  void setRerun(const SliceRerun& rerun, const FactorDraft& of, bool uncalibrated);
  void setRerunStatus(const QString& text);  // running, stopped or failed
  QString rerunText() const;

  QString block() const;   // "rope_parameters" of config.json
  QString column() const;  // the factors alone, one a line
  PlotTable table() const;

 Q_SIGNALS:
  void draftChanged();    // factors or attention factor
  void presetsChanged();  // plan in use, presets
  void toolChanged();
  void patchChanged();
  void rerunChanged();

 private:
  friend class FactorCommand;
  void adopt(const FactorDraft& draft);  // by the undo stack
  void change(const FactorDraft& next, const QString& what);
  rope::MethodChoice choiceOf(const FactorDraft& draft) const;

  std::shared_ptr<const rope::RotaryPlan> m_plan;
  FactorDraft m_draft;
  FactorDraft m_inUse;
  std::vector<FactorPreset> m_presets;
  QUndoStack m_undo;
  FactorTool m_tool = FactorTool::Bars;
  std::vector<rope::FactorHandle> m_handles;
  int m_drag = 0;  // number of the drag that runs; 0: none
  int m_lastDrag = 0;
  std::vector<UnseenFrom> m_unseen;
  std::shared_ptr<const ScorePatch> m_patch;
  std::vector<PatchBin> m_patchBins;
  QString m_patchWhy;
  std::optional<SliceRerun> m_rerun;
  FactorDraft m_rerunDraft;
  bool m_rerunUncalibrated = false;
  QString m_rerunStatus;
};

}  // namespace ropescope::ui
