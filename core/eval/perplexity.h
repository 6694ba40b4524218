// Perplexity against context length, with the protocol as part of every result.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/engine/engine.h"

namespace ropescope {

enum class Protocol {
  OnePass,   // one causal pass over the document's start gives every length at once
  Sliding,   // YaRN's program: windows, each scoring only what the one before did not
  Truncate,  // YaRN's --truncate: one window per document
  LlamaCpp,  // llama.cpp's program: chunks without overlap, the second half of each scored
};
inline constexpr std::array kProtocols{Protocol::OnePass, Protocol::Sliding, Protocol::Truncate,
                                       Protocol::LlamaCpp};
std::string_view protocolName(Protocol protocol);  // "one-pass", "sliding", "truncate", "llama.cpp"
std::optional<Protocol> findProtocol(std::string_view name);

// One curve: a method, its factor and a calibration.
struct CurveSettings {
  std::string label;               // as the user wrote it: "yarn:factor=4"
  rope::MethodChoice rope;         // factor empty: decided once, by the longest length
  bool factorFollowsLength = false;  // factor=auto: length / trained length, a pass per length
  std::shared_ptr<const Calibration> calibration;
  double pscStrength = 1.0;
  bool lora = true;
};

// "yarn:factor=4,beta_fast=16,calibration=FILE,psc_strength=0.5,lora=off"; names as on the command
// line and in ParameterSpec. The calibration is loaded through the engine.
Result<CurveSettings> parseCurve(std::string_view text, const Engine& engine);

// The method for a measurement up to `longest` tokens: a factor that was left open is longest /
// trained length, at least 1; one that follows the length stays open for makePlan to decide.
rope::MethodChoice decidedChoice(const CurveSettings& settings, const Engine& engine,
                                 std::int64_t longest);

struct PerplexityConfig {
  std::vector<std::int64_t> lengths;  // tokens, ascending
  Protocol protocol = Protocol::OnePass;
  std::int64_t stride = 256;          // sliding only
  // Tokens that every session is planned for, the longest length or more; none: its own length.
  std::optional<std::int64_t> planned = {};
};
// What a session that measures `length` is planned for.
std::int64_t plannedFor(const PerplexityConfig& config, std::int64_t length);
Status validate(const PerplexityConfig& config);

// The mean that a point is made of, and its error:
//   one-pass, truncate  over documents, each the mean of its scored tokens
//   sliding             over the windows of all documents, each the mean of its scored tokens; the
//                       error clustered by document
//   llama.cpp           over all scored tokens; the error over tokens as if they were independent,
//                       as llama.cpp prints it
struct PerplexityPoint {
  std::int64_t length = 0;
  double nllMeanTo = 0.0;             // nats
  std::optional<double> nllBin;       // mean over positions since the previous length; one-pass only
  double perplexity = 0.0;            // exp(nllMeanTo)
  std::optional<double> standardError;  // of the perplexity; over documents: none for one document
  std::int64_t scoredTokens = 0;
  int documents = 0;
};

struct PerplexityCurve {
  CurveSettings settings;
  double factor = 1.0;                // of the last point
  std::vector<PerplexityPoint> points;
};

// Points so far, whenever one is new or has one more document; later calls may refine them all.
using CurveSink = std::function<void(const PerplexityCurve&)>;

// `documents`: token ids, without BOS (it is put in front when the model's tokenizer adds one).
// A document shorter than a length does not count at that length; a length that no document reaches
// is InvalidArgument, before any work.
Result<PerplexityCurve> measureCurve(const Engine& engine, const CurveSettings& settings,
                                     const std::vector<std::vector<std::int32_t>>& documents,
                                     const PerplexityConfig& config, const CurveSink& onUpdate,
                                     const JobControl& job);

// What the plot and the report print: "one pass per document, BOS first, all positions scored".
std::string protocolText(const PerplexityConfig& config, bool bos);

}  // namespace ropescope
