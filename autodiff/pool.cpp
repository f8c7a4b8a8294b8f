#include <reel/autodiff/pool.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <utility>

namespace reel::pool {
namespace {

constexpr std::size_t kSteps = 8;  // size classes per power of two: at most 1/8 is wasted
constexpr std::size_t kClasses = 48 * kSteps;
constexpr std::size_t kLeast = std::size_t{1} << 19;  // bytes that any work is taken to need
constexpr std::size_t kNear = kSteps / 2;  // a block of so many classes above serves as well

// Lies right before a block's data, which begins kHeader or kLine bytes behind its first byte.
struct Header {
  std::uint32_t size_class;
  Header* next;  // while the block waits
};
static_assert(sizeof(Header) == kHeader);

Header* header_of(void* data) { return static_cast<Header*>(data) - 1; }
void* data_of(Header* header) { return header + 1; }
// Of a block whose data begins there.
std::byte* first_byte(void* data) {
  const bool small = reinterpret_cast<std::uintptr_t>(data) % kLine != 0;
  return static_cast<std::byte*>(data) - (small ? kHeader : kLine);
}

// Small blocks are counted with their header, larger ones without.
constexpr std::size_t kSmallLines = (kMostSmall + kHeader) / kLine;
std::size_t class_of(std::size_t bytes) {
  const std::size_t header = bytes <= kMostSmall ? kHeader : 0;
  std::size_t units = (header + bytes + kLine - 1) / kLine;
  if (header == 0) units = std::max(units, kSmallLines + 1);  // no class serves both
  if (units <= kSteps) return units - 1;
  const std::size_t shift = std::bit_width(units - 1) - std::bit_width(kSteps);
  const std::size_t step = (units - 1) >> shift;  // kSteps <= step < 2 * kSteps
  return shift * kSteps + step;
}
std::size_t bytes_of(std::size_t size_class) {
  if (size_class < kSteps) return (size_class + 1) * kLine;
  const std::size_t shift = size_class / kSteps - 1;
  return ((size_class % kSteps + kSteps + 1) << shift) * kLine;
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
    const std::size_t size_class = class_of(bytes);
    const std::size_t largest = bytes > kMostSmall ? size_class + kNear : size_class;
    for (std::size_t c = size_class; c <= std::min(largest, kClasses - 1); ++c)
      if (void* data = take(c)) return data;
    const std::size_t size = bytes_of(size_class);
    use(size);
    // All that is held may not grow beyond half more than what the work needs. What waits is not
    // looked at alone: at the start of a step all that the step will need waits.
    if (stats.reserved + size > needed + needed / 2) trim(needed + needed / 4 - stats.in_use);
    const bool small = bytes <= kMostSmall;
    void* memory = std::aligned_alloc(kLine, small ? size : size + kLine);
    if (!memory) {
      stats.in_use -= size;
      throw std::bad_alloc();
    }
    ++stats.system_calls;
    stats.reserved += size;
    void* data = static_cast<std::byte*>(memory) + (small ? kHeader : kLine);
    header_of(data)->size_class = static_cast<std::uint32_t>(size_class);
    return data;
  }
  // A waiting block of the class, or null.
  void* take(std::size_t size_class) {
    Header* header = waiting[size_class];
    if (!header) return nullptr;
    waiting[size_class] = header->next;
    use(bytes_of(size_class));
    return data_of(header);
  }
  void use(std::size_t size) {
    stats.in_use += size;
    stats.peak_in_use = std::max(stats.peak_in_use, stats.in_use);
    needed = std::max(needed, stats.in_use);
  }
  void release(Header* header) {
    const std::size_t size = bytes_of(header->size_class);
    if (stats.in_use < size) {  // it came from another thread
      stats.in_use += size;
      stats.reserved += size;
    }
    stats.in_use -= size;
    header->next = std::exchange(waiting[header->size_class], header);
    // Only on a thread that returns more than it takes.
    if (stats.reserved - stats.in_use > 2 * needed) trim(needed / 2);
  }
  // Frees waiting blocks, largest first, until at most `keep` bytes wait.
  void trim(std::size_t keep) {
    std::size_t bytes = 0;
    for (std::size_t c = 0; c < kClasses; ++c)
      for (Header* h = waiting[c]; h; h = h->next) bytes += bytes_of(c);
    for (std::size_t c = kClasses; c-- > 0 && bytes > keep;)
      while (waiting[c] && bytes > keep) {
        bytes -= bytes_of(c);
        stats.reserved -= bytes_of(c);
        std::free(first_byte(data_of(std::exchange(waiting[c], waiting[c]->next))));
      }
  }
};

Pool& local() {
  thread_local Pool pool;
  return pool;
}

}  // namespace

void* allocate(std::size_t bytes) { return local().allocate(bytes); }

void release(void* block) noexcept {
  if (!block) return;
  if (gone)
    std::free(first_byte(block));
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
