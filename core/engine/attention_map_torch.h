// Pooled attention of one head in O(n) memory: scores are recomputed tile by tile from captured
// queries and cached keys, and normalised with the log-sum-exp that attention itself left behind.
#pragma once

#include <span>
#include <vector>

#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/engine/session_torch.h"
#include "core/probe/attention_map.h"

namespace ropescope {

Result<AttentionMap> drawAttentionMap(const Session::State& state, const MapRequest& request,
                                      const JobControl& job);

// The same picture of several heads of the request's layer, in the order of `heads`; the request's
// own head is not looked at. The layer's queries are made once for all of them.
Result<std::vector<AttentionMap>> drawAttentionMaps(const Session::State& state,
                                                    const MapRequest& request,
                                                    std::span<const int> heads,
                                                    const JobControl& job);

}  // namespace ropescope
