// sweep --report: a Markdown report from result files.
#pragma once

#include "app/cli/run.h"

namespace ropescope::cli {

Status writeSweepReport(Run& run);

}  // namespace ropescope::cli
