#include "ui/plots/score_plot.h"

#include <QToolTip>
#include <algorithm>
#include <cmath>

#include "ui/plots/axis_ticks.h"

namespace ropescope::ui {
namespace {

constexpr double kRoom = 0.08;  // of the scores' range, above and below
constexpr double kOwnSize = 9;  // px

}  // namespace

ScorePlot::ScorePlot(ScoreViewModel& model, QWidget* parent)
    : PlotWidget(parent),
      m_model(model),
      m_own(plot()->addGraph()),
      m_ghost(plot()->addGraph()),
      m_beyond(new QCPItemRect(plot())),
      m_trained(new QCPItemStraightLine(plot())),
      m_trainedText(new QCPItemText(plot())),
      m_cursor(new QCPItemStraightLine(plot())),
      m_cursorText(new QCPItemText(plot())),
      m_message(new QCPItemText(plot())),
      m_footer(new FooterText(plot())) {
  plot()->setAutoAddPlottableToLegend(false);
  moveLegendAbove(plot());
  plot()->xAxis->setTicker(QSharedPointer<QCPAxisTicker>(new TokenTicker));
  plot()->xAxis->setLabel(tr("distance of query and key [tokens]"));
  plot()->yAxis->setLabel(tr("score (logit)"));
  plot()->plotLayout()->addElement(2, 0, m_footer);
  plot()->plotLayout()->setRowStretchFactor(2, 0.001);
  buildItems();
  plot()->setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
  plot()->axisRect()->setRangeDrag(Qt::Horizontal);
  plot()->axisRect()->setRangeZoom(Qt::Horizontal);
  connect(plot(), &QCustomPlot::mouseMove, this, &ScorePlot::hover);
  connect(plot(), &QCustomPlot::mouseDoubleClick, this, &ScorePlot::resetView);
  connect(plot()->xAxis, QOverload<const QCPRange&>::of(&QCPAxis::rangeChanged), this,
          [this](const QCPRange& range) {
            if (!m_settingAxes) m_model.setView(range.lower, range.upper);
          });
  connect(&m_model, &ScoreViewModel::linesChanged, this, &ScorePlot::redraw);
  connect(&m_model, &ScoreViewModel::contentsChanged, this, &ScorePlot::resetView);
  followPalette();
  resetView();
  redraw();
}

void ScorePlot::buildItems() {
  m_own->setLineStyle(QCPGraph::lsNone);
  m_own->setName(tr("these two tokens"));
  m_own->removeFromLegend();
  plot()->axisRect()->setBackground(QBrush(Qt::NoBrush));
  plot()->addLayer(QStringLiteral("shade"), plot()->layer(QStringLiteral("background")));
  m_beyond->setLayer(QStringLiteral("shade"));
  m_beyond->setPen(Qt::NoPen);
  for (QCPItemPosition* corner : {m_beyond->topLeft, m_beyond->bottomRight}) {
    corner->setTypeY(QCPItemPosition::ptAxisRectRatio);
  }
  m_ghost->setLayer(QStringLiteral("grid"));
  for (QCPItemText* text : {m_trainedText, m_cursorText}) {
    text->position->setTypeY(QCPItemPosition::ptAxisRectRatio);
  }
  m_message->position->setType(QCPItemPosition::ptAxisRectRatio);
  m_message->position->setCoords(0.5, 0.5);
}

void ScorePlot::restyle(PlotTheme theme) {
  styleCurves(theme);
  const PlotColors colors = plotColors(theme);
  m_own->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssCircle, QPen(colors.ink, 1.6),
                                         QBrush(colors.paper), kOwnSize));
  m_beyond->setBrush(QBrush(colors.shade));
  m_trained->setPen(referencePen(theme));
  m_ghost->setPen(ghostPen(theme));
  m_cursor->setPen(QPen(colors.ink, 1));
  for (QCPItemText* text : {m_trainedText, m_cursorText, m_message}) styleNote(text, theme);
  m_message->setFont(plotFont(PlotText::Label));
  m_footer->setFont(plotFont(PlotText::Footer));
  m_footer->setTextColor(colors.mutedInk);
  wrapLegend(plot());
}

void ScorePlot::styleCurves(PlotTheme theme) {
  const auto& lines = m_model.lines();
  std::size_t look = 0;
  for (std::size_t i = 0; i < m_curves.size() && i < lines.size(); ++i) {
    const bool isReference = lines[i].isPlain && !lines[i].isInUse;
    QPen pen = isReference ? referencePen(theme) : curvePen(theme, look++);
    if (isReference) pen.setStyle(Qt::SolidLine);  // dashes dissolve in a curve that swings
    if (lines[i].isInUse) pen.setStyle(Qt::SolidLine);
    m_curves[i]->setPen(pen);
  }
}

void ScorePlot::resizeCurves(std::size_t curves) {
  while (m_curves.size() < curves) {
    m_curves.push_back(plot()->addGraph());
    m_curves.back()->addToLegend();
  }
  while (m_curves.size() > curves) {
    plot()->removeGraph(m_curves.back());
    m_curves.pop_back();
  }
}

