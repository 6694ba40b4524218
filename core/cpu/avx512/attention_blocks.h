// The work of one thread: blocks of queries against blocks of keys, in AVX-512 with bfloat16
// products, which are made in vectors or, on CPUs that have them, in matrix tiles (AMX).
//
// Scores are computed transposed, a row per key and a lane per query, so that maxima, sums and
// log-sum-exps are plain vectors. vdpbf16ps multiplies pairs of bfloat16 that stand in one 32-bit
// word and adds them in float32; "pairs over x" below means that a word holds x = 2w and 2w + 1.
// For the passes in this folder alone, which run after attentionBf16Supported() has said yes.
#pragma once

#include <cstdint>

namespace ropescope::cpu::blocks {

inline constexpr int kQueries = 64;  // lanes: four vectors
inline constexpr int kKeys = 96;     // rows: 16 tiles of six

// Up to a block of bfloat16 rows. Rows beyond `count` are read as zero and not written.
template <class Value>
struct RowsOf {
  Value* data = nullptr;
  std::int64_t stride = 0;  // values from row to row
  std::int64_t count = 0;
};
using Rows = RowsOf<const std::uint16_t>;
using OutputRows = RowsOf<std::uint16_t>;

void packQueryLanes(const Rows& rows, int headDim, std::uint32_t* to);  // [D / 2][kQueries]
void packQueryPairs(const Rows& rows, int headDim, std::uint32_t* to);  // [kQueries / 2][D]
void packKeyRows(const Rows& rows, int headDim, std::uint32_t* to);     // [kKeys][D / 2]
void packKeyLanes(const Rows& rows, int headDim, std::uint32_t* to);    // [D][kKeys / 2]

// Where a block of keys stands against a block of queries: query lane i sees key row j when
// j < keys and j <= i + ahead.
struct Visible {
  std::int64_t keys = 0;
  std::int64_t ahead = 0;
};

struct ForwardBlock {
  Rows queries;
  const std::uint32_t* keyRows = nullptr;     // [blocks][kKeys][D / 2], pairs over D
  const std::uint32_t* valueLanes = nullptr;  // [blocks][D][kKeys / 2], pairs over keys
  Visible visible;                            // of all keys
  int headDim = 0;
  float scale = 0.0F;  // of scores in units of ln 2
  OutputRows output;
  float* logSumExp = nullptr;  // natural log, one per query
};

std::int64_t forwardScratchFloats(int headDim);
void attendBlock(const ForwardBlock& block, float* scratch);
void attendBlockInTiles(const ForwardBlock& block, float* scratch);

// One head's queries as the backward pass reads them.
struct QueryBlock {
  const std::uint32_t* queryLanes = nullptr;  // [D / 2][kQueries], pairs over D
  const std::uint32_t* gradLanes = nullptr;   // of the output's gradient
  const std::uint32_t* queryPairs = nullptr;  // [kQueries / 2][D], pairs over queries
  const std::uint32_t* gradPairs = nullptr;
  const float* logSumExp = nullptr;  // [kQueries] in units of ln 2
  const float* delta = nullptr;      // [kQueries] rowsum(dO ∘ O)
  float* gradQueries = nullptr;      // [D][kQueries], added to
};

struct KeyBlock {
  const std::uint32_t* keyRows = nullptr;    // [kKeys][D / 2], pairs over D
  const std::uint32_t* valueRows = nullptr;  // [kKeys][D / 2], pairs over D
  const std::uint32_t* keyLanes = nullptr;   // [D][kKeys / 2], pairs over keys
  float* gradKeys = nullptr;                 // [kKeys][D], added to
  float* gradValues = nullptr;               // [kKeys][D], added to
};

struct BackwardStep {
  QueryBlock queries;
  KeyBlock keys;
  Visible visible;  // of the block's keys
  int headDim = 0;
  float scale = 0.0F;  // of scores in units of ln 2
};

std::int64_t backwardScratchFloats();
void backwardStep(const BackwardStep& step, float* scratch);
std::int64_t backwardScratchFloatsInTiles();
void backwardStepInTiles(const BackwardStep& step, float* scratch);

// A thread's tiles are shaped before its first work in tiles and given back after its last.
void beginTiles();
void endTiles();

// delta[i] = sum over d of gradOutput[i][d] * output[i][d]; zero beyond the rows.
void rowProducts(const Rows& gradOutput, const Rows& output, int headDim, float* delta);

// scale * sum of the parts, each [D][kQueries], to rows [kQueries][D].
struct QueryParts {
  const float* const* parts = nullptr;
  int count = 0;
};
void storeQueryRows(const QueryParts& parts, float scale, int headDim, const OutputRows& to);
// sums [D][kQueries], lane by lane times factors [kQueries], to rows [kQueries][D].
void storeLaneScaled(const float* sums, const float* factors, int headDim, const OutputRows& to);
// scale * [kKeys][D].
void storeKeyRows(const float* sums, float scale, int headDim, const OutputRows& to);

}  // namespace ropescope::cpu::blocks
