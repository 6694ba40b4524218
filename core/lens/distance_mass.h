// Where some queries look: their attention by distance and by key, averaged over heads. Exact, in
// O(n) memory, from what the session captured.
//
// The same under an edited rotation ("score patch"): captured queries and cached keys are turned on
// by the difference of the angles, and the softmax is normalised anew. What it is not: a run under
// that rotation. From the second captured layer on the hidden states, which q and k come from, are
// those of the session's own rotation; only the first layer of the model is exact.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/engine/session.h"
#include "core/lens/head_set.h"
#include "core/probe/attention_map.h"
#include "core/rope/rope_method.h"

namespace ropescope {

struct DistanceMassRequest {
  TokenRange queries;
  HeadSet heads;                   // all in captured layers
  std::int64_t ignoredTokens = 0;  // first keys (the attention sink) whose weight is counted apart
  std::shared_ptr<const rope::RotaryPlan> plan;  // edited rotation; null: the session's own
};

// All in shares of the queries' attention: byDistance and ignored add up to 1, byKey and ignored
// too.
struct DistanceMass {
  TokenRange queries;
  std::vector<double> byDistance;  // [queries.end]: d tokens back; 0 is the query itself
  std::vector<double> byKey;       // [queries.end]: on the key at this position
  double ignored = 0.0;            // on the first `ignoredTokens` keys

  double atLeast(std::int64_t distance) const;  // of byDistance, so far back or farther
};

// Errors: InvalidArgument (no heads, layer not captured, head, range beyond position(), a plan of
// another number of pairs), Cancelled.
Result<DistanceMass> distanceMass(const Session& session, const DistanceMassRequest& request,
                                  const JobControl& job);

}  // namespace ropescope
