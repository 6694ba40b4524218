// One call of a command: its options, the loaded engine, and the result that grows.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/cli/console.h"
#include "app/cli/options.h"
#include "core/engine/engine.h"

namespace ropescope::cli {

using Json = nlohmann::ordered_json;

class Run {
 public:
  Run(const Options& options, Console& console, std::stop_token stop);

  const Options& options() const { return m_options; }
  Console& console() { return m_console; }
  // True once the person asked to stop; what is in fields() is a partial result then.
  bool stopRequested() const { return m_stop.stop_requested(); }
  JobControl job();

  // Errors: those of Engine::load, NotFound when there is no bundled model.
  Status loadEngine();
  const Engine& engine() const { return *m_engine; }
  // Null when the model has none; ids still work.
  std::shared_ptr<const Tokenizer> tokenizerOrNull() const;
  // Errors: those of Engine::tokenizer.
  Result<std::shared_ptr<const Tokenizer>> tokenizer() const;

  // What fields() holds is measured: worth writing beside an error too.
  void keepResult() { m_keep = true; }
  bool keepsResult() const { return m_keep; }

  // Shown now, and kept for "notices".
  void notice(const std::string& text);

  Json& fields() { return m_fields; }
  Json& settings() { return m_settings; }

  // --rope, --factor and --rope-param on top of what the model's config says.
  Result<rope::MethodChoice> methodChoice();
  // --factor, when the method takes one.
  std::optional<double> usedFactor() const;
  // Plan, calibration and their settings for a session of so many tokens; notices included.
  Result<SessionOptions> sessionOptions(std::int64_t plannedTokens);
  Result<rope::RotaryPlan> plan(std::int64_t plannedTokens);

  // --context, or `needed`. InvalidArgument when `needed` tokens do not fit: `what` is the
  // sentence's subject, `cure` its end.
  Result<std::int64_t> contextFor(std::int64_t needed, const std::string& what,
                                  const std::string& cure);

  // What a calibration lacks and what it brings in vain.
  void noticeCalibration(const CalibrationInfo& info);

  // The whole result object.
  Json envelope() const;

 private:
  Result<std::shared_ptr<const Calibration>> calibration();
  void describePlan(const rope::MethodChoice& choice, const rope::RotaryPlan& plan);

  const Options& m_options;
  Console& m_console;
  std::stop_token m_stop;
  std::chrono::steady_clock::time_point m_start = std::chrono::steady_clock::now();
  std::shared_ptr<const Engine> m_engine;
  std::shared_ptr<const Calibration> m_calibration;
  std::vector<std::string> m_notices;
  bool m_keep = false;
  Json m_settings = Json::object();
  Json m_fields = Json::object();
};

// "yarn with factor 4" for sentences.
std::string planText(const rope::RotaryPlan& plan);

// SHA-256 of a file's bytes; null when it cannot be read.
Json sha256Json(const std::filesystem::path& path);

// Every parameter of a method, files with their hashes: as chosen, from the config's lists, or its default; null when the
// method works it out.
Json parametersJson(const rope::MethodChoice& completed);  // see Engine::completed
Json calibrationJson(const Calibration* calibration, double strength, bool lora);

}  // namespace ropescope::cli
