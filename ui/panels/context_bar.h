// One slider for the context length: every view that has a length follows it, and the question is
// asked again about as much of the document when the slider is let go.
#pragma once

#include <QSlider>
#include <QWidget>

#include "ui/viewmodels/context_focus.h"

class QCheckBox;
class QLabel;
class QSpinBox;

namespace ropescope::ui {

class AppModel;
class ChatModel;

// Lengths on a logarithmic scale, the trained one marked.
class LengthSlider : public QSlider {
  Q_OBJECT

 public:
  static constexpr int kStepsPerOctave = 32;

  explicit LengthSlider(ContextFocus& focus, QWidget* parent = nullptr);
  int stepOf(qint64 tokens) const;
  qint64 tokensAt(int step) const;  // the trained length and the maximum are met exactly

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  void takeRange();
  int pixelOf(int step) const;

  ContextFocus& m_focus;
};

class ContextBar : public QWidget {
  Q_OBJECT

 public:
  ContextBar(ContextFocus& focus, AppModel& app, ChatModel& chat, QWidget* parent = nullptr);

 private:
  void connectFocus();
  void showLength();
  void showAnswer();
  void askAgain(qint64 tokens);

  ContextFocus& m_focus;
  AppModel& m_app;
  ChatModel& m_chat;
  LengthSlider* m_slider;
  QSpinBox* m_tokens;
  QLabel* m_text;
  QCheckBox* m_asks;
  QLabel* m_answer;
};

}  // namespace ropescope::ui
