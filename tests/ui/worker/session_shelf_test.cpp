// Several sessions in one room: found by serial, dropped by last use when memory is short.
#include <gtest/gtest.h>

#include "tests/ui/live_app.h"
#include "ui/worker/session_jobs.h"

namespace ropescope::ui {
namespace {

constexpr std::int64_t kContext = 512;

struct Room : EngineRoom {
  Room() {
    const auto loaded = Engine::load({.model = storiesModel(), .device = "cpu"}, {});
    EXPECT_TRUE(loaded) << loaded.error().message;
    engine = *loaded;
  }
  SessionRecipe recipe(std::uint64_t serial) const {
    return {.serial = serial,
            .options = {.rope = engine->config().rope, .contextTokens = kContext}};
  }
  std::vector<std::uint64_t> serials() const {
    std::vector<std::uint64_t> all;
    for (const KeptSession& kept : sessions.list()) all.push_back(kept.serial);
    return all;
  }
  // Room for so many sessions of kContext tokens, counted as a system that hands out pages late.
  void setRoomFor(int count) {
    const MemoryEstimate need = engine->memoryFor(kContext);
    const std::int64_t others = count * need.kvCache;
    freeBytes = [others, need] { return others + need.workspace + (std::int64_t{256} << 20); };
  }
};

TEST(SessionShelf, KeepsASessionForEverySerial) {
  Room room;
  const auto first = sessionFor(room, room.recipe(1));
  const auto second = sessionFor(room, room.recipe(2));
  ASSERT_TRUE(first && second);
  EXPECT_NE(*first, *second);
  EXPECT_EQ(room.session, *second);
  EXPECT_EQ(*sessionFor(room, room.recipe(1)), *first);
  EXPECT_EQ(room.session, *first);
  EXPECT_EQ(*existingSession(room, 2), *second);
  EXPECT_EQ(room.serials(), (std::vector<std::uint64_t>{1, 2})) << "used last in front";
  EXPECT_EQ(existingSession(room, 3).error().code, ErrorCode::NotFound);
}

TEST(SessionShelf, DropsTheOneWhoseLastUseIsLongestAgoWhenMemoryIsShort) {
  Room room;
  room.setRoomFor(2);
  ASSERT_TRUE(sessionFor(room, room.recipe(1)));
  ASSERT_TRUE(sessionFor(room, room.recipe(2)));
  ASSERT_TRUE(sessionFor(room, room.recipe(1)));
  ASSERT_TRUE(sessionFor(room, room.recipe(3)));
  EXPECT_EQ(room.serials(), (std::vector<std::uint64_t>{3, 1}));
}

TEST(SessionShelf, KeepsOnlyWhatIsWanted) {
  Room room;
  for (const std::uint64_t serial : {1, 2, 3}) ASSERT_TRUE(sessionFor(room, room.recipe(serial)));
  keepOnly(room, {2, 9});
  EXPECT_EQ(room.serials(), (std::vector<std::uint64_t>{2}));
  EXPECT_EQ(room.session, *existingSession(room, 2));
  keepOnly(room, {});
  EXPECT_TRUE(room.serials().empty());
  EXPECT_EQ(room.session, nullptr);
}

TEST(SessionShelf, CountsWhatIsReservedAndNotYetFilled) {
  Room room;
  const auto session = sessionFor(room, room.recipe(1));
  ASSERT_TRUE(session);
  const std::int64_t whole = (*session)->cacheBytes();
  EXPECT_EQ(room.sessions.unfilledBytes(), whole);
  ASSERT_TRUE((*session)->prefill({std::vector<std::int32_t>(kContext / 2, 5)}, {}));
  EXPECT_EQ(room.sessions.unfilledBytes(), whole / 2);
}

}  // namespace
}  // namespace ropescope::ui
