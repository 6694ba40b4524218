// A map is the dense softmax, pooled: against a plain double decoder, for every head, reducer and
// ragged size.
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "core/engine/session.h"
#include "tests/support/plain_decoder.h"

namespace ropescope {
namespace {

using namespace ropescope::test;

// Float32 scores behind up to five float32 layers, against double. Largest difference seen: 1.7e-5
// on stories260K, 2.3e-6 on the random model, 4e-8 in a float64 session (half a float32 step below
// 1: the cells are float32). Other processors add in another order.
constexpr double kStoriesFloat32 = 1e-4;
constexpr double kTinyFloat32 = 2e-5;
constexpr double kStoredAsFloat32 = 3e-7;

// Rows of one head, pooled the slow way.
class DenseMap {
 public:
  DenseMap(const PlainDecoder& decoder, const LayerQueriesKeys& qk, int head, std::int64_t tokens) {
    for (std::int64_t query = 0; query < tokens; ++query) {
      m_rows.push_back(decoder.weights(qk, head, query));
    }
  }

  std::vector<double> pooled(const MapRequest& r) const {
    std::vector<double> cells;
    for (int row = 0; row < r.height; ++row) {
      for (int column = 0; column < r.width; ++column) {
        cells.push_back(cell(r, row, column));
      }
    }
    return cells;
  }

 private:
  double cell(const MapRequest& r, int row, int column) const {
    // Written out, not taken from cellBegin().
    const auto begin = [](const TokenRange& range, const SegmentBorders& borders, int cells,
                          int index) {
      const auto unit = range.begin + (range.end - range.begin) * index / cells;
      return borders ? borders->at(static_cast<std::size_t>(unit)) : unit;
    };
    const auto query = [&](int at) { return begin(r.queries, r.queryBorders, r.height, at); };
    const auto key = [&](int at) { return begin(r.keys, r.keyBorders, r.width, at); };
    double top = 0.0;
    double sum = 0.0;
    int pairs = 0;
    for (auto q = query(row); q < query(row + 1); ++q) {
      for (auto k = key(column); k < key(column + 1); ++k) {
        if (k > q) continue;
        const double weight = m_rows[static_cast<std::size_t>(q)][static_cast<std::size_t>(k)];
        top = std::max(top, weight);
        sum += weight;
        ++pairs;
      }
    }
    if (pairs == 0) return std::numeric_limits<double>::quiet_NaN();
    return r.reducer == Reducer::Max ? top : sum / pairs;
  }

