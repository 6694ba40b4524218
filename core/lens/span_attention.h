// Attention of a span of tokens with everything else: one number per token, never a matrix.
//
//   reads from (keys)       r(j) = sum over i in span, i >= j, of a(i, j) / |span|     sums to 1
//   is read by (queries)    b(i) = sum over j in span, j <= i, of a(i, j)              0 … 1
//
// a(i, j) is the weight of query i on key j, averaged over a set of heads. Exact: scores are made
// again from what the session captured and normalised with the captured log-sum-exp.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/engine/session.h"
#include "core/lens/head_set.h"
#include "core/probe/attention_map.h"

namespace ropescope {

struct SpanRequest {
  TokenRange span;
  HeadSet heads;
};

struct SpanAttention {
  TokenRange span;
  HeadSet heads;                // that were averaged
  int leftOutHeads = 0;         // asked for, but their layers were not captured
  std::vector<double> weights;  // [position()]; 0 for tokens that the span cannot see, or that
                                // cannot see the span
};

// Where the span's tokens read: r(j).
// Errors: InvalidArgument (range beyond position(), no heads, none of their layers captured),
// Cancelled.
Result<SpanAttention> attentionFrom(const Session& session, const SpanRequest& request,
                                    const JobControl& job);

// Which tokens read the span: b(i). Errors as above.
Result<SpanAttention> attentionTo(const Session& session, const SpanRequest& request,
                                  const JobControl& job);

}  // namespace ropescope
