// Needle grids of several settings: what is asked, how far it is, the cells so far.
//
// Knows no widget and no engine: a Starter does the work, in the window on the engine thread.
#pragma once

#include <QObject>
#include <QString>
#include <functional>
#include <memory>
#include <vector>

#include "core/base/progress.h"
#include "ui/plots/plot_table.h"
#include "ui/viewmodels/curve_list_model.h"
#include "ui/viewmodels/needle_grid_model.h"
#include "ui/worker/needle_job.h"

namespace ropescope::ui {

class NeedleViewModel : public QObject {
  Q_OBJECT

 public:
  enum class State { Idle, Running, Stopping };
  struct Work {
    std::function<void(const NeedleOrder&, const NeedleSinks&)> start;
    std::function<void()> stop;
    // Cells of earlier runs; the last call counts.
    std::function<void(const NeedleOrder&, std::function<void(const std::vector<NeedleCell>&)>)>
        load;
  };

  // `folder` keeps the result files.
  NeedleViewModel(std::filesystem::path folder, std::filesystem::path calibrations,
                  QObject* parent = nullptr);
  void setWork(Work work) { m_work = std::move(work); }

  // What there is to ask. A change forgets the cells shown; those on the disk come back.
  void setDocument(std::shared_ptr<const OpenDocument> document);
  // A model with a prompt format of its own is asked in it until another kind is chosen.
  struct ModelFacts {
    std::int64_t trainedLength = 0;
    std::string hash;
    bool ownFormat = false;
  };
  void setModel(const ModelFacts& model);
  void setPlannedFactor(double factor);
  void editPlan(const NeedlePlan& plan);             // kind, recipe, sentence, trials, seed
  void editLengths(const QString& text);             // "1024, 2048"; empty: the default
  void editDepths(const QString& text);              // percent, "0, 50, 100"; empty: the default
  const NeedlePlan& plan() const { return m_plan; }  // without lengths and depths
  const QString& lengthsText() const { return m_lengthsText; }
  const QString& depthsText() const { return m_depthsText; }
  CurveListModel& curves() { return m_curves; }

  void start();  // goes on with what the result files hold
  void stop();
  void setProgress(const Progress& progress);
  State state() const { return m_state; }
  bool canStart() const { return m_state == State::Idle && m_hasModel; }
  QString statusText() const { return m_status; }
  bool hasFailed() const { return m_failed; }

  const std::vector<std::unique_ptr<NeedleGridModel>>& grids() const { return m_grids; }
  QString headline(std::size_t grid) const;  // "YaRN × 4: effective context 4,096 tokens"
  QString planText() const;                  // printed on the plot
  PlotTable table() const;                   // one row per measured cell
  // Errors: InvalidArgument with what is wrong.
  Result<NeedleOrder> order() const;

 Q_SIGNALS:
  void inputsChanged();
  void stateChanged();
  void gridsChanged();  // other grids, other axes
  void cellsChanged();

 private:
  void setDefaults();
  void rebuild();
  void loadKnown();
  void acceptCell(const NeedleCell& cell);
  void finish(const Status& status);
  void setStatus(const QString& text, bool failed);

  Work m_work;
  std::filesystem::path m_folder;
  CurveListModel m_curves;
  NeedlePlan m_plan;
  std::shared_ptr<const OpenDocument> m_document;
  QString m_lengthsText;
  QString m_depthsText;
  bool m_planEdited = false;
  bool m_lengthsEdited = false;
  bool m_curvesEdited = false;
  bool m_hasModel = false;
  std::int64_t m_trainedLength = 0;
  double m_factor = 1.0;
  State m_state = State::Idle;
  QString m_status;
  bool m_failed = false;
  quint64 m_generation = 0;  // of the grids; cells of an earlier one are dropped
  std::vector<std::unique_ptr<NeedleGridModel>> m_grids;
};

// Half the trained length, doubled, as far as a document of so many tokens and the question allow.
std::vector<std::int64_t> defaultNeedleLengths(std::int64_t trained, std::int64_t most);
// Percent. Errors: InvalidArgument with the word that is no number.
Result<std::vector<double>> parseDepths(const QString& text);

}  // namespace ropescope::ui