  std::vector<std::vector<double>> m_rows;
};

void expectEqual(const AttentionMap& map, const std::vector<double>& wanted, double tolerance,
                 const std::string& what) {
  ASSERT_EQ(map.values.size(), wanted.size()) << what;
  double worst = 0.0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    ASSERT_EQ(std::isnan(map.values[i]), std::isnan(wanted[i])) << what << ", cell " << i;
    if (std::isnan(wanted[i])) continue;
    worst = std::max(worst, std::abs(static_cast<double>(map.values[i]) - wanted[i]));
  }
  EXPECT_LE(worst, tolerance) << what;
}

struct Setup {
  std::filesystem::path model;
  std::string dtype;
  rope::MethodChoice rope;
  Ids ids;
  double tolerance;
};

std::vector<int> allLayers(const ModelConfig& config) {
  std::vector<int> layers;
  for (int layer = 0; layer < config.layers; ++layer) layers.push_back(layer);
  return layers;
}

// Compares every request with the dense map, for the layers and heads given (all when empty).
void compare(const Setup& setup, const std::vector<MapRequest>& requests,
             std::vector<int> layers = {}, std::vector<int> heads = {}, int threads = 1) {
  const auto engine = loadEngine(setup.model, setup.dtype, threads);
  const ModelConfig& config = engine->config();
  const auto tokens = static_cast<std::int64_t>(setup.ids.size());
  auto session = newSession(engine, {.rope = setup.rope,
                                     .contextTokens = tokens,
                                     .captureLayers = allLayers(config),
                                     .chunkTokens = 100});
  ASSERT_TRUE(session->prefill({setup.ids}, {}));
  const PlainDecoder decoder(setup.model, config, session->plan());
  const auto qk = decoder.run(setup.ids);
  if (layers.empty()) layers = allLayers(config);
  if (heads.empty()) {
    for (int head = 0; head < config.heads; ++head) heads.push_back(head);
  }
  for (const int layer : layers) {
    for (const int head : heads) {
      const DenseMap dense(decoder, qk[static_cast<std::size_t>(layer)], head, tokens);
      for (MapRequest request : requests) {
        request.layer = layer;
        request.head = head;
        for (const Reducer reducer : {Reducer::Max, Reducer::Mean}) {
          request.reducer = reducer;
          const auto map = session->attentionMap(request, {});
          ASSERT_TRUE(map) << map.error().message;
          EXPECT_EQ(map->request.width, std::min<std::int64_t>(request.width, request.keys.size()));
          EXPECT_EQ(map->request.height,
                    std::min<std::int64_t>(request.height, request.queries.size()));
          expectEqual(*map, dense.pooled(map->request), setup.tolerance,
                      std::string(reducerName(reducer)) + " of layer " + std::to_string(layer) +
                          ", head " + std::to_string(head) + ", " +
                          std::to_string(map->request.width) + " x " +
                          std::to_string(map->request.height) + " cells");
        }
      }
    }
  }
}

MapRequest request(TokenRange queries, TokenRange keys, int width, int height) {
  return {.queries = queries, .keys = keys, .width = width, .height = height};
}

const rope::MethodChoice kYarn{.id = "yarn", .values = {}, .factor = 4.0};

TEST(AttentionMap, IsTheDenseSoftmaxForAllHeadsAndRaggedSizes) {
  for (const std::int64_t n : {1, 2, 37, 200}) {
    compare({tinyPath(), "float32", kYarn, randomIds(128, static_cast<std::size_t>(n), 1),
             kTinyFloat32},
            {request({0, n}, {0, n}, 512, 512),  // a cell a token
             request({0, n}, {0, n}, 16, 16),    // 200 / 16 is no whole number
             request({0, n}, {0, n}, 7, 33), request({n - 1, n}, {0, n}, 11, 1),
             request({0, n}, {0, 1}, 1, 5)});
  }
}

TEST(AttentionMap, ZoomsIntoAnyPart) {
  compare({tinyPath(), "float32", kYarn, randomIds(128, 200, 2), kTinyFloat32},
          {request({90, 170}, {13, 101}, 11, 7), request({90, 170}, {13, 101}, 88, 80),
           request({0, 50}, {100, 200}, 10, 10),  // all masked
           request({60, 140}, {100, 200}, 9, 13), request({199, 200}, {199, 200}, 1, 1),
           request({64, 65}, {0, 200}, 20, 1)});
}

// Sentences or paragraphs as rows and columns, one a cell and several a cell.
TEST(AttentionMap, PoolsOverSegments) {
  const auto borders = [](std::vector<std::int64_t> positions) {
    return std::make_shared<const std::vector<std::int64_t>>(std::move(positions));
  };
  const SegmentBorders sentences = borders({0, 1, 9, 40, 41, 90, 163, 200});
  const SegmentBorders afterSink = borders({0, 4, 9, 40, 41, 90, 163, 200});
  MapRequest all = request({0, 7}, {0, 7}, 100, 100);
  all.queryBorders = sentences;
  all.keyBorders = afterSink;
  MapRequest pooled = request({1, 7}, {0, 7}, 3, 2);
  pooled.queryBorders = pooled.keyBorders = sentences;
  MapRequest byToken = request({2, 6}, {5, 150}, 29, 4);
  byToken.queryBorders = sentences;
  compare({tinyPath(), "float32", kYarn, randomIds(128, 200, 6), kTinyFloat32},
          {all, pooled, byToken});
}

TEST(AttentionMap, IsExactInFloat64) {
  compare({tinyPath(), "float64", kYarn, randomIds(128, 200, 3), kStoredAsFloat32},
          {request({0, 200}, {0, 200}, 200, 200), request({7, 191}, {3, 180}, 23, 17)});
}

TEST(AttentionMap, IsTheDenseSoftmaxOfARealModel) {
  const auto engine = loadEngine(storiesPath());
  compare({storiesPath(), "float32", kYarn, storyIds(*engine, 513), kStoriesFloat32},
          {request({0, 513}, {0, 513}, 100, 100), request({100, 511}, {37, 400}, 363, 411)}, {}, {},
          2);
}

// Heavy: about 2,048 x 2,048 weights of several heads in plain C++.
TEST(AttentionMap, IsTheDenseSoftmaxAt2048Tokens) {
  const auto engine = loadEngine(storiesPath());
  const Ids ids = storyIds(*engine, 2048);
  compare({storiesPath(), "float32", kYarn, ids, kStoriesFloat32},
          {request({0, 2048}, {0, 2048}, 512, 512), request({0, 2048}, {0, 2048}, 61, 43),
           request({1000, 1300}, {0, 2048}, 500, 300)},
          {0, 4}, {0, 3, 7}, 2);
}

TEST(AttentionMap, RowsOfTheMeanAddUpToOne) {
  const auto engine = loadEngine(storiesPath());
  auto session = newSession(engine, {.rope = kYarn, .contextTokens = 640, .captureLayers = {3}});
  ASSERT_TRUE(session->prefill({storyIds(*engine, 640)}, {}));
  const auto map = session->attentionMap({.layer = 3,
                                          .head = 6,
                                          .queries = {0, 640},
                                          .keys = {0, 640},
                                          .width = 64,
                                          .height = 64,
                                          .reducer = Reducer::Mean},
                                         {});
  ASSERT_TRUE(map);
  for (std::size_t row = 0; row < 64; ++row) {
    double total = 0.0;
    for (std::size_t column = 0; column <= row; ++column) {
      // 10 x 10 pairs under the diagonal, 55 on it.
      total += static_cast<double>(map->values[row * 64 + column]) * (column < row ? 100 : 55);
    }
    EXPECT_NEAR(total, 10.0, 1e-4) << "row " << row;  // ten queries of weight 1
    for (std::size_t column = row + 1; column < 64; ++column) {
      EXPECT_TRUE(std::isnan(map->values[row * 64 + column]));
    }
  }
}

// --- a needle -------------------------------------------------------------------------------

// One layer, one head. Token 3 has a key that every query looks for; the signal lies in the last
// pair, which does not turn within this context.
std::filesystem::path needleModel(const TempDir& temp) {
  constexpr std::size_t kWidth = 8;  // E = D
  const auto matrix = [](std::initializer_list<std::tuple<std::size_t, std::size_t, float>> cells) {
    std::vector<float> values(kWidth * kWidth, 0.0F);
    for (const auto& [row, column, value] : cells) values[row * kWidth + column] = value;
    return float32Tensor({kWidth, kWidth}, values);
  };
  std::vector<float> embedding(16 * kWidth, 0.0F);
  for (std::size_t id = 0; id < 16; ++id) embedding[id * kWidth] = 1.0F;
  embedding[3 * kWidth + 1] = 1.0F;
  const OwnedTensor ones = float32Tensor({kWidth}, std::vector<float>(kWidth, 1.0F));
  OwnedTensors tensors{{"model.embed_tokens.weight", float32Tensor({16, kWidth}, embedding)},
                       {"model.norm.weight", ones}};
  const std::string layer = "model.layers.0.";
  tensors[layer + "input_layernorm.weight"] = ones;
  tensors[layer + "post_attention_layernorm.weight"] = ones;
  tensors[layer + "self_attn.q_proj.weight"] = matrix({{3, 0, 8.0F}});
  tensors[layer + "self_attn.k_proj.weight"] = matrix({{3, 1, 2.0F}});
  for (const char* name :
       {"self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"}) {
    tensors[layer + name + ".weight"] = matrix({});
  }
  writeTensors(temp / "model.safetensors", tensors);
  writeText(temp / "config.json", R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama",
    "vocab_size": 16, "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1,
    "num_attention_heads": 1, "num_key_value_heads": 1, "tie_word_embeddings": true,
    "max_position_embeddings": 4096, "rope_theta": 1e9, "rms_norm_eps": 1e-5})");
  return temp.path();
}

