// Reading the golden data of tests/golden, and comparing the program with it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/engine/engine.h"
#include "tests/support/temp_dir.h"

namespace ropescope::golden {

using Json = nlohmann::json;

// The value, or an exception that fails the running test with the error's own words.
template <class Value>
Value must(Result<Value> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return *std::move(result);
}

std::filesystem::path goldenPath(const std::string& name);  // under tests/golden
std::filesystem::path bookwormFolder();
std::filesystem::path storiesFolder();
std::string fileText(const std::filesystem::path& path);
Json fileJson(const std::filesystem::path& path);

// The files of `model` under another config.json.
class ModelFolder {
 public:
  ModelFolder(const std::filesystem::path& model, const Json& config);
  const std::filesystem::path& path() const { return m_scratch.path(); }

 private:
  test::TempDir m_scratch;
};

using SharedEngine = std::shared_ptr<const Engine>;

// Always on the CPU: the golden numbers are the CPU's.
SharedEngine loadEngine(const std::filesystem::path& folder, const std::string& dtype = "float32");

// A fresh session with these options reads `ids` once.
Score scoreOf(const Engine& engine, const SessionOptions& options,
              std::span<const std::int32_t> ids);

std::vector<std::int32_t> idsOf(const Json& list);

// Largest |ours - recorded|. `recorded` is a golden "nll": null, then one loss a token. Infinite
// when the lengths differ or a number is not finite.
double largestDifference(std::span<const double> nll, const Json& recorded);
double largestDifference(std::span<const float> values, const Json& recorded);

struct GreedyAnswer {
  std::vector<std::int32_t> ids;  // without EOS
  std::string text;
  std::string finishReason;
};

// Reads the parts, then answers greedily.
GreedyAnswer answerOf(const Engine& engine, Session& session,
                      const std::vector<std::vector<std::int32_t>>& parts,
                      std::int64_t maxNewTokens);

// Empty when the ids are those of a golden record (output_ids, margins, finish_reason), else what
// differs. The comparison ends where two logits were nearer to each other than `nearTie`: from
// there on two correct float32 programs may part.
std::string greedyMismatch(const GreedyAnswer& answer, const Json& record, double nearTie);

}  // namespace ropescope::golden
