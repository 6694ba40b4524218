// What a Session holds, and the steps it is made of.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <set>

#include "core/engine/engine_torch.h"
#include "core/engine/session.h"
#include "core/model/decoder_torch.h"

namespace ropescope {

struct Session::State {
  std::shared_ptr<const Engine> engine;
  SessionOptions options;
  rope::RotaryPlan plan;
  rope::RotaryTables tables;
  KvCache cache;
  std::map<int, LayerCapture> captures;
  std::vector<std::int32_t> tokens;      // in the cache, in order
  std::set<std::int64_t> borders{0};     // positions at which a prefill chunk ended
  at::Tensor logits;                     // [V] float32 on the CPU after the last token, or undefined

  DecoderContext context() const;
};

// Checks the options and allocates the cache. Errors: InvalidArgument, OutOfMemory with the numbers.
Result<std::unique_ptr<Session::State>> makeSessionState(std::shared_ptr<const Engine> engine,
                                                         const SessionOptions& options);

}  // namespace ropescope
