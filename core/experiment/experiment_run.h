// Runs an experiment's plan, and says what came out differently from what a file recorded.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/progress.h"
#include "core/engine/engine.h"
#include "core/experiment/experiment.h"
#include "core/tokenizer/tokenizer.h"

namespace ropescope::experiment {

// Fills in what a plan says of the model: name, hashes, dtype, trained length.
// Errors: those of Engine::tokenizer().
Status describeModel(const Engine& engine, Plan& plan);

// InvalidArgument when the engine's model or tokenizer is another one than the plan's: both named.
Status checkModel(const Engine& engine, const Plan& plan);

// An answer as a file keeps it. `before`: the tokens it continues.
RecordedAnswer recordAnswer(const Tokenizer& tokenizer, const std::vector<std::int32_t>& before,
                            const std::vector<GeneratedToken>& tokens, FinishReason reason);

// One setting of the plan after the other, each in a session of its own.
// Errors: InvalidArgument (a setting, a layer or head that the model has not, a document or
// question that does not fit the context), those of the engine, Cancelled.
Result<RecordedSetting> runSetting(const Engine& engine, const Plan& plan,
                                   const std::string& setting, const JobControl& job);

// The setting with its files where they are here: one that is not at its recorded path is looked
// for by its name under `bundled` (empty: nowhere), a calibration by its recorded hash too. Errors:
// InvalidArgument (no setting), NotFound (a file that is nowhere).
Result<std::string> settingHere(const Plan& plan, const std::string& setting,
                                const std::optional<std::string>& calibrationHash,
                                const std::filesystem::path& bundled);

struct FailedSetting {
  std::string setting;
  std::string why;
};
struct Rerun {
  std::vector<RecordedSetting> results = {};  // in the order of the plan, under its names
  std::vector<FailedSetting> failed = {};
};

// All settings of the plan; what cannot be run is no reason to leave out the others. `onSetting`
// hears which one begins. Errors: those of checkModel(), Cancelled.
Result<Rerun> runAgain(const Engine& engine, const Experiment& recorded,
                       const std::filesystem::path& bundled,
                       const std::function<void(const std::string&)>& onSetting,
                       const JobControl& job);

// One compared value. Numbers agree within `kTolerance`: sums of float32 in another order, as other
// threads or processors make them, stay far below.
inline constexpr double kTolerance = 1e-3;  // nats, or attention weight
struct Difference {
  std::string setting;
  std::string what;  // "answer 1", "loss at 1,024 tokens", "map of layer 2, head 2"
  std::string recorded;
  std::string now;
  bool agrees = true;
};

// A line for every answer, loss and map of both. Settings that either lacks are differences; of
// those that failed it says why.
std::vector<Difference> compare(const std::vector<RecordedSetting>& recorded,
                                const std::vector<RecordedSetting>& now,
                                const std::vector<FailedSetting>& failed = {});

}  // namespace ropescope::experiment
