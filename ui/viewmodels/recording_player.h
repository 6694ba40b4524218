// A recorded experiment as a demonstration: steps that fill up part by part, as when it was made.
//
// Knows no widget, no model and no engine: everything shown comes from the file.
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <QString>
#include <QTimer>
#include <memory>
#include <vector>

#include "core/experiment/experiment.h"

namespace ropescope::ui {

struct RecordingStep {
  enum class Kind { Document, Map, Answer, Angles, Curves };
  Kind kind = Kind::Document;
  std::size_t setting = 0;  // of the plan; of Map and Answer
  std::size_t index = 0;    // map or question
  int parts = 1;            // rows, tokens, lengths
  double seconds = 0.0;     // at the steady pace
  double recorded = 0.0;    // as it was; 0: not known
  QString title = {};
};
std::vector<RecordingStep> stepsOf(const experiment::Experiment& recorded);

class RecordingPlayer : public QObject {
  Q_OBJECT

 public:
  explicit RecordingPlayer(QObject* parent = nullptr);

  void setExperiment(std::shared_ptr<const experiment::Experiment> recorded);  // shown whole
  const std::shared_ptr<const experiment::Experiment>& experiment() const { return m_recorded; }

  const std::vector<RecordingStep>& steps() const { return m_steps; }
  std::size_t current() const { return m_current; }
  const RecordingStep* step() const;  // null without an experiment
  int shownParts() const { return m_shown; }
  // Parts of step `index` that are shown: all of earlier ones, none of later ones.
  int shownParts(std::size_t index) const;
  QString positionText() const;  // "step 3 of 9: YaRN answers question 1"

  bool isPlaying() const { return m_timer.isActive(); }
  bool keepsRecordedPace() const { return m_recordedPace; }
  void setRecordedPace(bool recorded) { m_recordedPace = recorded; }

  void play();  // from here on; from the beginning when it is over
  void pause();
  void toggle() { isPlaying() ? pause() : play(); }
  void next();  // the next step, whole; or from its beginning while it plays
  void previous();
  void goTo(std::size_t step);
  void advance(double seconds);  // what the clock does while it plays

 Q_SIGNALS:
  void experimentChanged();
  void stepChanged();
  void advanced();  // more parts, or another step
  void playingChanged();

 private:
  void enter(std::size_t step, bool whole);
  double duration(const RecordingStep& step) const;

  std::shared_ptr<const experiment::Experiment> m_recorded;
  std::vector<RecordingStep> m_steps;
  std::size_t m_current = 0;
  int m_shown = 0;
  double m_elapsed = 0.0;  // seconds within the step
  bool m_recordedPace = false;
  QTimer m_timer;
  QElapsedTimer m_sinceTick;
};

// What is there of an answer's text after so many of its tokens.
QString answerText(const experiment::RecordedAnswer& answer, int tokens);
// Text of one token; empty when the file does not say.
QString tokenText(const experiment::RecordedAnswer& answer, std::size_t token);

}  // namespace ropescope::ui
