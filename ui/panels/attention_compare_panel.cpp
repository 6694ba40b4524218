#include "ui/panels/attention_compare_panel.h"

#include <QSignalBlocker>
#include <algorithm>
#include <utility>

#include "ui/plots/attention_compare_plot.h"
#include "ui/viewmodels/token_piece.h"
#include "ui/worker/session_jobs.h"

namespace ropescope::ui {
namespace {

QString viewKey() {
  return QStringLiteral("attention-compare");
}

// Both from what their sessions captured, for the same cells.
Result<MapPair> drawPair(const EngineRoom& room, const std::array<std::uint64_t, 2>& serials,
                         const MapRequest& wanted, const JobControl& job) {
  const auto left = existingSession(room, serials[0]);
  const auto right = existingSession(room, serials[1]);
  // Both happen for a moment after a session is dropped; the next position asks again.
  if (!left || !right) return Error{ErrorCode::Cancelled, "a session is not there any more"};
  const auto end = static_cast<std::size_t>(wanted.queries.end);
  const auto one = (*left)->tokens();
  const auto other = (*right)->tokens();
  if (one.size() < end || other.size() < end) {
    return Error{ErrorCode::Cancelled, "the map shows more than a session holds"};
  }
  if (!std::equal(one.begin(), one.begin() + static_cast<std::ptrdiff_t>(end), other.begin())) {
    return Error{ErrorCode::InvalidArgument,
                 "the two sessions hold different tokens within the first " + std::to_string(end) +
                     "; read the document under both settings"};
  }
  auto first = (*left)->attentionMap(wanted, job);
  if (!first) return first.error();
  auto second = (*right)->attentionMap(wanted, job);
  if (!second) return second.error();
  return makePair(*std::move(first), *std::move(second));
}

}  // namespace

AttentionComparePanel::AttentionComparePanel(AppModel& app, EngineRunner& runner, HeadChoice& heads,
                                             QWidget* parent)
    : PlotPanel(QStringLiteral("attention-compare"), parent),
      m_app(app),
      m_runner(runner),
      m_heads(heads),
      m_left(new QComboBox(this)),
      m_right(new QComboBox(this)),
      m_layer(new QSpinBox(this)),
      m_head(new QSpinBox(this)),
      m_reducer(new QComboBox(this)),
      m_colors(new ColorControls(this)),
      m_differenceScale(new QComboBox(this)),
      m_read(new QPushButton(this)) {
  buildControls();
  setPlot(new AttentionComparePlot(m_model, this));
  connectControls();
  connectApp();
  m_model.setSource(
      [this](const MapRequest& wanted, const AttentionCompareModel::Deliver& deliver) {
        request(wanted, deliver);
      });
  m_model.view().setTokenText(
      [this](std::int64_t position) { return tokenPiece(m_app, position); });
  follow();
}

void AttentionComparePanel::buildControls() {
  for (QComboBox* chooser : {m_left, m_right}) {
    chooser->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    chooser->setMinimumContentsLength(4);
    for (int i = 0; i < AppModel::kSlots; ++i) chooser->addItem(QString::number(i + 1));
  }
  m_right->setCurrentIndex(1);
  m_left->setToolTip(tr("Settings of the first map"));
  m_right->setToolTip(tr("Settings of the second map"));
  m_layer->setToolTip(tr("Layer, counted from 0"));
  m_head->setToolTip(tr("Head, counted from 0; Page Up and Page Down on the plot step"));
  m_reducer->addItems({tr("max"), tr("mean")});
  m_reducer->setToolTip(tr("What a cell of many tokens shows: the largest weight or the mean"));
  fillScales(m_differenceScale);
  m_differenceScale->setToolTip(
      tr("Colour scale of the difference. Logarithmic: decades to both sides of 0."));
  firstRow()->addWidget(labelFor(tr("&First"), m_left));
  firstRow()->addWidget(m_left, 1);
  firstRow()->addWidget(labelFor(tr("S&econd"), m_right));
  firstRow()->addWidget(m_right, 1);
  QHBoxLayout* row = addRow();
  for (const auto& [text, control] : {std::pair<QString, QWidget*>{tr("&Layer"), m_layer},
                                      {tr("&Head"), m_head},
                                      {tr("&Reduce"), m_reducer},
                                      {tr("&Difference"), m_differenceScale}}) {
    row->addWidget(labelFor(text, control));
    row->addWidget(control);
  }
  row->addWidget(m_read);
  row->addStretch(1);
  QHBoxLayout* colors = addRow();
  colors->addWidget(m_colors);
  colors->addStretch(1);
}

void AttentionComparePanel::connectControls() {
  AttentionViewModel& view = m_model.view();
  for (QComboBox* chooser : {m_left, m_right}) {
    connect(chooser, &QComboBox::currentIndexChanged, this, &AttentionComparePanel::follow);
  }
  const auto changed = QOverload<int>::of(&QSpinBox::valueChanged);
  connect(m_layer, changed, &view, &AttentionViewModel::setLayer);
  connect(m_head, changed, &view, &AttentionViewModel::setHead);
  connect(m_reducer, &QComboBox::activated, &view,
          [&view](int index) { view.setReducer(index == 0 ? Reducer::Max : Reducer::Mean); });
  connect(m_read, &QPushButton::clicked, this, &AttentionComparePanel::readMissing);
  connect(&view, &AttentionViewModel::selectionChanged, this, [this, &view] {
    if (!m_following) m_heads.setHead({view.layer(), view.head()});
    showControls();
  });
  connect(&m_heads, &HeadChoice::headChanged, this,
          [this, &view] { view.selectHead(m_heads.head().layer, m_heads.head().head); });
  connect(&m_model, &AttentionCompareModel::pairChanged, this,
          &AttentionComparePanel::refreshTable);
  m_colors->edit(view);
  connect(m_differenceScale, &QComboBox::activated, &m_model,
          [this](int row) { m_model.setDifferenceScale(scaleAt(row)); });
}

void AttentionComparePanel::connectApp() {
  connect(&m_app, &AppModel::modelChanged, this, &AttentionComparePanel::follow);
  connect(&m_app, &AppModel::documentChanged, this, &AttentionComparePanel::follow);
  connect(&m_app, &AppModel::planChanged, this, &AttentionComparePanel::follow);
  connect(&m_app, &AppModel::slotsChanged, this, &AttentionComparePanel::follow);
  connect(&m_app, &AppModel::sessionAdvanced, this, &AttentionComparePanel::follow);
  connect(&m_app, &AppModel::busyChanged, this, [this] {
    showControls();
    if (m_readsAll && !m_runner.isBusy()) readMissing();
  });
}

const PlannedSession& AttentionComparePanel::sessionOf(const QComboBox* chooser) const {
  return m_app.slot(std::max(0, chooser->currentIndex())).session;
}

void AttentionComparePanel::chooseSlots(int left, int right) {
  m_left->setCurrentIndex(left);
  m_right->setCurrentIndex(right);
}

std::int64_t AttentionComparePanel::commonTokens() const {
  if (!m_app.document()) return 0;
  return std::min(
      {sessionOf(m_left).position(), sessionOf(m_right).position(), m_app.document()->tokens()});
}

void AttentionComparePanel::follow() {
  for (QComboBox* chooser : {m_left, m_right}) {
    const QSignalBlocker quiet(chooser);
    for (int i = 0; i < AppModel::kSlots; ++i) {
      chooser->setItemText(i, tr("%1: %2").arg(i + 1).arg(settingsTitle(m_app.slot(i).session)));
    }
  }
  showControls();
  if (!isVisible()) return;  // it asks for nothing; showEvent() catches up
  AttentionViewModel& view = m_model.view();
  if (m_app.engine()) {
    const ModelConfig& config = m_app.engine()->config();
    m_following = true;  // the window's head counts, not the one of the view before
    view.setModelShape(config.layers, config.heads);
    view.selectHead(m_heads.head().layer, m_heads.head().head);
    m_following = false;
  }
  m_model.setTitles(settingsTitle(sessionOf(m_left)), settingsTitle(sessionOf(m_right)));
  const std::array<std::uint64_t, 2> serials = {sessionOf(m_left).recipe.serial,
                                                sessionOf(m_right).recipe.serial};
  const bool sameText = m_app.document() == m_document;
  if (serials == m_serials && sameText) {
    view.advanceTo(commonTokens());
    return;
  }
  m_runner.dropViews(viewKey());
  m_serials = serials;
  m_document = m_app.document();
  m_model.startSessions(
      sameText ? AttentionCompareModel::Text::Same : AttentionCompareModel::Text::Other,
      m_document ? m_document->tokens() : 0, commonTokens());
}

void AttentionComparePanel::showEvent(QShowEvent* event) {
  PlotPanel::showEvent(event);
  follow();
}

int AttentionComparePanel::missing() const {
  if (!m_app.document()) return -1;
  for (const QComboBox* chooser : {m_left, m_right}) {
    if (sessionOf(chooser).position() < m_app.document()->tokens()) return chooser->currentIndex();
  }
  return -1;
}

void AttentionComparePanel::showControls() {
  const AttentionViewModel& view = m_model.view();
  m_layer->setRange(0, std::max(0, view.layers() - 1));
  m_head->setRange(0, std::max(0, view.heads() - 1));
  m_layer->setValue(view.layer());
  m_head->setValue(view.head());
  m_colors->display(view);
  m_differenceScale->setCurrentIndex(rowOf(m_model.differenceScale()));
  const int slot = m_app.engine() ? missing() : -1;
  m_read->setVisible(slot >= 0);
  m_read->setEnabled(!m_runner.isBusy());
  if (slot < 0) return;
  m_read->setText(tr("Read under %1").arg(slot + 1));
  m_read->setToolTip(
      tr("Let the model read the document under %1").arg(settingsTitle(m_app.slot(slot).session)));
  m_read->setAccessibleName(m_read->toolTip());
}

void AttentionComparePanel::readMissing() {
  const int slot = missing();
  if (slot < 0 || !m_app.slot(slot).problem.isEmpty()) m_readsAll = false;
  if (slot >= 0) m_app.readUnderSlot(slot);
}

void AttentionComparePanel::showExample() {
  m_readsAll = missing() >= 0;
  readMissing();
}

bool AttentionComparePanel::isSettled() const {
  const AttentionViewModel& view = m_model.view();
  if (m_readsAll || m_runner.isBusy() || view.isLoading()) return false;
  if (view.tokens() != commonTokens()) return false;
  // Between two pictures of a growing map nothing is asked for, and yet this one is not the last.
  const MapRequest wanted = view.wantedRequest();
  if (wanted.width == 0 || wanted.height == 0) return true;
  return m_model.pair() && m_model.pair()->left.request == wanted;
}

void AttentionComparePanel::request(const MapRequest& wanted,
                                    const AttentionCompareModel::Deliver& deliver) {
  m_runner.requestView<MapPair>(
      viewKey(), this,
      [wanted, serials = m_serials](EngineRoom& room, const JobControl& job) {
        return drawPair(room, serials, wanted, job);
      },
      deliver);
}

}  // namespace ropescope::ui
