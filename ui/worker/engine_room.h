// What lives on the engine thread. Jobs get it by reference; nobody else touches it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "core/engine/engine.h"
#include "core/engine/session.h"
#include "ui/worker/session_shelf.h"

namespace ropescope::ui {

struct EngineRoom {
  std::shared_ptr<const Engine> engine;  // null until a model is loaded
  SessionShelf sessions;                 // those of the slots and the current one, see sessionFor()
  Session* session = nullptr;            // of `sessions`, the one that was used last
  // Memory that more sessions may take; -1: unknown. Empty: what the engine's device says.
  std::function<std::int64_t()> freeBytes;
};

}  // namespace ropescope::ui
