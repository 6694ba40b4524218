#include <memory>
#include <new>

#include <c10/core/CPUAllocator.h>
#include <c10/core/impl/alloc_cpu.h>

#include "core/base/block_cache.h"
#include "core/engine/tensor_memory.h"

namespace ropescope {

namespace {

constexpr std::size_t kSmallestKept = std::size_t{128}
                                      << 10;  // below, malloc reuses well by itself

// Before the data of every block, because a deleter is told the address of the data alone.
struct alignas(64) Header {
  BlockCache* cache;  // null: a small block, of malloc's
  BlockCache::Block block;
};
static_assert(sizeof(Header) == 64, "the data keeps the block's alignment");

void giveBack(void* data) {
  if (!data) return;
  const Header header = *(static_cast<Header*>(data) - 1);
  if (header.cache) {
    header.cache->giveBack(header.block);
  } else {
    c10::free_cpu(header.block.data);
  }
}

class ReusingAllocator final : public c10::Allocator {
 public:
  explicit ReusingAllocator(std::size_t keptBytes) : m_cache(keptBytes) {}

  c10::DataPtr allocate(std::size_t bytes) override {
    const c10::Device cpu(c10::DeviceType::CPU);
    if (bytes == 0) return {nullptr, nullptr, &giveBack, cpu};
    const std::size_t whole = bytes + sizeof(Header);
    const bool large = bytes >= kSmallestKept;
    const BlockCache::Block block =
        large ? m_cache.take(whole) : BlockCache::Block{c10::alloc_cpu(whole), whole};
    auto* header = new (block.data) Header{large ? &m_cache : nullptr, block};
    return {header + 1, header + 1, &giveBack, cpu};
  }

  // oneDNN's tensors come and go by address alone.
  c10::DeleterFnPtr raw_deleter() const override { return &giveBack; }

  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }

 private:
  BlockCache m_cache;
};

}  // namespace

void reuseTensorMemory(std::size_t keptBytes) {
  // Never freed: tensors may outlive everything, and c10 wants static lifetime.
  c10::SetCPUAllocator(std::make_unique<ReusingAllocator>(keptBytes).release(), 1);
}

}  // namespace ropescope
