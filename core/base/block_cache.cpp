#include "core/base/block_cache.h"

#include <new>
#include <utility>

namespace ropescope {

namespace {

constexpr std::align_val_t kAlignment{64};  // a cache line and a vector
constexpr std::size_t kPage = 4096;

std::size_t wholePages(std::size_t bytes) {
  return (bytes + kPage - 1) / kPage * kPage;
}

// Outside the lock: giving many pages back takes the system a while.
void release(const std::vector<BlockCache::Block>& blocks) {
  for (const auto& block : blocks) ::operator delete(block.data, kAlignment);
}

}  // namespace

BlockCache::~BlockCache() {
  release(m_kept);
}

BlockCache::Block BlockCache::take(std::size_t bytes) {
  if (const Block kept = takeKept(bytes); kept.data) return kept;
  const std::size_t whole = wholePages(bytes);
  if (void* data = ::operator new(whole, kAlignment, std::nothrow)) return {data, whole};
  std::vector<Block> all;
  {
    const std::lock_guard lock(m_mutex);
    all = dropAllBut(0);
  }
  release(all);
  return {::operator new(whole, kAlignment), whole};
}

void BlockCache::giveBack(Block block) {
  std::vector<Block> dropped;
  {
    const std::lock_guard lock(m_mutex);
    m_kept.push_back(block);
    m_keptBytes += block.bytes;
    dropped = dropAllBut(m_mayKeep);
  }
  release(dropped);
}

std::size_t BlockCache::keptBytes() const {
  const std::lock_guard lock(m_mutex);
  return m_keptBytes;
}

// The smallest that fits; of equal ones the last used, whose bytes may still be in a cache.
BlockCache::Block BlockCache::takeKept(std::size_t bytes) {
  const std::lock_guard lock(m_mutex);
  auto best = m_kept.end();
  for (auto at = m_kept.begin(); at != m_kept.end(); ++at) {
    const bool fits = at->bytes >= bytes && at->bytes - bytes <= bytes / 4 + kPage;
    if (fits && (best == m_kept.end() || at->bytes <= best->bytes)) best = at;
  }
  if (best == m_kept.end()) return {};
  const Block block = *best;
  m_kept.erase(best);
  m_keptBytes -= block.bytes;
  return block;
}

std::vector<BlockCache::Block> BlockCache::dropAllBut(std::size_t bytes) {
  auto first = m_kept.begin();
  for (; first != m_kept.end() && m_keptBytes > bytes; ++first) m_keptBytes -= first->bytes;
  std::vector<Block> dropped(m_kept.begin(), first);
  m_kept.erase(m_kept.begin(), first);
  return dropped;
}

}  // namespace ropescope
