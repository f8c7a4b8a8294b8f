#include <reel/autodiff/pool.hpp>
#include <reel/autodiff/regions.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <utility>

namespace reel::pool {
namespace {

constexpr std::size_t kSteps = 8;  // size classes per power of two: 1/8 is wasted, or some lines
constexpr std::size_t kClasses = 48 * kSteps;
constexpr std::size_t kMost = std::size_t{1} << 47;   // bytes of a block; beyond, classes end
constexpr std::size_t kLeast = std::size_t{1} << 19;  // bytes that any work is taken to need
constexpr std::size_t kNear = kSteps / 2;  // a block of so many classes above serves as well

// Lies right before a block's data, which begins kHeader or kLine bytes behind its first byte.
struct Header {
  std::uint32_t size_class, asked;  // a block may be larger than what was asked for
  Header* next;                     // while the block waits
};
static_assert(sizeof(Header) == kHeader);

Header* header_of(void* data) { return static_cast<Header*>(data) - 1; }
void* data_of(Header* header) { return header + 1; }

// Small blocks are counted with their header, larger ones without. A larger class has room for a
// line beyond its round number: what an array is stored with lies in it, and many an array takes a
// power of two.
constexpr std::size_t kSmallLines = (kMostSmall + kHeader) / kLine;
static_assert(kSmallLines == 2 * kSteps);  // so far classes are lines
std::size_t class_of(std::size_t bytes) {
  if (bytes <= kMostSmall) return (kHeader + bytes + kLine - 1) / kLine - 1;
  const std::size_t lines = std::max((bytes - 1) / kLine, kSmallLines + 1);
  const std::size_t shift = std::bit_width(lines - 1) - std::bit_width(kSteps);
  const std::size_t step = (lines - 1) >> shift;  // kSteps <= step < 2 * kSteps
  return shift * kSteps + step;
}
std::size_t bytes_of(std::size_t size_class) {
  if (size_class < kSmallLines) return (size_class + 1) * kLine;
  const std::size_t shift = size_class / kSteps - 1;
  return (((size_class % kSteps + kSteps + 1) << shift) + 1) * kLine;
}

// What lies before the data of a block: its header, and for larger ones the rest of a line.
std::size_t bytes_before(std::size_t size_class) {
  return size_class < kSmallLines ? kHeader : kLine;
}
std::size_t bytes_in_all(std::size_t size_class) {
  return bytes_of(size_class) + (size_class < kSmallLines ? 0 : kLine);
}
void give_back(Header* header) noexcept {
  const std::size_t size_class = header->size_class;
  give_piece(static_cast<std::byte*>(data_of(header)) - bytes_before(size_class),
             bytes_in_all(size_class));
}

thread_local bool gone = false;  // the pool of an ending thread

struct Pool {
  std::array<Header*, kClasses> waiting{};
  PoolStats stats;
  std::size_t needed = kLeast;  // most bytes in use so far; no matter who resets the peak

  ~Pool() {
    trim(0);
    gone = true;
  }
  void* allocate(std::size_t bytes) {
    const std::size_t asked = class_of(bytes), size = bytes_of(asked);
    Header* header = take(asked);
    if (!header) [[unlikely]]
      header = find(asked, size);
    header->asked = static_cast<std::uint32_t>(asked);
    stats.in_use += size;
    stats.peak_in_use = std::max(stats.peak_in_use, stats.in_use);
    needed = std::max(needed, stats.in_use);
    return data_of(header);
  }
  // Where no block of the class waits: a larger one, or a new one.
  [[gnu::noinline]] Header* find(std::size_t asked, std::size_t size) {
    // All that is held may not grow beyond half more than what the work needs. What waits is not
    // looked at alone: at the start of a step all that the step will need waits.
    const std::size_t most = std::max(needed, stats.in_use + size) / 2 * 3;
    const bool full = stats.reserved + size > most;  // then any block is better than another one
    std::size_t largest = asked;
    if (asked >= kSmallLines) largest = std::min(full ? kClasses : asked + kNear, kClasses - 1);
    for (std::size_t c = asked + 1; c <= largest; ++c)
      if (Header* header = take(c)) return header;
    if (full) trim(most - size);
    return make(asked);
  }
  // A waiting block of the class, or null.
  Header* take(std::size_t size_class) {
    Header* header = waiting[size_class];
    if (header) {
      waiting[size_class] = header->next;
      __builtin_prefetch(header->next, 1);  // the next to be taken, long out of the cache
    }
    return header;
  }
  // A new one.
  Header* make(std::size_t size_class) {
    void* piece = take_piece(bytes_in_all(size_class));
    ++stats.blocks_made;
    stats.reserved += bytes_of(size_class);
    Header* header = header_of(static_cast<std::byte*>(piece) + bytes_before(size_class));
    header->size_class = static_cast<std::uint32_t>(size_class);
    return header;
  }
  void release(Header* header) {
    const std::size_t size = bytes_of(header->asked);
    if (stats.in_use < size) {  // it came from another thread
      stats.in_use += size;
      stats.reserved += bytes_of(header->size_class);
    }
    stats.in_use -= size;
    header->next = std::exchange(waiting[header->size_class], header);
    // Only on a thread that returns more than it takes.
    if (stats.reserved > stats.in_use + 2 * needed) trim(stats.in_use + needed / 2);
  }
  // Frees waiting blocks, largest first, until at most `most` bytes are held; 0: all of them, be
  // they more than were counted, since others' blocks may be larger than was asked for.
  [[gnu::noinline]] void trim(std::size_t most) {
    for (std::size_t c = kClasses; c-- > 0;)
      while (waiting[c] && (stats.reserved > most || most == 0)) {
        stats.reserved -= std::min(stats.reserved, bytes_of(c));
        give_back(take(c));
      }
  }
};

Pool& local() {
  thread_local Pool pool;
  return pool;
}

}  // namespace

void* allocate(std::size_t bytes) {
  if (bytes > kMost) [[unlikely]]
    throw std::bad_alloc();
  return local().allocate(bytes);
}

void release(void* block) noexcept {
  if (!block) return;
  if (gone)
    give_back(header_of(block));
  else
    local().release(header_of(block));
}

PoolStats stats() { return local().stats; }
void reset_peak() { local().stats.peak_in_use = local().stats.in_use; }
void trim() {
  Pool& pool = local();
  pool.trim(0);
  pool.needed = std::max(kLeast, pool.stats.in_use);
}

}  // namespace reel::pool
