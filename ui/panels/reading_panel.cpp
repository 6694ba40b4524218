#include "ui/panels/reading_panel.h"

#include "ui/panels/panel_text.h"
#include "ui/panels/passage_list.h"
#include "ui/plots/position_plot.h"

namespace ropescope::ui {

ReadingPanel::ReadingPanel(ReadingViewModel& model, ChatModel& chat,
                           const DocumentViewModel& document, TextShading& shading, QWidget* parent)
    : PlotPanel(QStringLiteral("reading"), parent),
      m_model(model),
      m_chat(chat),
      m_document(document),
      m_shading(shading),
      m_heads(new QComboBox(this)),
      m_title(wrappedLabel(this)),
      m_detail(wrappedLabel(this)),
      m_positions(new PositionPlot(this)),
      m_list(new PassageList(model.passages(), tr("Strongest sentences"), this)) {
  buildControls();
  setPlot(m_positions);
  static_cast<QVBoxLayout*>(layout())->addWidget(m_list, 1);
  connect(m_heads, &QComboBox::activated, &m_model, [this](int index) {
    m_model.setHeadsKind(static_cast<HeadSetKind>(m_heads->itemData(index).toInt()));
  });
  connect(&m_model, &ReadingViewModel::changed, this, &ReadingPanel::showReading);
  connect(m_list, &PassageList::picked, &m_shading, &TextShading::reveal);
  connectPointing();
  showReading();
}

void ReadingPanel::buildControls() {
  const auto add = [this](const QString& text, HeadSetKind kind) {
    m_heads->addItem(text, static_cast<int>(kind));
  };
  add(tr("retrieval heads"), HeadSetKind::Retrieval);
  add(tr("mean of all heads"), HeadSetKind::Mean);
  add(tr("chosen head"), HeadSetKind::One);
  m_heads->setToolTip(
      tr("Which heads are averaged. Retrieval heads are used once they were found; before, it is "
         "the mean of all heads. The chosen head is that of the map."));
  m_heads->setMinimumContentsLength(12);
  m_heads->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  firstRow()->addWidget(labelFor(tr("&Heads"), m_heads));
  firstRow()->addWidget(m_heads, 1);
  addRow()->addWidget(m_title, 1);
  addRow()->addWidget(m_detail, 1);
  setBold(m_title);
  setMuted(m_detail);
}

// The plot and the text point at the same token.
void ReadingPanel::connectPointing() {
  const auto characters = [this](qint64 position) {
    return charactersOf(m_document.offsets(), {position, position + 1});
  };
  connect(m_positions, &PositionPlot::pointed, this,
          [this, characters](qint64 position) { m_shading.mark(characters(position)); });
  connect(m_positions, &PositionPlot::picked, this,
          [this, characters](qint64 position) { m_shading.reveal(characters(position)); });
  connect(&m_shading, &TextShading::pointed, this, [this](int character) {
    m_positions->markPosition(pieceAt(m_document.offsets(), character));
  });
}

void ReadingPanel::showReading() {
  m_heads->setCurrentIndex(m_heads->findData(static_cast<int>(m_model.headsKind())));
  m_title->setText(m_model.title());
  m_detail->setText(m_model.reading() ? m_model.detail() : m_model.message());
  PositionSeries series{.values = m_model.documentValues(),
                        .valueTitle = tr("weight"),
                        .caption = {},
                        .hint = m_model.reading() ? QString() : tr("Nothing to draw yet.")};
  if (m_model.reading()) series.caption = tr("heads: %1").arg(m_model.reading()->heads);
  m_positions->setSeries(std::move(series));
  refreshTable();
}

void ReadingPanel::showExample() {
  for (auto turn = m_chat.turns().rbegin(); turn != m_chat.turns().rend(); ++turn) {
    if (turn->state != ChatTurn::State::Finished) continue;
    m_shading.setMode(ShadeBy::Attention);
    return m_model.selectAnswer(turn->id, {});
  }
}

}  // namespace ropescope::ui