void ScorePlot::redraw() {
  const auto& lines = m_model.lines();
  resizeCurves(lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    m_curves[i]->setName(lines[i].title);
    m_curves[i]->setData(m_model.distances(), lines[i].scores, true);
    // The one in use above the others.
    m_curves[i]->setLayer(lines[i].isInUse ? QStringLiteral("main") : QStringLiteral("grid"));
  }
  styleCurves(theme());
  const bool hasOwn = m_model.ownDistance() >= 0 && !lines.empty();
  m_own->setVisible(hasOwn);
  if (hasOwn) {
    m_own->addToLegend();
  } else {
    m_own->removeFromLegend();
  }
  if (hasOwn) m_own->setData({m_model.ownDistance()}, {m_model.ownScore()}, true);
  const ScoreLine& ghost = m_model.ghost();
  m_ghost->setData(ghost.scores.isEmpty() ? QVector<double>{} : m_model.distances(), ghost.scores,
                   true);
  m_ghost->setName(ghost.title);
  if (ghost.scores.isEmpty()) {
    m_ghost->removeFromLegend();
  } else {
    m_ghost->addToLegend();
  }
  const double trained = m_model.trainedLength();
  const auto longest = static_cast<double>(m_model.longest());
  const bool isBeyond = trained > 0 && trained < longest;
  m_beyond->setVisible(isBeyond);
  m_trained->setVisible(isBeyond);
  m_trainedText->setVisible(isBeyond);
  m_beyond->topLeft->setCoords(trained, 0);
  m_beyond->bottomRight->setCoords(longest * 2, 1);
  m_trained->point1->setCoords(trained, 0);
  m_trained->point2->setCoords(trained, 1);
  m_trainedText->position->setCoords(trained, 0);
  m_trainedText->setText(tr("trained %1").arg(QLocale().toString(static_cast<int>(trained))));
  m_trainedText->setPositionAlignment(Qt::AlignLeft | Qt::AlignTop);
  m_message->setText(m_model.message());
  m_message->setVisible(!m_message->text().isEmpty());
  m_footer->setText(m_model.footer());
  fitScores();
  drawCursor();
  wrapLegend(plot());
  plot()->setAccessibleName(tr("Score against distance"));
  plot()->setAccessibleDescription(m_model.sentence() + u' ' + m_model.footer());
  replotSoon();
}

void ScorePlot::fitScores() {
  double low = 0.0;
  double high = 0.0;
  const auto widen = [&](const ScoreLine& line) {
    const auto [least, most] = std::minmax_element(line.scores.begin(), line.scores.end());
    if (least == line.scores.end()) return;
    low = std::min(low, *least);
    high = std::max(high, *most);
  };
  for (const ScoreLine& line : m_model.lines()) widen(line);
  widen(m_model.ghost());
  const double room = (high > low ? high - low : 1.0) * kRoom;
  QCPRange range(low - room, high + 2 * room);  // the trained length's label is above
  // After a switch only a curve that would leave the picture moves the axis.
  if (!m_model.ghost().scores.isEmpty()) range = range.expanded(plot()->yAxis->range());
  plot()->yAxis->setRange(range);
}

void ScorePlot::drawCursor() {
  const auto score = m_model.contextScore();
  m_cursor->setVisible(score.has_value());
  m_cursorText->setVisible(score.has_value());
  if (!score) return;
  const auto at = static_cast<double>(m_model.contextLength() - 1);
  m_cursor->point1->setCoords(at, 0);
  m_cursor->point2->setCoords(at, 1);
  m_cursorText->setText(
      tr("context %1: score %2")
          .arg(QLocale().toString(static_cast<qlonglong>(m_model.contextLength())),
               QLocale().toString(*score, 'f', 3)));
  m_cursorText->position->setCoords(at, 1);
  const bool left = at > plot()->xAxis->range().center();
  m_cursorText->setPositionAlignment((left ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignBottom);
}

void ScorePlot::resetView() {
  m_settingAxes = true;
  plot()->xAxis->setRange(0, static_cast<double>(m_model.longest()));
  m_settingAxes = false;
  m_model.setView(0, static_cast<double>(m_model.longest()));
}

void ScorePlot::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_0) return resetView();
  PlotWidget::keyPressEvent(event);
}

void ScorePlot::hover(QMouseEvent* event) {
  const QVector<double>& distances = m_model.distances();
  if (distances.isEmpty() || !plot()->axisRect()->rect().contains(event->pos())) {
    return QToolTip::hideText();
  }
  const double wanted = plot()->xAxis->pixelToCoord(event->pos().x());
  const auto at = std::lower_bound(distances.begin(), distances.end() - 1, wanted);
  const auto index = at - distances.begin();
  QString text = tr("distance %1").arg(QLocale().toString(static_cast<qlonglong>(*at)));
  for (const ScoreLine& line : m_model.lines()) {
    text += tr("\n%1: %2").arg(line.title, QLocale().toString(line.scores[index], 'f', 3));
  }
  const ScoreLine& ghost = m_model.ghost();
  if (!ghost.scores.isEmpty()) {
    text += tr("\n%1: %2").arg(ghost.title, QLocale().toString(ghost.scores[index], 'f', 3));
  }
  QToolTip::showText(event->globalPosition().toPoint(), text, plot());
}

}  // namespace ropescope::ui
