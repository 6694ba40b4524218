// Perplexity curves: how far the measurement is, the points so far, and what others published.
//
// Knows no widget and no engine: a Starter does the work, in the window on the engine thread. What
// is to be measured stands in PerplexityInputs.
#pragma once

#include <QObject>
#include <QString>
#include <QStringList>
#include <QVector>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/eval/perplexity.h"
#include "core/eval/published_curves.h"
#include "ui/plots/plot_table.h"
#include "ui/viewmodels/perplexity_inputs.h"

namespace ropescope::ui {

// One curve as the plot draws it.
struct PerplexityLine {
  QString title;
  QVector<double> lengths = {};  // tokens
  QVector<double> perplexities = {};
  QVector<double> errors = {};  // standard errors, 0 where there is none
  bool hasErrors = false;
  QStringList details = {};  // of every point, for a tooltip: "16,320 tokens scored, 4 documents"
  QVector<double> aboveLengths = {};  // points of which a source only says "above this"
  QVector<double> aboveValues = {};
};

// A curve's value between its points.
struct CurveValue {
  double perplexity = 0.0;
  bool measured = false;  // at this very length; else drawn between its neighbours
};
// None outside of the curve's lengths. Between two points the mean loss is taken to go straight in
// the logarithm of the length.
std::optional<CurveValue> valueAt(const PerplexityLine& line, double length);

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

  explicit PerplexityViewModel(std::filesystem::path calibrations = {}, QObject* parent = nullptr);
  void setStarter(Starter start, std::function<void()> stop);

  // What there is to measure.
  PerplexityInputs& inputs() { return m_inputs; }
  const PerplexityInputs& inputs() const { return m_inputs; }
  void setDocument(std::vector<std::int32_t> ids, const QString& name);
  void setModel(std::int64_t trainedLength, bool addsBos, const std::string& hash = {});
  void setPlannedFactor(double factor) { m_inputs.setPlannedFactor(factor); }
  void editCurves(const QString& text) { m_inputs.editCurves(text); }
  void editLengths(const QString& text) { m_inputs.editLengths(text); }
  QString curvesText() const { return m_inputs.curvesText(); }
  const QString& lengthsText() const { return m_inputs.lengthsText(); }

  void start();
  void stop();
  void clearCurves();
  void setProgress(const Progress& progress);
  // Curves of a file instead of measured ones, each under its title: a file has no calibrations to
  // name them by. And the protocol that it names.
  void showRecorded(std::vector<PerplexityCurve> curves, const QStringList& titles,
                    std::vector<std::int64_t> lengths, const QString& protocol);
  void showPublished(std::vector<PublishedCurve> curves);  // laid over the measured ones

  State state() const { return m_state; }
  bool canStart() const { return m_state == State::Idle && m_inputs.hasDocument(); }
  QString statusText() const { return m_status; }  // progress, result or what is wrong
  bool hasFailed() const { return m_failed; }
  QString protocolText() const;  // printed on the plot
  // Why published curves must not be read as if measured here; empty without any.
  QString publishedWarning() const;
  double trainedLength() const { return static_cast<double>(m_inputs.trainedLength()); }
  double shortestLength() const;  // that the axis has to show; 0: none
  double longestLength() const;
  const std::vector<PerplexityCurve>& curves() const { return m_curves; }
  const std::vector<PublishedCurve>& published() const { return m_published; }
  std::vector<PerplexityLine> lines() const;
  std::vector<PerplexityLine> publishedLines() const;
  PlotTable table() const;      // one row per point, published ones last
  QString wideCsvText() const;  // the measured curves

 Q_SIGNALS:
  void inputsChanged();
  void stateChanged();   // state, status text
  void curvesChanged();  // new points, other published curves

 private:
  std::vector<std::int64_t> shownLengths() const;
  PerplexityConfig shownConfig() const;
  void acceptCurve(std::size_t index, const PerplexityCurve& curve);
  void finish(const Status& status);
  void setStatus(const QString& text, bool failed);

  PerplexityInputs m_inputs;
  Starter m_start;
  std::function<void()> m_stop;
  State m_state = State::Idle;
  QString m_status;
  bool m_failed = false;
  PerplexityConfig m_config;  // of the curves shown
  QString m_measuredName;     // documents of the curves shown
  std::size_t m_ordered = 0;  // curves in the running order
  std::vector<PerplexityCurve> m_curves;
  QStringList m_recordedTitles;
  QString m_recordedProtocol;
  std::vector<PublishedCurve> m_published;
};

}  // namespace ropescope::ui
