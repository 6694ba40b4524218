#include "tests/support/golden.h"

#include <cmath>
#include <fstream>
#include <limits>

#include "core/base/file_io.h"

namespace ropescope::golden {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// One recorded number against ours; NaN on either side counts as infinitely far.
double distance(double ours, const Json& recorded) {
  const double apart = std::abs(ours - recorded.get<double>());
  return std::isfinite(apart) ? apart : kInfinity;
}

}  // namespace

std::filesystem::path goldenPath(const std::string& name) {
  return std::filesystem::path(ROPESCOPE_TESTS_DIR) / "golden" / name;
}

std::filesystem::path bookwormFolder() {
  return std::filesystem::path(ROPESCOPE_RESOURCES_DIR) / "models" / "bookworm-11m";
}

std::filesystem::path storiesFolder() {
  return std::filesystem::path(ROPESCOPE_TESTS_DIR) / "fixtures" / "stories260K";
}

std::string fileText(const std::filesystem::path& path) {
  return must(readFile(path));
}

Json fileJson(const std::filesystem::path& path) {
  return Json::parse(fileText(path));
}

ModelFolder::ModelFolder(const std::filesystem::path& model, const Json& config) {
  for (const auto& entry : std::filesystem::directory_iterator(model)) {
    if (!entry.is_regular_file() || entry.path().filename() == "config.json") continue;
    std::filesystem::create_symlink(std::filesystem::absolute(entry.path()),
                                    path() / entry.path().filename());
  }
  std::ofstream(path() / "config.json") << config.dump(2) << '\n';
}

SharedEngine loadEngine(const std::filesystem::path& folder, const std::string& dtype) {
  EngineOptions options;
  options.model = folder;
  options.device = "cpu";
  options.dtype = dtype;
  options.threads = 1;  // tests run side by side, one core each
  return must(Engine::load(options, {}));
}

Score scoreOf(const Engine& engine, const SessionOptions& options,
              std::span<const std::int32_t> ids) {
  const auto session = must(engine.newSession(options));
  return must(session->score(ids, {}, {}));
}

std::vector<std::int32_t> idsOf(const Json& list) {
  return list.get<std::vector<std::int32_t>>();
}

double largestDifference(std::span<const double> nll, const Json& recorded) {
  if (recorded.size() != nll.size() + 1 || !recorded[0].is_null()) return kInfinity;
  double largest = 0.0;
  for (std::size_t i = 0; i < nll.size(); ++i) {
    largest = std::max(largest, distance(nll[i], recorded[i + 1]));
  }
  return largest;
}

double largestDifference(std::span<const float> values, const Json& recorded) {
  if (recorded.size() != values.size()) return kInfinity;
  double largest = 0.0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    largest = std::max(largest, distance(static_cast<double>(values[i]), recorded[i]));
  }
  return largest;
}

GreedyAnswer answerOf(const Engine& engine, Session& session,
                      const std::vector<std::vector<std::int32_t>>& parts,
                      std::int64_t maxNewTokens) {
  must(session.prefill(parts, {}));
  GenerationConfig config;
  config.maxNewTokens = maxNewTokens;
  const Generation generation = must(session.generate(config, {}, {}));
  GreedyAnswer answer;
  for (const GeneratedToken& token : generation.tokens) answer.ids.push_back(token.id);
  answer.finishReason = finishReasonName(generation.finishReason);
  std::vector<std::int32_t> before;
  for (const auto& part : parts) before.insert(before.end(), part.begin(), part.end());
  answer.text = must(engine.tokenizer())->continuation(before, answer.ids);
  return answer;
}

std::string greedyMismatch(const GreedyAnswer& answer, const Json& record, double nearTie) {
  auto wanted = idsOf(record.at("output_ids"));
  const auto margins = record.at("margins").get<std::vector<double>>();
  if (margins.size() != wanted.size()) return "the record has not one margin per id";
  const std::string reason = record.at("finish_reason");
  const std::size_t text = reason == "eos" ? wanted.size() - 1 : wanted.size();  // EOS is not ours
  for (std::size_t i = 0; i < text; ++i) {
    if (margins[i] < nearTie) return {};
    if (i == answer.ids.size()) return "the answer ends after " + std::to_string(i) + " ids";
    if (answer.ids[i] != wanted[i]) {
      return "id " + std::to_string(i) + " is " + std::to_string(answer.ids[i]) + ", recorded is " +
             std::to_string(wanted[i]);
    }
  }
  if (reason == "eos" && margins[text] < nearTie) return {};
  if (answer.ids.size() != text) {
    return std::to_string(answer.ids.size()) + " ids, recorded are " + std::to_string(text);
  }
  return answer.finishReason == reason
             ? std::string()
             : "it finished by " + answer.finishReason + ", recorded is " + reason;
}

}  // namespace ropescope::golden