TEST(AttentionMap, MaxShowsANeedleAtEveryPosition) {
  TempDir temp;
  const auto engine = loadEngine(needleModel(temp));
  constexpr std::int64_t kTokens = 1500;
  constexpr int kCells = 64;
  auto session = newSession(engine, {.contextTokens = kTokens, .captureLayers = {0}});
  for (int i = 0; i < 60; ++i) {
    const std::int64_t needle = i * kTokens / 60 + i % 7;
    Ids ids(kTokens, 5);
    ids[static_cast<std::size_t>(needle)] = 3;
    ASSERT_TRUE(session->prefill({ids}, {}));
    for (const Reducer reducer : {Reducer::Max, Reducer::Mean}) {
      const auto map = session->attentionMap({.queries = {0, kTokens},
                                              .keys = {0, kTokens},
                                              .width = kCells,
                                              .height = kCells,
                                              .reducer = reducer},
                                             {});
      ASSERT_TRUE(map) << map.error().message;
      // The last row's queries have all keys before them.
      for (int column = 0; column < kCells; ++column) {
        const float value = map->values[(kCells - 1) * kCells + static_cast<std::size_t>(column)];
        const bool here = cellBegin({0, kTokens}, kCells, column) <= needle &&
                          needle < cellBegin({0, kTokens}, kCells, column + 1);
        if (reducer == Reducer::Max) {
          EXPECT_EQ(here, value > 0.5F) << "needle " << needle << ", column " << column;
        } else {
          EXPECT_LT(value, 0.1F);  // diluted by the 23 tokens of a cell: why max is the default
        }
      }
    }
  }
}

