#include "ui/viewmodels/attention_compare_model.h"

#include <QLocale>
#include <QPointer>
#include <algorithm>
#include <cmath>

namespace ropescope::ui {
namespace {

constexpr std::size_t kPairsKept = 12;
// Weights spread over decades: the strongest twentieth of the cells saturates, so that the others
// are not all pale. A single needle is among those and stands out.
constexpr double kShare = 0.95;
constexpr double kLeastBound = 1e-3;  // of the largest

constexpr double kDecades = 1e3;  // bound / knee of a logarithmic scale: room for seven labels

double boundOf(const std::vector<float>& difference, ColorScale scale) {
  std::vector<double> sizes;
  for (const float value : difference) {
    if (value != 0.0F && !std::isnan(value)) sizes.push_back(std::abs(static_cast<double>(value)));
  }
  if (sizes.empty()) return 1.0;
  const double most = *std::max_element(sizes.begin(), sizes.end());
  if (scale == ColorScale::Logarithmic) return most;
  const auto at =
      sizes.begin() + static_cast<std::ptrdiff_t>(kShare * static_cast<double>(sizes.size() - 1));
  std::nth_element(sizes.begin(), at, sizes.end());
  return std::max(*at, most * kLeastBound);
}

QString number(double value) {
  return QLocale().toString(value, 'g', 4);
}

// Cell of a row or column; -1 outside.
int cellAt(const TokenRange& range, int cells, double position) {
  const auto unit = static_cast<std::int64_t>(std::floor(position));
  if (unit < range.begin || unit >= range.end) return -1;
  int cell = static_cast<int>((unit - range.begin) * cells / range.size());
  while (cell + 1 < cells && cellBegin(range, cells, cell + 1) <= unit) ++cell;
  return cell;
}

}  // namespace

MapPair makePair(AttentionMap left, AttentionMap right) {
  MapPair pair{.left = std::move(left), .right = std::move(right), .difference = {}};
  const std::size_t cells = std::min(pair.left.values.size(), pair.right.values.size());
  pair.difference.resize(cells);
  for (std::size_t i = 0; i < cells; ++i) {
    pair.difference[i] = pair.right.values[i] - pair.left.values[i];
  }
  return pair;
}

AttentionCompareModel::AttentionCompareModel(QObject* parent) : QObject(parent) {
  m_view.setSource([this](const MapRequest& request, const AttentionViewModel::Deliver& deliver) {
    ask(request, deliver);
  });
  connect(&m_view, &AttentionViewModel::tileChanged, this, &AttentionCompareModel::adoptTile);
}

void AttentionCompareModel::setTitles(const QString& left, const QString& right) {
  if (left == m_leftTitle && right == m_rightTitle) return;
  m_leftTitle = left;
  m_rightTitle = right;
  Q_EMIT titlesChanged();
}

void AttentionCompareModel::startSessions(Text text, std::int64_t expectedTokens,
                                          std::int64_t tokens) {
  ++m_sessions;
  m_pairs.clear();
  m_pair.reset();
  if (text == Text::Other) {
    m_view.startSession(expectedTokens);
    m_view.advanceTo(tokens);
  } else {
    m_view.switchSession(tokens);
  }
  Q_EMIT pairChanged();
}

void AttentionCompareModel::ask(const MapRequest& request,
                                const AttentionViewModel::Deliver& deliver) {
  if (!m_source) return;
  const QPointer<AttentionCompareModel> alive(this);
  m_source(request, [this, alive, deliver, sessions = m_sessions](const Result<MapPair>& pair) {
    if (!alive || sessions != m_sessions) return;
    if (!pair) return deliver(pair.error());
    m_pairs.push_front(std::make_shared<const MapPair>(*pair));
    if (m_pairs.size() > kPairsKept) m_pairs.pop_back();
    deliver(m_pairs.front()->left);
  });
}

void AttentionCompareModel::adoptTile() {
  const auto tile = m_view.tile();
  const auto found = std::find_if(m_pairs.begin(), m_pairs.end(), [&tile](const auto& pair) {
    return tile && pair->left.request == tile->request;
  });
  if (tile && found == m_pairs.end()) {
    // The view remembers more tiles than there are pairs: asked for again.
    if (!m_pairs.empty()) m_view.switchSession(m_view.tokens());
    return;
  }
  m_pair = tile ? *found : nullptr;
  if (m_pair) fitColors();
  Q_EMIT pairChanged();
}

void AttentionCompareModel::fitColors() {
  const ColorScale scale = m_view.colorScale();
  if (m_view.isRangeLocked() && m_rangedFor) {
    if (m_rangedFor == scale) return;
  } else {
    m_bound = boundOf(m_pair->difference, m_differenceScale);
  }
  const ValueRange left = valueRangeOf(m_pair->left, scale);
  const ValueRange right = valueRangeOf(m_pair->right, scale);
  m_weights = {std::min(left.lower, right.lower), std::max(left.upper, right.upper)};
  m_rangedFor = scale;
}

void AttentionCompareModel::setDifferenceScale(ColorScale scale) {
  if (scale == m_differenceScale) return;
  m_differenceScale = scale;
  if (m_pair) m_bound = boundOf(m_pair->difference, scale);  // a locked one is of the old scale
  Q_EMIT pairChanged();
}

double AttentionCompareModel::differenceKnee() const {
  return m_bound / kDecades;
}

QString AttentionCompareModel::message() const {
  if (m_pair) return {};
  if (m_view.heads() > 0 && m_view.tokens() == 0) {
    return tr("Read the document under\nboth settings first.");
  }
  return m_view.message();
}

QString AttentionCompareModel::describe(double key, double query) const {
  if (!m_pair || key < 0 || query < 0) return {};
  const MapRequest& request = m_pair->left.request;
  const int column = cellAt(request.keys, request.width, key);
  const int row = cellAt(request.queries, request.height, query);
  if (column < 0 || row < 0) return {};
  QString text = m_view.nameOf(static_cast<std::int64_t>(std::floor(query)),
                               static_cast<std::int64_t>(std::floor(key)));
  const auto at = static_cast<std::size_t>(row) * static_cast<std::size_t>(request.width) +
                  static_cast<std::size_t>(column);
  if (std::isnan(m_pair->difference[at])) return text;
  text += tr("\n%1: weight %2\n%3: weight %4\ndifference %5")
              .arg(m_leftTitle, number(static_cast<double>(m_pair->left.values[at])), m_rightTitle,
                   number(static_cast<double>(m_pair->right.values[at])),
                   number(static_cast<double>(m_pair->difference[at])));
  return text;
}

QString AttentionCompareModel::summary() const {
  if (!m_pair) return message();
  return tr("Layer %1, head %2 under %3 and under %4, and the difference of the weights, from %5 "
            "to "
            "%6 in colour.")
      .arg(m_view.layer())
      .arg(m_view.head())
      .arg(m_leftTitle, m_rightTitle, number(-m_bound), number(m_bound));
}

QString AttentionCompareModel::footerText() const {
  if (!m_pair) return {};
  const std::int64_t ignored = m_view.ignoredTokens();
  QString text = m_view.resolutionText();
  if (ignored == 1) text += tr("; first key left out");
  if (ignored > 1) text += tr("; first %1 keys left out").arg(ignored);
  return text;
}

PlotTable AttentionCompareModel::table() const {
  PlotTable table;
  table.columns.resize(5);
  const QStringList titles = {tr("query"), tr("key"), tr("weight, %1").arg(m_leftTitle),
                              tr("weight, %1").arg(m_rightTitle), tr("difference")};
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    table.columns[i].title = titles[static_cast<qsizetype>(i)];
  }
  if (!m_pair) return table;
  const MapRequest& request = m_pair->left.request;
  for (int row = 0; row < request.height; ++row) {
    for (int column = 0; column < request.width; ++column) {
      const auto at = static_cast<std::size_t>(row) * static_cast<std::size_t>(request.width) +
                      static_cast<std::size_t>(column);
      if (std::isnan(m_pair->difference[at])) continue;
      const std::array<double, 5> cells = {
          static_cast<double>(cellBegin(request.queries, request.height, row)),
          static_cast<double>(cellBegin(request.keys, request.width, column)),
          static_cast<double>(m_pair->left.values[at]),
          static_cast<double>(m_pair->right.values[at]),
          static_cast<double>(m_pair->difference[at])};
      for (std::size_t i = 0; i < cells.size(); ++i) table.columns[i].numbers.push_back(cells[i]);
    }
  }
  return table;
}

}  // namespace ropescope::ui
