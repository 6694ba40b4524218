// The settings that the window flips between, and their sessions.
#include <algorithm>
#include <utility>

#include "ui/text/error_text.h"
#include "ui/text/number_text.h"
#include "ui/viewmodels/app_model.h"

namespace ropescope::ui {
namespace {

// Files are bundled for a model that is bundled itself: resources/calibrations/NAME beside
// resources/models/NAME. A model of the same name elsewhere may have other weights.
std::filesystem::path bundledFor(const std::filesystem::path& calibrations,
                                 const std::filesystem::path& model) {
  if (calibrations.empty()) return {};
  const auto& named = model.has_filename() ? model : model.parent_path();
  std::error_code error;
  const auto twin = calibrations.parent_path() / "models" / named.filename();
  if (!std::filesystem::equivalent(twin, model, error)) return {};
  return calibrations / named.filename();
}

bool reads(const std::vector<KeptSession>& kept, std::uint64_t serial) {
  return std::any_of(kept.begin(), kept.end(),
                     [serial](const KeptSession& session) { return session.serial == serial; });
}

}  // namespace

int AppModel::slotOf(const MethodSettings& settings) const {
  if (m_active >= 0 && method() == settings) return m_active;
  const auto found = std::find_if(m_slots.begin(), m_slots.end(), [&](const MethodSlot& slot) {
    return slot.lack.isEmpty() && slot.settings() == settings;
  });
  return found == m_slots.end() ? -1 : static_cast<int>(found - m_slots.begin());
}

std::vector<rope::MethodChoice> AppModel::slotChoices() const {
  std::vector<rope::MethodChoice> choices;
  for (const MethodSlot& slot : m_slots) {
    if (slot.lack.isEmpty()) choices.push_back(slot.settings().rope);
  }
  return choices;
}

void AppModel::takeDefaultSlots() {
  const auto defaults = defaultSlots(bundledFor(m_calibrations, m_engine->folder()));
  std::copy_n(defaults.begin(), kSlots, m_slots.begin());
  m_slotCalibrations.clear();
  loadSlotCalibrations();
}

void AppModel::forgetSlotSessions() {
  for (int i = 0; i < kSlots; ++i) {
    if (i == m_active) continue;
    PlannedSession& session = slotAt(i).session;
    session.recipe = {};
    session.tokens.reset();
    session.bytes = 0;
  }
}

// As soon as a slot names a file, so that its problem is known before it is wanted.
void AppModel::loadSlotCalibrations() {
  using Loaded = std::shared_ptr<const Calibration>;
  for (const MethodSlot& slot : m_slots) {
    const auto path = slot.settings().calibrationFile;
    if (path.empty() || m_slotCalibrations.contains(path)) continue;
    m_slotCalibrations.emplace(path, Loaded());  // on its way
    m_runner.startLong<Loaded>(
        this, Lane::Load, SameLane::Queue,
        [path, engine = m_engine](EngineRoom&, const JobControl&) {
          return engine->loadCalibration(path);
        },
        [this, path, engine = m_engine](const Result<Loaded>& loaded) {
          if (engine != m_engine) return;  // another model is in use
          if (!loaded && loaded.error().code == ErrorCode::Cancelled) {
            m_slotCalibrations.erase(path);  // asked for again when it is needed
          } else {
            m_slotCalibrations.insert_or_assign(path, loaded);
          }
          refreshSlots();
        });
  }
}

void AppModel::refreshSlots() {
  if (!m_engine) return;
  bool dropped = false;
  for (int i = 0; i < kSlots; ++i) {
    MethodSlot& slot = slotAt(i);
    slot.problem = slot.lack;
    if (!slot.lack.isEmpty() || i == m_active || stillFits(slot.session)) continue;
    std::shared_ptr<const Calibration> calibration;
    if (const auto file = m_slotCalibrations.find(slot.settings().calibrationFile);
        file != m_slotCalibrations.end()) {
      if (!file->second) {
        slot.problem = errorSentence(file->second.error());
        continue;
      }
      calibration = *file->second;
    }
    dropped = dropped || slot.session.recipe.serial != 0;
    auto planned = planSession(slot.settings(), calibration);
    if (!planned) {
      slot.session.plan.reset();
      slot.problem = errorSentence(planned.error());
      continue;
    }
    slot.session = *std::move(planned);
    const auto origin = calibration ? calibration->info().origin : std::nullopt;
    if (!origin || calibration->info().originIgnored) continue;
    const Status fits = checkMethod(*origin, calibration->info().path.string(), *slot.session.plan);
    if (!fits) slot.problem = errorSentence(fits.error());
  }
  if (dropped) keepWantedSessions();
  emit slotsChanged();
}

bool AppModel::stillFits(const PlannedSession& session) const {
  if (session.recipe.serial == 0) return false;
  const std::int64_t wanted = contextFor(session.settings);
  const bool longEnough = session.settings.contextTokens > 0 ? wanted == session.plannedContext
                                                             : wanted <= session.plannedContext;
  return longEnough &&
         session.recipe.options.captureLayers == layersToCapture(session.plannedContext);
}

Status AppModel::planSlot(int index) {
  MethodSlot& slot = slotAt(index);
  if (slot.session.recipe.serial != 0 && (index == m_active || stillFits(slot.session))) {
    return Done{};
  }
  refreshSlots();
  if (!slot.problem.isEmpty()) {
    return Error{ErrorCode::InvalidArgument, slot.problem.toStdString()};
  }
  const auto& file = slot.settings().calibrationFile;
  if (!file.empty() && !slot.session.calibration) {
    loadSlotCalibrations();
    return Error{ErrorCode::Cancelled, file.string() + " is being read"};
  }
  slot.session.recipe.serial = ++m_lastSerial;
  slot.session.tokens.reset();
  slot.session.bytes = 0;
  return Done{};
}

Result<SessionRecipe> AppModel::slotRecipe(int index) {
  if (!m_engine) return Error{ErrorCode::InvalidArgument, "no model is loaded; open one first"};
  if (Status planned = planSlot(index); !planned) return planned.error();
  keepWantedSessions();
  return slot(index).session.recipe;
}

void AppModel::readUnderSlot(int index) {
  if (index == m_active) return readDocument();
  const auto recipe = slotRecipe(index);
  if (!recipe) {
    emit errorOccurred(recipe.error().code == ErrorCode::Cancelled
                           ? tr("The calibration is still being read; try again in a moment.")
                           : tr("Slot %1: %2").arg(index + 1).arg(slot(index).problem));
    return;
  }
  if (!m_document || m_document->part.ids.empty()) {
    emit errorOccurred(refusal(0));
    return;
  }
  readUnder(*recipe, {});
}

void AppModel::activateSlot(int index) {
  if (!m_engine || index < 0 || index >= kSlots) return;
  const auto choice = ++m_choices;
  const Status planned = planSlot(index);
  if (planned) return flipTo(index);
  if (planned.error().code != ErrorCode::Cancelled) {
    emit errorOccurred(tr("Slot %1: %2").arg(index + 1).arg(slot(index).problem));
    return;
  }
  // After the file, which is on its way in the same lane.
  m_runner.stop(Lane::Answer);
  m_runner.startLong<Done>(
      this, Lane::Load, SameLane::Queue,
      [](EngineRoom&, const JobControl&) -> Status { return Done{}; },
      [this, index, choice](const Status& done) {
        if (done && choice == m_choices) activateSlot(index);
      });
}

void AppModel::flipTo(int index) {
  if (index == m_active) return;
  const std::int64_t lostTokens = m_active < 0 ? position() : 0;
  m_runner.stop(Lane::Answer);
  m_active = index;
  m_own = {};
  emit flipped(index);
  announceSession(lostTokens);
  if (lostTokens > 0) return;
  emit notice(
      position() > 0
          ? tr("Slot %1: %2, %3 tokens read.").arg(index + 1).arg(title(), tokensText(position()))
          : tr("Slot %1: %2, not read yet.").arg(index + 1).arg(title()));
}

void AppModel::setSlot(int index, const MethodSettings& settings) {
  if (index < 0 || index >= kSlots) return;
  MethodSlot& slot = slotAt(index);
  if (slot.lack.isEmpty() && slot.settings() == settings) return;
  const bool wasActive = index == m_active;
  if (wasActive) {  // what it read serves until the new settings are planned
    m_own = slot.session;
    m_active = -1;
  }
  const bool takesOver = m_active < 0 && !wasActive && m_own.settings == settings;
  slot = {.session = {.settings = settings}, .lack = {}, .problem = {}};
  if (takesOver) {  // the session in use moves into the slot
    slot.session = std::exchange(m_own, {});
    m_active = index;
  }
  loadSlotCalibrations();
  refreshSlots();
  if (wasActive) {
    activateSlot(index);
  } else {
    keepWantedSessions();
  }
}

void AppModel::keepWantedSessions() {
  std::vector<std::uint64_t> wanted = {sessionSerial()};
  for (const MethodSlot& slot : m_slots) {
    if (slot.session.recipe.serial != 0) wanted.push_back(slot.session.recipe.serial);
  }
  m_runner.startLong<Done>(
      this, Lane::Housekeeping, SameLane::Queue,
      [wanted](EngineRoom& room, const JobControl&) -> Status {
        keepOnly(room, wanted);
        return Done{};
      },
      [](const Status&) {});
}

void AppModel::askWhatIsKept() {
  m_runner.requestView<std::vector<KeptSession>>(
      QStringLiteral("kept sessions"), this,
      [](EngineRoom& room, const JobControl&) -> Result<std::vector<KeptSession>> {
        return room.sessions.list();
      },
      [this](const Result<std::vector<KeptSession>>& kept) {
        if (kept) adoptKept(*kept);
      });
}

void AppModel::adoptKept(const std::vector<KeptSession>& kept) {
  const auto update = [&kept](PlannedSession& session) {
    const std::int64_t before = session.bytes;
    session.bytes = 0;
    for (const KeptSession& one : kept) {
      if (one.serial == session.recipe.serial) session.bytes = one.cacheBytes + one.captureBytes;
    }
    const bool dropped = session.position() > 0 && !reads(kept, session.recipe.serial);
    if (dropped) session.tokens.reset();
    return std::pair{dropped, before != session.bytes};
  };
  bool changed = false;
  for (int i = -1; i < kSlots; ++i) {
    PlannedSession& session = i < 0 ? m_own : slotAt(i).session;
    const auto [dropped, resized] = update(session);
    changed = changed || dropped || resized;
    if (!dropped) continue;
    if (i == m_active) emit sessionAdvanced(0);
    emit notice(tr("Memory is short: what was read under %1 was dropped. It is read again when it "
                   "is needed.")
                    .arg(settingsTitle(session)));
  }
  if (changed) emit slotsChanged();
}

void AppModel::setTokens(std::uint64_t serial, const SessionTokens& tokens) {
  if (serial == sessionSerial()) return advance(now(), tokens);
  for (MethodSlot& slot : m_slots) {
    if (slot.session.recipe.serial != serial) continue;
    const std::int64_t before = slot.session.position();
    slot.session.tokens = tokens;
    if (slot.session.position() != before) emit slotsChanged();
  }
}

// A second question takes the place of the first: views must drop what they drew of it, even when
// the session is longer afterwards than before.
void AppModel::advance(PlannedSession& session, const SessionTokens& tokens) {
  const SessionTokens before = std::exchange(session.tokens, tokens);
  if (before) {
    const auto [old, next] =
        std::mismatch(before->begin(), before->end(), tokens->begin(), tokens->end());
    if (old == before->end() && next == tokens->end()) return;
    if (old != before->end()) emit sessionAdvanced(old - before->begin());
  }
  emit sessionAdvanced(position());
}

std::int64_t AppModel::documentTokensHeld() const {
  if (!m_document) return 0;
  const auto& ids = m_document->part.ids;
  const SessionTokens& held = now().tokens;
  if (!held) return std::ssize(ids);
  const auto [own, read] = std::mismatch(ids.begin(), ids.end(), held->begin(), held->end());
  return read == held->end() ? std::ssize(ids) : own - ids.begin();
}

std::optional<std::int32_t> AppModel::tokenAt(std::int64_t position) const {
  if (position < 0) return {};
  const auto at = static_cast<std::size_t>(position);
  if (now().tokens && position < this->position()) return (*now().tokens)[at];
  if (!m_document || position >= std::ssize(m_document->part.ids)) return {};
  return m_document->part.ids[at];
}

}  // namespace ropescope::ui
