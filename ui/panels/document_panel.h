// The document's text, where its tokens lie, and the token ledger.
#pragma once

#include <QWidget>

class QCheckBox;
class QLabel;
class QPlainTextEdit;
class QPushButton;

namespace ropescope::ui {

class DocumentViewModel;

class DocumentPanel : public QWidget {
  Q_OBJECT

 public:
  explicit DocumentPanel(DocumentViewModel& model, QWidget* parent = nullptr);

 signals:
  void openRequested();

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  void showDocument();
  void showLedger();
  void markTokens();      // visible ones only: the whole text would take seconds
  void showTokenAtCursor();

  DocumentViewModel& m_model;
  QLabel* m_title;
  QLabel* m_token;
  QPlainTextEdit* m_text;
  QCheckBox* m_marks;
  QLabel* m_ledger;
  QLabel* m_fit;
  QLabel* m_read;
  QPushButton* m_readButton;
};

}  // namespace ropescope::ui
