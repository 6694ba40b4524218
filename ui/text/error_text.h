// Errors of the core as sentences for a person.
#pragma once

#include <QString>

#include "core/base/result.h"

namespace ropescope::ui {

QString errorSentence(const Error& error);

}  // namespace ropescope::ui
