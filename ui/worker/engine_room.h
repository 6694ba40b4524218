// What lives on the engine thread. Jobs get it by reference; nobody else touches it.
#pragma once

#include <cstdint>
#include <memory>

#include "core/engine/engine.h"
#include "core/engine/session.h"

namespace ropescope::ui {

struct EngineRoom {
  std::shared_ptr<const Engine> engine;  // null until a model is loaded
  std::unique_ptr<Session> session;      // null until the document is read under the current plan
  std::uint64_t sessionSerial = 0;       // the AppModel::sessionSerial() it was made for
};

}  // namespace ropescope::ui
