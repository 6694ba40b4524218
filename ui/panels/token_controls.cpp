#include "ui/panels/token_controls.h"

#include <QLabel>
#include <QSignalBlocker>
#include <algorithm>
#include <limits>

namespace ropescope::ui {
namespace {

constexpr int kPositionWidth = 68;  // px: "65,535" and the arrows
constexpr int kIndexWidth = 48;

void add(QHBoxLayout* row, const QString& text, QSpinBox* box) {
  auto* label = new QLabel(text, box->parentWidget());
  label->setBuddy(box);
  row->addWidget(label);
  row->addWidget(box);
}

}  // namespace

TokenControls::TokenControls(TokenPairModel& model, QWidget* owner)
    : QObject(owner),
      m_model(model),
      m_query(new QSpinBox(owner)),
      m_key(new QSpinBox(owner)),
      m_layer(new QSpinBox(owner)),
      m_head(new QSpinBox(owner)),
      m_strongest(new QPushButton(tr("Strongest key"), owner)) {
  m_query->setToolTip(
      tr("Position of the token that looks. A click on the attention map or two "
         "clicks in the document choose both tokens."));
  m_key->setToolTip(tr("Position of the token that is looked at; it lies before the query."));
  m_layer->setToolTip(tr("Layer, counted from 0; the same as the attention map's"));
  m_head->setToolTip(tr("Query head, counted from 0; the same as the attention map's"));
  m_strongest->setToolTip(
      tr("Take the key that this query reads most; the first 4 tokens are left out"));
  for (QSpinBox* box : {m_query, m_key}) {
    box->setGroupSeparatorShown(true);
    box->setMinimumWidth(kPositionWidth);
    connect(box, QOverload<int>::of(&QSpinBox::valueChanged), this, &TokenControls::chooseTokens);
  }
  for (QSpinBox* box : {m_layer, m_head}) {
    box->setMinimumWidth(kIndexWidth);
    connect(box, QOverload<int>::of(&QSpinBox::valueChanged), this, &TokenControls::chooseHead);
  }
  connect(m_strongest, &QPushButton::clicked, &m_model, &TokenPairModel::chooseStrongestKey);
  const LensParts& parts = m_model.parts();
  connect(&parts.tokens, &TokenChoice::changed, this, &TokenControls::show);
  connect(&parts.heads, &HeadChoice::headChanged, this, &TokenControls::show);
  connect(&parts.app, &AppModel::documentChanged, this, &TokenControls::show);
  connect(&parts.app, &AppModel::sessionAdvanced, this, &TokenControls::show);
  show();
}

void TokenControls::addTokens(QHBoxLayout* row) {
  add(row, tr("&Query"), m_query);
  add(row, tr("&Key"), m_key);
}

void TokenControls::addHead(QHBoxLayout* row) {
  add(row, tr("&Layer"), m_layer);
  add(row, tr("&Head"), m_head);
  row->addWidget(m_strongest);
  row->addStretch(1);
}

void TokenControls::show() {
  const LensParts& parts = m_model.parts();
  const QSignalBlocker blockers[] = {QSignalBlocker(m_query), QSignalBlocker(m_key),
                                     QSignalBlocker(m_layer), QSignalBlocker(m_head)};
  constexpr std::int64_t kMost = std::numeric_limits<int>::max();
  const auto last = static_cast<int>(std::clamp<std::int64_t>(m_model.tokens() - 1, 0, kMost));
  const int query = static_cast<int>(std::max<std::int64_t>(0, parts.tokens.query()));
  m_query->setRange(0, last);
  m_query->setValue(query);
  m_key->setRange(0, parts.tokens.isSet() ? query : last);
  m_key->setValue(static_cast<int>(std::max<std::int64_t>(0, parts.tokens.key())));
  m_layer->setRange(0, std::max(0, parts.heads.layers() - 1));
  m_layer->setValue(parts.heads.head().layer);
  m_head->setRange(0, std::max(0, parts.heads.heads() - 1));
  m_head->setValue(parts.heads.head().head);
  m_strongest->setEnabled(parts.tokens.isSet() && parts.tokens.query() < parts.app.position());
}

void TokenControls::chooseTokens() {
  // A smaller query takes a key that would lie behind it along.
  const int query = m_query->value();
  m_model.parts().tokens.choose(
      query, sender() == m_key ? m_key->value() : std::min(m_key->value(), query));
}

void TokenControls::chooseHead() {
  m_model.parts().heads.setHead({m_layer->value(), m_head->value()});
}

}  // namespace ropescope::ui
