// "?": the explanation card of a view. What is drawn, the formula, the paper's figure it mirrors.
#pragma once

#include <QToolButton>

namespace ropescope::ui {

// Text of resources/cards/NAME.md, which the program carries; empty: there is none.
QString cardText(const QString& name);

class CardButton : public QToolButton {
  Q_OBJECT

 public:
  explicit CardButton(const QString& name, QWidget* parent = nullptr);  // hidden without a card
  void showCard();

 private:
  QString m_name;
};

}  // namespace ropescope::ui
