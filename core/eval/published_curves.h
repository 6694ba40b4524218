// Perplexity curves that others published, with the protocol they were measured under.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/eval/perplexity.h"

namespace ropescope {

struct PublishedPoint {
  std::int64_t length = 0;  // tokens
  double perplexity = 0.0;
  bool above = false;  // the source only says "above this"
};

struct PublishedCurve {
  std::string name;                  // "yarn-llama-2-7b-64k-proofpile"
  std::string model;                 // "Yarn-Llama-2-7b-64k, YaRN with factor 16"
  std::string dataset;               // "Proof-pile test, 10 documents"
  std::optional<Protocol> protocol;  // none: the source does not say
  std::int64_t stride = 0;           // of the sliding protocol
  std::string source;                // "arXiv:2306.15595 Table 1"
  std::string note;
  std::vector<PublishedPoint> points;  // by rising length
};

// One file of resources/published: {"source", "curves": [{"name", "model", "dataset", "protocol",
// "stride", "note", "points": {"2048": 7.2, "4096": ">1000"}}]}. CorruptFile names what is wrong
// where; keys that are not known are refused.
Result<std::vector<PublishedCurve>> readPublishedCurves(const std::filesystem::path& file);

// Every *.json of the folder, by file name. Two curves of one name are refused.
Result<std::vector<PublishedCurve>> readPublishedFolder(const std::filesystem::path& folder);

// The curve `name`, or all whose names go on with "-" after it, or, for the path of a .csv file,
// all rows of a wide CSV. NotFound with what begins alike.
Result<std::vector<PublishedCurve>> findPublished(const std::vector<PublishedCurve>& curves,
                                                  const std::string& name);

// "sliding windows, stride 256" for a curve.
std::string publishedProtocolText(const PublishedCurve& curve);

// Why the curve's numbers and those of `config` must not be set side by side; empty when the
// protocols agree (models and texts still differ).
std::string protocolDifference(const PublishedCurve& curve, const PerplexityConfig& config);

}  // namespace ropescope
