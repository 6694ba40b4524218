// Perplexity curves: what to measure, how far it is, and the points so far.
//
// Knows no widget and no engine: a Starter does the work, in the window on the engine thread.
#pragma once

#include <QObject>
#include <QString>
#include <QStringList>
#include <QVector>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/eval/perplexity.h"
#include "ui/plots/plot_table.h"

namespace ropescope::ui {

struct PerplexityOrder {
  std::vector<std::string> curves = {};  // as on the command line: "yarn:factor=4"
  std::vector<std::vector<std::int32_t>> documents = {};
  PerplexityConfig config = {};
};

// One curve as the plot draws it.
struct PerplexityLine {
  QString title;
  QVector<double> lengths = {};  // tokens
  QVector<double> perplexities = {};
  QVector<double> errors = {};  // standard errors, 0 where there is none
  bool hasErrors = false;
};

class PerplexityViewModel : public QObject {
  Q_OBJECT

 public:
  // All three are called on the GUI thread; onCurve never after onDone.
  struct Sinks {
    std::function<void(std::size_t index, const PerplexityCurve&)> onCurve;
    std::function<void(const Status&)> onDone;
  };
  using Starter = std::function<void(const PerplexityOrder&, Sinks)>;
  enum class State { Idle, Running, Stopping };

  explicit PerplexityViewModel(QObject* parent = nullptr);
  void setStarter(Starter start, std::function<void()> stop);

  // What there is to measure. Sets texts that the user has not edited to their defaults.
  void setDocument(std::vector<std::int32_t> ids, const QString& name);
  void setModel(std::int64_t trainedLength, bool addsBos);
  void setPlannedFactor(double factor);
  void clearCurves();

  void editCurves(const QString& text);   // "none;pi;yarn:factor=4"
  void editLengths(const QString& text);  // "1024, 2048, 4096"
  const QString& curvesText() const { return m_curvesText; }
  const QString& lengthsText() const { return m_lengthsText; }

  void start();
  void stop();
  void setProgress(const Progress& progress);
  // Curves of a file instead of measured ones, and the protocol that it names.
  void showRecorded(std::vector<PerplexityCurve> curves, std::vector<std::int64_t> lengths,
                    const QString& protocol);

  State state() const { return m_state; }
  bool canStart() const { return m_state == State::Idle && !m_ids.empty(); }
  QString statusText() const { return m_status; }  // progress, result or what is wrong
  bool hasFailed() const { return m_failed; }
  QString protocolText() const;  // printed on the plot
  double trainedLength() const { return static_cast<double>(m_trainedLength); }
  double shortestLength() const;  // that the axis has to show; 0: none
  double longestLength() const;
  const std::vector<PerplexityCurve>& curves() const { return m_curves; }
  std::vector<PerplexityLine> lines() const;
  PlotTable table() const;  // one row per point

 Q_SIGNALS:
  void inputsChanged();
  void stateChanged();   // state, status text
  void curvesChanged();  // new points

 private:
  void setDefaults();
  std::vector<std::int64_t> shownLengths() const;
  void acceptCurve(std::size_t index, const PerplexityCurve& curve);
  void finish(const Status& status);
  void setStatus(const QString& text, bool failed);

  Starter m_start;
  std::function<void()> m_stop;
  std::vector<std::int32_t> m_ids;
  QString m_documentName;
  std::int64_t m_trainedLength = 0;
  bool m_addsBos = false;
  double m_factor = 1.0;
  QString m_curvesText;
  QString m_lengthsText;
  bool m_curvesEdited = false;
  bool m_lengthsEdited = false;

  State m_state = State::Idle;
  QString m_status;
  bool m_failed = false;
  PerplexityConfig m_config;  // of the curves shown
  QString m_measuredName;     // document of the curves shown
  std::size_t m_ordered = 0;  // curves in the running order
  std::vector<PerplexityCurve> m_curves;
  QString m_recordedProtocol;
};

// Powers of two and one or three lengths between each, from 256 tokens to `tokens`, which ends the
// list unless the last step would be tiny.
std::vector<std::int64_t> defaultLengths(std::int64_t tokens);
// "none;pi:factor=4;yarn:factor=4"
QString defaultCurves(double factor);
// Errors: InvalidArgument with the word that is no length.
Result<std::vector<std::int64_t>> parseLengths(const QString& text);

}  // namespace ropescope::ui
