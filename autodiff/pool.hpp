// A thread's recycled memory: what reel allocates in a step, the next step gets back.
#pragma once

#include <reel/autodiff/regions.hpp>

#include <cstddef>
#include <new>
#include <utility>
#include <vector>

namespace reel {

struct PoolStats {
  std::size_t in_use = 0;       // bytes handed out and not yet returned on this thread
  std::size_t peak_in_use = 0;  // most bytes in use since the last reset_peak
  std::size_t reserved = 0;     // bytes of all blocks, in use or waiting
  std::size_t blocks_made = 0;  // because none that waited would do
};

// Memory of this thread. A block may be returned on another thread: it then serves that one.
namespace pool {
constexpr std::size_t kHeader = 16;                 // what lies before a small block
constexpr std::size_t kMostSmall = 1024 - kHeader;  // bytes of a small block
// A small block begins kHeader bytes behind a line's start, a larger one at a line's start. Throws
// std::bad_alloc.
void* allocate(std::size_t bytes);
inline void* allocate_lines(std::size_t bytes) {  // from a line's start, however few
  return allocate(bytes > kMostSmall ? bytes : kMostSmall + 1);
}
void release(void* block) noexcept;
PoolStats stats();
void reset_peak();
void trim();  // gives waiting blocks back, see regions.hpp
}  // namespace pool

// Puts xtensor's and the standard containers' memory into the pool.
template <class T>
struct PoolAllocator {
  using value_type = T;
  using size_type = std::size_t;
  using difference_type = std::ptrdiff_t;
  using pointer = T*;
  using const_pointer = const T*;
  using reference = T&;
  using const_reference = const T&;
  template <class U>
  struct rebind {
    using other = PoolAllocator<U>;
  };

  PoolAllocator() = default;
  template <class U>
  PoolAllocator(const PoolAllocator<U>&) {}
  T* allocate(std::size_t n, const void* = nullptr) {
    const std::size_t bytes = n * sizeof(T);
    return static_cast<T*>(pool::allocate(bytes / sizeof(T) == n ? bytes : ~std::size_t{0}));
  }
  void deallocate(T* p, std::size_t) noexcept { pool::release(p); }
  template <class U, class... Args>
  void construct(U* p, Args&&... args) {
    ::new (static_cast<void*>(p)) U(std::forward<Args>(args)...);
  }
  template <class U>
  void destroy(U* p) {
    p->~U();
  }
  std::size_t max_size() const { return static_cast<std::size_t>(-1) / sizeof(T); }
  friend bool operator==(const PoolAllocator&, const PoolAllocator&) { return true; }
  friend bool operator!=(const PoolAllocator&, const PoolAllocator&) { return false; }
};

template <class T>
using PooledVector = std::vector<T, PoolAllocator<T>>;

}  // namespace reel
