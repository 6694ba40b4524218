// Which heads a view averages, and with which weights. A value: no torch, no session.
//
//   average(i, j) = sum over the set of weight(head) * a_head(i, j)        the weights sum to 1
#pragma once

#include <compare>
#include <span>
#include <vector>

namespace ropescope {

struct HeadRef {
  int layer = 0;
  int head = 0;  // query head
  auto operator<=>(const HeadRef&) const = default;
};

// How well a head retrieves; what the number means is in retrieval_heads.h.
struct HeadScore {
  HeadRef head;
  double score = 0.0;          // mean attention weight, 0 … 1
  double standardError = 0.0;  // of the score, over seeds
  double copyRate = 0.0;       // share of positions, 0 … 1
};

struct WeightedHead {
  HeadRef head;
  double weight = 0.0;
  bool operator==(const WeightedHead&) const = default;
};

enum class HeadSetKind { One, Mean, Retrieval };

class HeadSet {
 public:
  HeadSet() = default;  // empty
  static HeadSet one(HeadRef head);
  // Every head of the layers 0 … layers - 1, all alike.
  static HeadSet meanOfAll(int layers, int heads);
  // The `count` first of a ranking (best first), weighted by score. Heads that score 0 or less are
  // left out; empty when that are all.
  static HeadSet best(std::span<const HeadScore> ranking, int count);

  HeadSetKind kind() const { return m_kind; }
  bool isEmpty() const { return m_heads.empty(); }
  std::span<const WeightedHead> heads() const { return m_heads; }  // by layer, then head
  std::vector<int> layers() const;                                 // each once, ascending

  // What is left when only these layers were captured, weights summing to 1 again. A view that uses
  // it says how many heads are missing: heads().size() before and after.
  HeadSet within(std::span<const int> captured) const;

  bool operator==(const HeadSet&) const = default;

 private:
  HeadSet(HeadSetKind kind, std::vector<WeightedHead> heads);  // sorts, scales to a sum of 1

  HeadSetKind m_kind = HeadSetKind::One;
  std::vector<WeightedHead> m_heads;
};

}  // namespace ropescope
