// What the attention map says in words.
#include <QLocale>
#include <algorithm>
#include <cmath>

#include "ui/viewmodels/attention_view_model.h"

namespace ropescope::ui {
namespace {

constexpr double kAlmost = 0.98;      // nobody sees the rest of a pixel
constexpr qsizetype kMostText = 160;  // characters of a segment in a tool tip

QString number(std::int64_t value) {
  return QLocale().toString(static_cast<qlonglong>(value));
}

// Cell of a position, the inverse of cellBegin(); -1 outside.
int cellOf(const TokenRange& range, int cells, double position) {
  if (position < static_cast<double>(range.begin) || position >= static_cast<double>(range.end)) {
    return -1;
  }
  const auto token = static_cast<std::int64_t>(std::floor(position));
  int cell = static_cast<int>((token - range.begin) * cells / range.size());
  while (cell + 1 < cells && cellBegin(range, cells, cell + 1) <= token) ++cell;
  return cell;
}

}  // namespace

QString AttentionViewModel::message() const {
  if (!m_error.isEmpty()) return m_error;
  if (m_tile) return {};
  if (m_heads == 0) return tr("No model is loaded.");
  if (m_tokens == 0) return tr("The map grows while the model reads a document.");
  return tr("Computing …");
}

QString AttentionViewModel::resolutionText() const {
  if (!m_tile) return {};
  const MapRequest& request = m_tile->request;
  const auto perCell = [](const TokenRange& range, int cells) {
    return (range.size() + cells - 1) / std::max(1, cells);
  };
  const std::int64_t keys = perCell(request.keys, request.width);
  const std::int64_t queries = perCell(request.queries, request.height);
  const QString reducer = request.reducer == Reducer::Max ? tr("max") : tr("mean");
  const bool single = keys == 1 && queries == 1;
  // Cells hold whole tokens, so they may be a little larger than pixels.
  const auto perPixel = [](const ViewRange& range, int pixels) {
    return range.size() / std::max(1, pixels);
  };
  const double keysAPixel = perPixel(m_view.keys, m_pixels.width());
  const double queriesAPixel = perPixel(m_view.queries, m_pixels.height());
  const bool pooled = keysAPixel > 1 || queriesAPixel > 1;
  const bool same = keysAPixel > kAlmost * static_cast<double>(keys) &&
                    queriesAPixel > kAlmost * static_cast<double>(queries);
  const QString pixel = pooled && !same ? tr("; %1 × %2 a pixel")
                                              .arg(QLocale().toString(keysAPixel, 'g', 3),
                                                   QLocale().toString(queriesAPixel, 'g', 3))
                                        : QString();
  switch (m_granularity) {
    case Granularity::Token:
      return single ? tr("1 cell = 1 token")
                    : tr("%1 × %2 a cell, %3")
                              .arg(keys == 1 ? tr("1 key") : tr("%1 keys").arg(number(keys)),
                                   queries == 1 ? tr("1 query")
                                                : tr("%1 queries").arg(number(queries)),
                                   reducer) +
                          pixel;
    case Granularity::Sentence:
      return single ? tr("1 cell = 1 sentence, %1 of its tokens").arg(reducer)
                    : tr("1 cell = %1 × %2 sentences (keys × queries), %3")
                          .arg(number(keys), number(queries), reducer);
    case Granularity::Paragraph:
      return single ? tr("1 cell = 1 paragraph, %1 of its tokens").arg(reducer)
                    : tr("1 cell = %1 × %2 paragraphs (keys × queries), %3")
                          .arg(number(keys), number(queries), reducer);
  }
  return {};
}

QString AttentionViewModel::summary() const {
  if (!m_tile) return message();
  return tr("Attention of layer %1, head %2: queries %3 to %4 over keys %5 to %6; %7. "
            "Weights from %8 to %9 in colour.")
      .arg(m_tile->request.layer)
      .arg(m_tile->request.head)
      .arg(number(m_tile->request.queries.begin), number(m_tile->request.queries.end - 1),
           number(m_tile->request.keys.begin), number(m_tile->request.keys.end - 1),
           resolutionText(), QLocale().toString(m_valueRange.lower, 'g', 3),
           QLocale().toString(m_valueRange.upper, 'g', 3));
}

QString AttentionViewModel::unitName(std::int64_t unit) const {
  if (m_granularity == Granularity::Token) {
    const QString text = m_tokenText ? m_tokenText(unit) : QString();
    return text.isEmpty() ? number(unit) : tr("%1 “%2”").arg(number(unit), text);
  }
  const QString tokens = tr("%1 (tokens %2 to %3)")
                             .arg(number(unit), number(firstToken(m_queryBorders, unit)),
                                  number(firstToken(m_queryBorders, unit + 1) - 1));
  if (unit >= m_segments.texts.size()) return tr("%1, behind the document").arg(tokens);
  QString text = m_segments.texts[static_cast<qsizetype>(unit)].simplified();
  if (text.size() > kMostText) text = text.left(kMostText) + QStringLiteral(" …");
  return tr("%1 “%2”").arg(tokens, text);
}

QString AttentionViewModel::nameOf(std::int64_t query, std::int64_t key) const {
  return tr("query %1 · key %2").arg(unitName(query), unitName(key));
}

QString AttentionViewModel::describe(double key, double query) const {
  if (!m_tile || key < 0 || query < 0) return {};
  const MapRequest& request = m_tile->request;
  const auto keyUnit = static_cast<std::int64_t>(std::floor(key));
  const auto queryUnit = static_cast<std::int64_t>(std::floor(query));
  if (keyUnit >= units() || queryUnit >= units()) return {};
  QString text = tr("query %1\nkey %2").arg(unitName(queryUnit), unitName(keyUnit));
  if (keyUnit > queryUnit) return text + tr("\nthe key lies in the query's future");
  if (keyUnit < firstKey()) return text + tr("\nleft out: one of the first %1").arg(m_ignored);
  const int column = cellOf(request.keys, request.width, key);
  const int row = cellOf(request.queries, request.height, query);
  if (column < 0 || row < 0) return text;
  const float weight =
      m_tile->values[static_cast<std::size_t>(row) * static_cast<std::size_t>(request.width) +
                     static_cast<std::size_t>(column)];
  if (std::isnan(weight)) return text;
  text += tr("\nweight %1").arg(QLocale().toString(static_cast<double>(weight), 'g', 4));
  const bool pooled = m_granularity != Granularity::Token || request.keys.size() > request.width ||
                      request.queries.size() > request.height;
  return pooled ? text + tr(" (%1)").arg(resolutionText()) : text;
}

}  // namespace ropescope::ui
