#include "ui/viewmodels/head_choice.h"

#include <algorithm>

namespace ropescope::ui {

void HeadChoice::setModelShape(int layers, int heads) {
  m_layers = layers;
  m_headsPerLayer = heads;
  m_head = {std::clamp(m_head.layer, 0, std::max(0, layers - 1)),
            std::clamp(m_head.head, 0, std::max(0, heads - 1))};
  m_ranking.reset();
  Q_EMIT rankingChanged();
  Q_EMIT headChanged();
}

void HeadChoice::setHead(HeadRef head) {
  if (head == m_head || head.layer < 0 || head.layer >= m_layers || head.head < 0 ||
      head.head >= m_headsPerLayer) {
    return;
  }
  m_head = head;
  Q_EMIT headChanged();
}

HeadSet HeadChoice::set(HeadSetKind kind) const {
  if (m_layers == 0) return {};
  switch (kind) {
    case HeadSetKind::One:
      return HeadSet::one(m_head);
    case HeadSetKind::Mean:
      return HeadSet::meanOfAll(m_layers, m_headsPerLayer);
    case HeadSetKind::Retrieval:
      return m_ranking ? HeadSet::best(m_ranking->heads, kBest) : HeadSet();
  }
  return {};
}

QString HeadChoice::text(HeadSetKind kind) const {
  const auto count = set(kind).heads().size();
  switch (kind) {
    case HeadSetKind::One:
      return tr("layer %1, head %2").arg(m_head.layer).arg(m_head.head);
    case HeadSetKind::Mean:
      return tr("mean of all %1 heads").arg(count);
    case HeadSetKind::Retrieval:
      return count == 1 ? tr("the best retrieval head")
                        : tr("the %1 best retrieval heads").arg(count);
  }
  return {};
}

void HeadChoice::setRanking(std::shared_ptr<const RetrievalRanking> ranking) {
  m_ranking = std::move(ranking);
  Q_EMIT rankingChanged();
}

}  // namespace ropescope::ui
