#include <reel/autodiff/regions.hpp>

#if __has_include(<sys/mman.h>)
#include <sys/mman.h>
#endif

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>
#include <new>
#include <set>

namespace reel::pool {
namespace {

constexpr std::size_t kHugePage = std::size_t{1} << 21;
constexpr std::size_t kRegion = 4 * kHugePage;  // a larger piece is a region of its own
// The address sanitizer is to see where each piece ends, and which are lost.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kPlain = true;
#else
constexpr bool kPlain = false;
#endif

class Regions {
 public:
  void* take(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    auto best = by_size_.lower_bound({bytes, nullptr});
    if (best == by_size_.end()) {
      add_region(std::max(bytes, kRegion));
      best = by_size_.lower_bound({bytes, nullptr});
    }
    const auto [size, piece] = *best;
    remove_free(piece, size);
    if (size > bytes) add_free(piece + bytes, size - bytes);
    return piece;
  }

  void give(std::byte* piece, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    // Joined with what is free on either side, within the region.
    const auto region = std::prev(regions_.upper_bound(piece));
    const auto [region_start, region_size] = *region;
    auto next = free_.lower_bound(piece);
    if (next != free_.begin())
      if (const auto [start, size] = *std::prev(next);
          start >= region_start && start + size == piece) {
        remove_free(start, size);
        piece = start;
        bytes += size;
      }
    if (piece + bytes < region_start + region_size)
      if (const auto after = free_.find(piece + bytes); after != free_.end()) {
        const std::size_t size = after->second;
        remove_free(piece + bytes, size);
        bytes += size;
      }
    if (bytes < region_size) return add_free(piece, bytes);
    stats_.held -= region_size;
    regions_.erase(region);
    std::free(piece);
  }

  RegionStats stats() {
    const std::lock_guard lock(mutex_);
    return stats_;
  }

 private:
  void add_region(std::size_t bytes) {
    const std::size_t whole = (bytes + kHugePage - 1) / kHugePage * kHugePage;
    void* region = std::aligned_alloc(kHugePage, whole);
    if (!region) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
    madvise(region, bytes, MADV_HUGEPAGE);  // a wish: it may fail
#endif
    regions_.emplace(static_cast<std::byte*>(region), bytes);
    stats_.held += bytes;
    add_free(static_cast<std::byte*>(region), bytes);
  }
  void add_free(std::byte* start, std::size_t bytes) {
    free_.emplace(start, bytes);
    by_size_.emplace(bytes, start);
    stats_.free += bytes;
  }
  void remove_free(std::byte* start, std::size_t bytes) {
    free_.erase(start);
    by_size_.erase({bytes, start});
    stats_.free -= bytes;
  }

  std::mutex mutex_;
  std::map<std::byte*, std::size_t> regions_, free_;      // by address
  std::set<std::pair<std::size_t, std::byte*>> by_size_;  // the free ones
  RegionStats stats_{};
};

// Never destroyed: blocks come back until the very end of a program.
Regions& regions() {
  static Regions& all = *new Regions;
  return all;
}

}  // namespace

void* take_piece(std::size_t bytes) {
  if (!kPlain) return regions().take(bytes);
  void* piece = std::aligned_alloc(kLine, bytes);
  if (!piece) throw std::bad_alloc();
  return piece;
}
void give_piece(void* piece, std::size_t bytes) noexcept {
  kPlain ? std::free(piece) : regions().give(static_cast<std::byte*>(piece), bytes);
}
RegionStats region_stats() { return regions().stats(); }

}  // namespace reel::pool