// --- refusals ---------------------------------------------------------------------------------

TEST(AttentionMap, RefusesWhatItCannotDraw) {
  const auto engine = loadEngine(tinyPath());
  auto session = newSession(engine, {.contextTokens = 100, .captureLayers = {1}});
  ASSERT_TRUE(session->prefill({randomIds(128, 60, 4)}, {}));
  const MapRequest good{.layer = 1, .head = 3, .queries = {0, 60}, .keys = {0, 60}};
  ASSERT_TRUE(session->attentionMap(good, {}));
  const auto refused = [&](auto change, const std::vector<std::string>& parts) {
    MapRequest bad = good;
    change(bad);
    expectError(session->attentionMap(bad, {}), ErrorCode::InvalidArgument, parts);
  };
  refused([](MapRequest& r) { r.layer = 3; }, {"layer 3", "0 to 2"});
  refused([](MapRequest& r) { r.layer = -1; }, {"layer -1"});
  refused([](MapRequest& r) { r.layer = 0; }, {"layer 0", "not captured", "captureLayers"});
  refused([](MapRequest& r) { r.head = 4; }, {"head 4", "0 to 3"});
  refused([](MapRequest& r) { r.queries = {0, 61}; }, {"0:61", "60"});
  refused([](MapRequest& r) { r.keys = {-1, 10}; }, {"-1:10"});
  refused([](MapRequest& r) { r.keys = {10, 10}; }, {"10:10"});
  refused([](MapRequest& r) { r.queries = {20, 10}; }, {"20:10"});
  refused([](MapRequest& r) { r.width = 0; }, {"0 x 512"});
  refused([](MapRequest& r) { r.height = -4; }, {"512 x -4"});
  const auto borders = [](std::vector<std::int64_t> positions) {
    return std::make_shared<const std::vector<std::int64_t>>(std::move(positions));
  };
  refused([&](MapRequest& r) { r.keyBorders = borders({0, 30, 60}); }, {"segment range 0:60", "2"});
  refused([&](MapRequest& r) { r.keyBorders = borders({0, 61}); }, {"ascending", "60"});
  refused([&](MapRequest& r) { r.queryBorders = borders({0, 30, 30, 60}); }, {"ascending"});
  refused([&](MapRequest& r) { r.queryBorders = borders({0}); }, {"two or more"});
}

TEST(AttentionMap, CanBeCancelled) {
  const auto engine = loadEngine(tinyPath());
  auto session = newSession(engine, {.contextTokens = 100, .captureLayers = {1}});
  ASSERT_TRUE(session->prefill({randomIds(128, 100, 5)}, {}));
  std::stop_source source;
  source.request_stop();
  JobControl job;
  job.stop = source.get_token();
  const MapRequest all{.layer = 1, .queries = {0, 100}, .keys = {0, 100}};
  expectError(session->attentionMap(all, job), ErrorCode::Cancelled, {"stopped"});
  EXPECT_TRUE(session->attentionMap(all, {}));
}

TEST(AttentionMap, CaptureCostsWhatIsSaid) {
  const auto engine = loadEngine(tinyPath());
  EXPECT_EQ(newSession(engine, {.contextTokens = 100})->captureBytes(), 0);
  // Two layers of 100 tokens: 64 inputs and 4 log-sum-exps of 4 bytes.
  EXPECT_EQ(newSession(engine, {.contextTokens = 100, .captureLayers = {0, 2}})->captureBytes(),
            2 * 100 * (64 + 4) * 4);
}

}  // namespace
}  // namespace ropescope
