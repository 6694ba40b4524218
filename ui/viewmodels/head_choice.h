// Which heads the window's views look at: the chosen head, or a set of heads that they average.
// Shared by the views of the Attention dock; owned by the window.
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
  static constexpr int kBest = 4;  // retrieval heads that are averaged at first

  explicit HeadChoice(QObject* parent = nullptr) : QObject(parent) {}

  // Another model: forgets the ranking, goes back to one head.
  void setModelShape(int layers, int heads);
  int layers() const { return m_layers; }
  int heads() const { return m_headsPerLayer; }

  // The chosen head, the same as the map's. Kept while a set is looked at.
  HeadRef head() const { return m_head; }
  void setHead(HeadRef head);

  // What views average; empty before a model is loaded.
  const HeadSet& set() const { return m_set; }
  HeadSetKind kind() const { return m_kind; }
  void useHead();
  void useMean();
  void useBest(int count = kBest);  // does nothing before there is a ranking
  QString text() const;             // "layer 3, head 2", "the 4 best retrieval heads"

  // Null until retrieval heads were found for this model.
  const std::shared_ptr<const RetrievalRanking>& ranking() const { return m_ranking; }
  void setRanking(std::shared_ptr<const RetrievalRanking> ranking);

 Q_SIGNALS:
  void headChanged();     // head()
  void setChanged();      // set(), kind(), text()
  void rankingChanged();  // ranking()

 private:
  void update(HeadSetKind kind, HeadSet set);

  int m_layers = 0;
  int m_headsPerLayer = 0;
  HeadRef m_head;
  HeadSetKind m_kind = HeadSetKind::One;
  HeadSet m_set;
  std::shared_ptr<const RetrievalRanking> m_ranking;
};

}  // namespace ropescope::ui
