// Where the bundled model and the samples lie.
#pragma once

#include <filesystem>

#include "core/base/result.h"

namespace ropescope {

// $ROPESCOPE_RESOURCES; else `resources` beside the program or in ../share/ropescope; else the
// source tree that the program was built from. NotFound names all that were tried.
Result<std::filesystem::path> findResourceFolder();

Result<std::filesystem::path> findBundledModel();
// The sample that a first start shows: the first one that samples/samples.json lists.
Result<std::filesystem::path> findFirstSample();

}  // namespace ropescope
