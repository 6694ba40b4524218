// Tokens by name.
#pragma once

#include <QString>
#include <cstdint>

#include "ui/viewmodels/app_model.h"

namespace ropescope::ui {

// The token at a position of the current session, or of the document where it is not read yet, as
// its piece, blanks visible; empty when there is none.
QString tokenPiece(const AppModel& app, std::int64_t position);

}  // namespace ropescope::ui
