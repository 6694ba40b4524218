// Score against distance for given contents of two tokens, under every method.
#pragma once

#include <QStringList>
#include <QVector>
#include <memory>
#include <optional>
#include <vector>

#include "ui/plots/plot_table.h"
#include "ui/viewmodels/method_plans.h"
#include "ui/viewmodels/token_pair_model.h"

namespace ropescope::ui {

struct ScoreLine {
  QString title;
  QVector<double> scores = {};
  bool isInUse = false;
  bool isPlain = false;
};

class ScoreViewModel : public QObject {
  Q_OBJECT

 public:
  enum class Contents { TwoTokens, HeadMean };
  enum class Lines { InUseAndPlain, AllMethods };

  explicit ScoreViewModel(LensParts parts, QObject* parent = nullptr);

  TokenPairModel& pair() { return m_pair; }
  const TokenPairModel& pair() const { return m_pair; }
  void setActive(bool active);
  Contents contents() const { return m_contents; }
  void setContents(Contents contents);
  Lines shown() const { return m_shown; }
  void setShown(Lines shown);
  // The part of the distances that is looked at; cut to 0 … longest(). At most kPoints are scored.
  void setView(double first, double last);
  // A context of that many tokens: its last distance is scored exactly and marked. 0: none.
  void setContextLength(std::int64_t tokens);
  std::int64_t contextLength() const { return m_context; }
  std::optional<double> contextScore() const;  // under the method in use; none: out of view

  std::int64_t longest() const;  // tokens: the plan's last distance
  double trainedLength() const;
  double ownDistance() const;  // of the two tokens; negative: none
  double ownScore() const;
  const QVector<double>& distances() const { return m_distances; }
  std::int64_t step() const { return m_step; }  // tokens between two of them
  const std::vector<ScoreLine>& lines() const { return m_lines; }
  // After a switch of method: the same contents as the session before had them; may be empty.
  const ScoreLine& ghost() const { return m_ghost; }
  bool isLoading() const { return m_pair.isLoading() || m_waiting; }
  QString message() const;
  QString sentence() const;  // whose contents, how exact
  QString footer() const;    // sampling
  PlotTable table() const;

 Q_SIGNALS:
  void linesChanged();
  void contentsChanged();  // other tokens or another head: axes start anew

 private:
  // What the curves are of: while it stays, so do the axes.
  struct Subject {
    Contents contents = Contents::TwoTokens;
    HeadRef head = {};
    std::int64_t query = -1;
    std::int64_t key = -1;
    bool operator==(const Subject&) const = default;
  };
  struct MeanReading {
    HeadMean mean;
    HeadRef head;
    rope::RotaryPlan plan;  // of the session that was read
    QString title;
  };
  std::optional<Subject> subject() const;  // none: is being read
  const HeadContents* contentsShown() const;
  void startSession();
  void contentsArrived();
  void askMean();
  void rebuild();
  void rebuildGhost(const std::vector<std::int64_t>& distances);
  std::vector<std::int64_t> sampled(std::int64_t step) const;
  std::int64_t sampleStep() const;

  TokenPairModel m_pair;
  Contents m_contents = Contents::TwoTokens;
  Lines m_shown = Lines::InUseAndPlain;
  bool m_active = false;
  bool m_waiting = false;
  std::shared_ptr<const MeanReading> m_mean;
  std::shared_ptr<const MeanReading> m_meanBefore;  // in the session before the last switch
  std::vector<MethodPlan> m_plans;
  double m_first = 0.0;
  double m_last = 0.0;
  std::int64_t m_step = 1;
  QVector<double> m_distances;
  std::vector<ScoreLine> m_lines;
  ScoreLine m_ghost;
  std::optional<Subject> m_axesOf;
  std::int64_t m_axesLongest = 0;
  std::int64_t m_context = 0;
};

}  // namespace ropescope::ui
