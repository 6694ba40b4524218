#include "core/lens/head_set.h"

#include <algorithm>

namespace ropescope {

HeadSet::HeadSet(HeadSetKind kind, std::vector<WeightedHead> heads)
    : m_kind(kind),
      m_heads(std::move(heads)) {
  std::sort(
      m_heads.begin(), m_heads.end(),
      [](const WeightedHead& left, const WeightedHead& right) { return left.head < right.head; });
  double sum = 0.0;
  for (const WeightedHead& head : m_heads) sum += head.weight;
  for (WeightedHead& head : m_heads) head.weight /= sum;
}

HeadSet HeadSet::one(HeadRef head) {
  return {HeadSetKind::One, {{head, 1.0}}};
}

HeadSet HeadSet::meanOfAll(int layers, int heads) {
  std::vector<WeightedHead> all;
  for (int layer = 0; layer < layers; ++layer) {
    for (int head = 0; head < heads; ++head) all.push_back({{layer, head}, 1.0});
  }
  return {HeadSetKind::Mean, std::move(all)};
}

HeadSet HeadSet::best(std::span<const HeadScore> ranking, int count) {
  const std::size_t wanted = static_cast<std::size_t>(std::max(0, count));
  std::vector<WeightedHead> found;
  for (const HeadScore& score : ranking.first(std::min(ranking.size(), wanted))) {
    if (score.score > 0.0) found.push_back({score.head, score.score});
  }
  return {HeadSetKind::Retrieval, std::move(found)};
}

std::vector<int> HeadSet::layers() const {
  std::vector<int> all;
  for (const WeightedHead& head : m_heads) {
    if (all.empty() || all.back() != head.head.layer) all.push_back(head.head.layer);
  }
  return all;
}

HeadSet HeadSet::within(std::span<const int> captured) const {
  std::vector<WeightedHead> kept;
  for (const WeightedHead& head : m_heads) {
    if (std::find(captured.begin(), captured.end(), head.head.layer) != captured.end()) {
      kept.push_back(head);
    }
  }
  if (kept.size() == m_heads.size()) return *this;  // bit for bit
  return {m_kind, std::move(kept)};
}

}  // namespace ropescope
