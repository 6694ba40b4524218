// One choice of settings and the session it stands for: what a flip of the window exchanges.
#pragma once

#include <QString>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "core/engine/engine.h"
#include "ui/worker/session_jobs.h"

namespace ropescope::ui {

// What the method panel edits. Applied as a whole: every change starts a new session.
struct MethodSettings {
  rope::MethodChoice rope;
  std::int64_t contextTokens = 0;         // planned length; 0: automatic, see AppModel
  std::filesystem::path calibrationFile;  // empty: none
  double pscStrength = 1.0;
  bool lora = true;
};
bool operator==(const MethodSettings& a, const MethodSettings& b);

// Settings as they are planned for one model and one document.
struct PlannedSession {
  MethodSettings settings;
  std::shared_ptr<const Calibration> calibration;
  std::shared_ptr<const rope::RotaryPlan> plan;  // null: there is none, or no model
  SessionRecipe recipe;                          // serial 0: no session was wanted yet
  std::int64_t plannedContext = 0;
  SessionTokens tokens;    // read and written; null: none
  std::int64_t bytes = 0;  // in memory: KV cache and capture; 0: not there

  std::int64_t position() const { return tokens ? std::ssize(*tokens) : 0; }
};

// One of the settings that the window flips between.
struct MethodSlot {
  PlannedSession session;
  QString lack;     // what these settings need and this model has not, with the cure
  QString problem;  // why they cannot be used now, a sentence; empty: they can

  const MethodSettings& settings() const { return session.settings; }
};

// "YaRN × 4 + PSC": method, factor where there is one, calibration.
QString settingsTitle(const PlannedSession& session);

// PI, YaRN, LongRoPE and YaRN + PSC, each at the factor that the document needs. `calibrations`
// holds the files bundled for this model; where one is not there, the slot says so.
std::vector<MethodSlot> defaultSlots(const std::filesystem::path& calibrations);

}  // namespace ropescope::ui
