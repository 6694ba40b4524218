// Which heads the window's views look at: the chosen head, all, or those that retrieve. Shared by
// the views of the Attention dock; owned by the window.
#pragma once

#include <QObject>
#include <QString>
#include <memory>
#include <vector>

#include "core/lens/head_set.h"

namespace ropescope::ui {

// What a search for retrieval heads found, best head first.
struct RetrievalRanking {
  std::vector<HeadScore> heads;
  QString conditions;  // for captions: how it was measured, and under which plan
};

class HeadChoice : public QObject {
  Q_OBJECT

 public:
  static constexpr int kBest = 4;  // retrieval heads that are averaged

  explicit HeadChoice(QObject* parent = nullptr) : QObject(parent) {}

  // Another model: forgets the ranking.
  void setModelShape(int layers, int heads);
  int layers() const { return m_layers; }
  int heads() const { return m_headsPerLayer; }

  // The chosen head, the same as the map's.
  HeadRef head() const { return m_head; }
  void setHead(HeadRef head);

  // What a view averages; empty while there is none: no model is loaded, no ranking was found.
  HeadSet set(HeadSetKind kind) const;
  // "layer 3, head 2", "the 4 best retrieval heads"; for a set that is not empty.
  QString text(HeadSetKind kind) const;

  // Null until retrieval heads were found for this model.
  const std::shared_ptr<const RetrievalRanking>& ranking() const { return m_ranking; }
  void setRanking(std::shared_ptr<const RetrievalRanking> ranking);

 Q_SIGNALS:
  void headChanged();     // head(), model shape
  void rankingChanged();  // ranking()

 private:
  int m_layers = 0;
  int m_headsPerLayer = 0;
  HeadRef m_head;
  std::shared_ptr<const RetrievalRanking> m_ranking;
};

}  // namespace ropescope::ui
