// Large memory blocks that are given out again instead of going back to the system. A fresh block
// costs a page fault and 4 KiB of zeros for every page: a third of a training step's time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace ropescope {

// Any thread. What is given out is the caller's; what is kept is freed with the cache.
class BlockCache {
 public:
  struct Block {
    void* data = nullptr;  // 64-byte aligned; what was in it before is undefined
    std::size_t bytes = 0;
  };

  // Keeps at most so many bytes that nobody uses; the longest unused go back first.
  explicit BlockCache(std::size_t keptBytes) : m_mayKeep(keptBytes) {}
  ~BlockCache();
  BlockCache(const BlockCache&) = delete;
  BlockCache& operator=(const BlockCache&) = delete;

  // At least `bytes`, and at most a quarter more. Throws std::bad_alloc when the system has no more
  // even after everything kept went back.
  Block take(std::size_t bytes);
  void giveBack(Block block);

  std::size_t keptBytes() const;

 private:
  Block takeKept(std::size_t bytes);  // data is null: nothing fits
  std::vector<Block> dropAllBut(std::size_t bytes);

  const std::size_t m_mayKeep;
  mutable std::mutex m_mutex;
  std::vector<Block> m_kept;  // longest unused first
  std::size_t m_keptBytes = 0;
};

}  // namespace ropescope
