// Attention maps against transformers' eager attention, pooled by numpy.
#include <cmath>

#include <gtest/gtest.h>

#include "tests/support/golden.h"

namespace ropescope {
namespace {

using golden::Json;

// Largest difference of a map and its record; infinite when the masked cells differ.
double largestDifference(const AttentionMap& map, const Json& record) {
  if (map.values.size() != record.size()) return INFINITY;
  double largest = 0.0;
  for (std::size_t i = 0; i < record.size(); ++i) {
    if (record[i].is_null() != std::isnan(map.values[i])) return INFINITY;
    if (record[i].is_null()) continue;
    largest =
        std::max(largest, std::abs(static_cast<double>(map.values[i]) - record[i].get<double>()));
  }
  return largest;
}

TokenRange rangeOf(const Json& json) {
  return {json[0], json[1]};
}

void comparePicture(const Session& session, const Json& picture, double tolerance) {
  for (const Json& record : picture.at("maps")) {
    for (const Reducer reducer : {Reducer::Max, Reducer::Mean}) {
      const MapRequest request{.layer = record.at("layer"),
                               .head = record.at("head"),
                               .queries = rangeOf(picture.at("queries")),
                               .keys = rangeOf(picture.at("keys")),
                               .width = picture.at("width"),
                               .height = picture.at("height"),
                               .reducer = reducer};
      const AttentionMap map = golden::must(session.attentionMap(request, {}));
      EXPECT_LE(largestDifference(map, record.at(std::string(reducerName(reducer)))), tolerance)
          << reducerName(reducer) << " of layer " << request.layer << ", head " << request.head
          << ", " << request.width << " x " << request.height << " cells";
    }
  }
}

TEST(GoldenAttention, MapsAreTransformersWeightsPooled) {
  const Json data = golden::fileJson(golden::goldenPath("attention.json"));
  const auto all = golden::idsOf(data.at("token_ids"));
  const auto folder = golden::goldenPath("tiny_llama");
  int pictures = 0;
  for (const auto& [variant, lengths] : data.at("variants").items()) {
    const golden::ModelFolder model(folder,
                                    golden::fileJson(folder / "configs" / (variant + ".json")));
    for (const char* dtype : {"float32", "float64"}) {
      const auto engine = golden::loadEngine(model.path(), dtype);
      for (const auto& [length, list] : lengths.items()) {
        SCOPED_TRACE(variant + " at " + length + " tokens in " + dtype);
        const std::int64_t tokens = std::stoll(length);
        const auto session = golden::must(engine->newSession({.rope = engine->config().rope,
                                                              .contextTokens = tokens,
                                                              .captureLayers = {0, 1, 2},
                                                              .chunkTokens = 48}));
        golden::must(session->prefill({{all.begin(), all.begin() + tokens}}, {}));
        for (const Json& picture : list) {
          comparePicture(*session, picture, data.at("tolerance"));
          ++pictures;
        }
      }
    }
  }
  EXPECT_EQ(pictures, 2 * 2 * 5);
}

}  // namespace
}  // namespace ropescope
