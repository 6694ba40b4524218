// What only passkey, needle and questions take.
#pragma once

namespace ropescope::cli {

struct RetrievalOptions {};

}  // namespace ropescope::cli
