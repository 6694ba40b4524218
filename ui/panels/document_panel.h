// The document's text, where its tokens lie, and the token ledger.
#pragma once

#include <QWidget>

class QCheckBox;
class QComboBox;
class QLabel;
class QPlainTextEdit;
class QPushButton;

namespace ropescope::ui {

class DocumentViewModel;
class HeatStrip;
class TextShading;
class TokenShading;

class DocumentPanel : public QWidget {
  Q_OBJECT

 public:
  DocumentPanel(DocumentViewModel& model, TextShading& shading, QWidget* parent = nullptr);

 signals:
  void openRequested();

 private:
  QWidget* makeText();  // with the strip beside it
  void buildShading();
  void showDocument();
  void showLedger();
  void showShading();
  void markTokens();
  void showTokenAtCursor();

  DocumentViewModel& m_model;
  TextShading& m_shading;
  QLabel* m_title;
  QLabel* m_token;
  QPlainTextEdit* m_text;
  TokenShading* m_tokens;
  HeatStrip* m_strip;
  QCheckBox* m_marks;
  QComboBox* m_shadeBy;
  QLabel* m_legend;
  QLabel* m_ledger;
  QLabel* m_fit;
  QLabel* m_read;
  QPushButton* m_readButton;
};

}  // namespace ropescope::ui
