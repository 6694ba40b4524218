// The steps that reading, answering and scoring are made of.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/engine/session_torch.h"

namespace ropescope {

// Errors: InvalidArgument names the id, or both lengths and the cure.
Status checkIds(const Session::State& state, std::span<const std::int32_t> ids);
Status checkLength(const Session::State& state, std::int64_t tokens, const char* what);

// Runs one chunk and books it. Returns hidden states [T, E].
at::Tensor appendChunk(Session::State& state, std::span<const std::int32_t> ids);

// NaN or infinity after all layers: overflow of a narrow type, or weights that make no sense.
Error notFinite(const Session::State& state, std::int64_t position);

// Logits after the last of `hidden` [T, E], kept for the next draw. Errors: notFinite().
Status keepLogits(Session::State& state, const at::Tensor& hidden);

// Ends of the chunks that a prompt of these parts is read in: multiples of the chunk size and the
// end of every part. The same prompt is always cut alike, so its numbers never depend on what was
// read or stopped before.
std::vector<std::int64_t> chunkEnds(const std::vector<std::int64_t>& partEnds,
                                    std::int64_t chunkTokens);

}  // namespace ropescope
