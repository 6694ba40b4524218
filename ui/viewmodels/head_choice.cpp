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
  useHead();
}

void HeadChoice::setHead(HeadRef head) {
  if (head == m_head || head.layer < 0 || head.layer >= m_layers || head.head < 0 ||
      head.head >= m_headsPerLayer) {
    return;
  }
  m_head = head;
  Q_EMIT headChanged();
  if (m_kind == HeadSetKind::One) useHead();
}

void HeadChoice::useHead() {
  update(HeadSetKind::One, m_layers > 0 ? HeadSet::one(m_head) : HeadSet());
}

void HeadChoice::useMean() {
  update(HeadSetKind::Mean, HeadSet::meanOfAll(m_layers, m_headsPerLayer));
}

void HeadChoice::useBest(int count) {
  if (!m_ranking) return;
  HeadSet best = HeadSet::best(m_ranking->heads, count);
  if (!best.isEmpty()) update(HeadSetKind::Retrieval, std::move(best));
}

QString HeadChoice::text() const {
  const auto count = m_set.heads().size();
  switch (m_kind) {
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
  if (m_kind != HeadSetKind::Retrieval) return;
  if (m_ranking) {
    useBest(static_cast<int>(m_set.heads().size()));
  } else {
    useHead();
  }
}

void HeadChoice::update(HeadSetKind kind, HeadSet set) {
  if (kind == m_kind && set == m_set) return;
  m_kind = kind;
  m_set = std::move(set);
  Q_EMIT setChanged();
}

}  // namespace ropescope::ui
