#include "ui/viewmodels/text_shading.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ropescope::ui {

void TextShading::setMode(ShadeBy mode) {
  if (mode == m_mode) return;
  m_mode = mode;
  Q_EMIT changed();
}

void TextShading::setShades(ShadeBy kind, std::shared_ptr<const TextShades> shades,
                            const QString& legend) {
  Source& target = m_sources[static_cast<std::size_t>(kind)];
  if (shades == target.shades && legend == target.legend) return;
  target = {std::move(shades), legend};
  if (kind == m_mode) Q_EMIT changed();
}

void TextShading::mark(const CharacterRange& range) {
  if (range == m_marked) return;
  m_marked = range;
  Q_EMIT markChanged();
}

void TextShading::reveal(const CharacterRange& range) {
  mark(range);
  Q_EMIT revealed(range);
}

void TextShading::pointAt(int character) {
  if (character == m_pointed) return;
  m_pointed = character;
  Q_EMIT pointed(character);
}

void TextShading::select(const CharacterRange& range) {
  Q_EMIT selected(range);
}

TokenRange piecesWithin(const std::vector<int>& offsets, const CharacterRange& range) {
  if (offsets.size() < 2 || range.isEmpty()) return {};
  const auto pieces = static_cast<std::ptrdiff_t>(offsets.size()) - 1;
  const auto begin = std::upper_bound(offsets.begin() + 1, offsets.end(), range.begin) - 1;
  const auto end = std::lower_bound(offsets.begin(), offsets.begin() + pieces, range.end);
  const TokenRange found{begin - offsets.begin(), end - offsets.begin()};
  return found.begin < found.end ? found : TokenRange{};
}

std::int64_t pieceAt(const std::vector<int>& offsets, int character) {
  const auto after = std::upper_bound(offsets.begin(), offsets.end(), character);
  if (after == offsets.begin() || after == offsets.end()) return -1;
  return after - offsets.begin() - 1;
}

CharacterRange charactersOf(const std::vector<int>& offsets, const TokenRange& pieces) {
  const auto last = static_cast<std::int64_t>(offsets.size()) - 1;
  if (last < 1 || pieces.begin < 0 || pieces.begin >= pieces.end || pieces.begin >= last) return {};
  return {offsets[static_cast<std::size_t>(pieces.begin)],
          offsets[static_cast<std::size_t>(std::min(pieces.end, last))]};
}

std::vector<float> amountLevels(const std::vector<double>& values) {
  constexpr double kDecades = 2.0;
  double most = 0.0;
  for (const double value : values) most = value > most ? value : most;  // NaN compares false
  std::vector<float> levels;
  levels.reserve(values.size());
  for (const double value : values) {
    const double level = value > 0.0 ? 1.0 + std::log10(value / most) / kDecades : 0.0;
    levels.push_back(level > 0.0 ? static_cast<float>(level)
                                 : std::numeric_limits<float>::quiet_NaN());
  }
  return levels;
}

std::vector<float> stripLevels(const TextShades& shades, int characters, int slices) {
  std::vector<float> strip(static_cast<std::size_t>(std::max(0, slices)),
                           std::numeric_limits<float>::quiet_NaN());
  if (characters <= 0 || slices <= 0) return strip;
  const auto count = static_cast<std::int64_t>(slices);
  for (std::size_t i = 0; i < shades.levels.size() && i + 1 < shades.offsets.size(); ++i) {
    const float level = shades.levels[i];
    const std::int64_t begin = shades.offsets[i];
    const std::int64_t end = shades.offsets[i + 1];
    if (std::isnan(level) || begin >= end) continue;
    const std::int64_t last = std::min(count, (end * count + characters - 1) / characters);
    for (std::int64_t slice = begin * count / characters; slice < last; ++slice) {
      float& cell = strip[static_cast<std::size_t>(slice)];
      cell = std::isnan(cell) ? level : std::max(cell, level);
    }
  }
  return strip;
}

}  // namespace ropescope::ui
