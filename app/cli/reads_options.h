// Options of reads alone.
#pragma once

#include <optional>
#include <vector>

#include "core/lens/head_set.h"
#include "core/probe/attention_map.h"

namespace ropescope::cli {

struct ReadsOptions {
  std::optional<TokenRange> span;  // of the answer's tokens
  std::vector<HeadRef> heads;      // empty: all
};

}  // namespace ropescope::cli
