// Ask about the document: suggested questions, a field, streamed answers, a working stop.
#pragma once

#include <QStringList>
#include <QWidget>
#include <memory>
#include <vector>

#include "ui/viewmodels/text_shading.h"

class QLabel;
class QMenu;
class QPlainTextEdit;
class QPushButton;
class QScrollArea;
class QSpinBox;
class QVBoxLayout;

namespace ropescope::ui {

class AppModel;
class ChatModel;
class DocumentViewModel;
class TurnView;

class ChatPanel : public QWidget {
  Q_OBJECT

 public:
  ChatPanel(AppModel& app, ChatModel& chat, DocumentViewModel& document, QWidget* parent = nullptr);
  void setSuggestions(const QStringList& questions);

  // Colours the tokens of one answer and of no other; null: of none.
  void shadeAnswer(quint64 turn, const std::shared_ptr<const TextShades>& shades);

 Q_SIGNALS:
  // Characters of an answer; empty: all of it.
  void answerSelected(quint64 turn, const ropescope::ui::CharacterRange& characters);

 public slots:
  void askWrittenQuestion();

 private:
  QWidget* makeAnswerOptions();
  QMenu* makeSamplingMenu();
  void addTurns(int first, int last);
  void updateTurns(int first, int last);
  void resetTurns();
  void showBusy();
  void countQuestion();

  AppModel& m_app;
  ChatModel& m_chat;
  DocumentViewModel& m_document;
  QScrollArea* m_scroll;
  QVBoxLayout* m_turnLayout;
  std::vector<TurnView*> m_turns;
  QWidget* m_suggestions;
  QLabel* m_questionLabel;
  QPlainTextEdit* m_question;
  QPushButton* m_ask;
  QPushButton* m_stop;
  bool m_followEnd = true;  // the newest text stays in view unless the reader scrolled up
};

}  // namespace ropescope::ui
