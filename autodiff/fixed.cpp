#include <reel/autodiff/fixed.hpp>

#include <cstdlib>
#include <map>
#include <mutex>
#include <new>
#include <tuple>
#include <vector>

namespace reel::inline REEL_PRECISION::detail {
namespace {

using Order = std::tuple<std::uint64_t, FixedForm, std::ptrdiff_t, std::vector<std::size_t>,
                         std::vector<std::ptrdiff_t>>;

struct Shelf {
  std::mutex mutex;
  std::map<Order, std::weak_ptr<const real>> entries;
};
Shelf& shelf() {
  static Shelf& shelf = *new Shelf;  // outlives every thread
  return shelf;
}

}  // namespace

Fixed own_fixed(std::size_t size, const FixedFill& fill) {
  auto* memory = static_cast<real*>(pool::allocate_lines(size * sizeof(real)));
  const auto release = [](const real* p) { pool::release(const_cast<real*>(p)); };
  Fixed fixed(memory, release, PoolAllocator<real>());
  fill(memory);
  return fixed;
}

Fixed shared_fixed(const FixedKey& key, std::size_t size, const FixedFill& fill) {
  const Order order{key.version, key.form, key.offset,
                    std::vector<std::size_t>(key.shape.begin(), key.shape.end()),
                    std::vector<std::ptrdiff_t>(key.strides.begin(), key.strides.end())};
  const std::lock_guard lock(shelf().mutex);
  auto& entries = shelf().entries;
  if (const auto at = entries.find(order); at != entries.end())
    if (Fixed fixed = at->second.lock()) return fixed;
  std::erase_if(entries, [](const auto& entry) { return entry.second.expired(); });
  // Not from a pool, which is a thread's.
  const std::size_t bytes = (size * sizeof(real) / pool::kLine + 1) * pool::kLine;
  auto* memory = static_cast<real*>(std::aligned_alloc(pool::kLine, bytes));
  if (!memory) throw std::bad_alloc();
  const Fixed fixed(memory, [](const real* p) { std::free(const_cast<real*>(p)); });
  fill(memory);
  entries.insert_or_assign(order, fixed);
  return fixed;
}

}  // namespace reel::inline REEL_PRECISION::detail
