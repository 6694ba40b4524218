// What a rotary plan does, in words.
#pragma once

#include <QString>
#include <cstdint>

#include "core/rope/rope_method.h"

namespace ropescope::ui {

// Pairs that made less than one full turn within the trained length.
int pairsNeverTurned(const rope::RotaryPlan& plan);

// True when the plan rotates exactly as plain RoPE does.
bool isPlain(const rope::RotaryPlan& plan);

// "every angle is divided by 4", "pairs 0–6 turn as trained, pairs 18–31 are slowed 4 times, …"
QString slowingText(const rope::RotaryPlan& plan);

// "Trained 1,024 tokens; you plan 4,096; with PI every angle is divided by 4; 12 of 32 …"
QString planSentence(const rope::RotaryPlan& plan, const QString& methodTitle);

}  // namespace ropescope::ui
