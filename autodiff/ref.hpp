// Counted references without atomics: what a tape holds belongs to one thread.
#pragma once

#include <reel/autodiff/pool.hpp>
#include <reel/autodiff/real.hpp>

#include <concepts>
#include <cstdint>
#include <utility>

namespace reel::inline REEL_PRECISION::detail {

// Base of what a Ref can hold. Lives in the pool.
struct Counted {
  std::uint32_t refs = 0;

  Counted() = default;
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  virtual ~Counted() = default;
  static void* operator new(std::size_t bytes) { return pool::allocate(bytes); }
  static void operator delete(void* memory) { pool::release(memory); }
};

template <class T>
class Ref {
 public:
  Ref() = default;
  explicit Ref(T* object) : object_(object) {
    if (object_) ++object_->refs;
  }
  Ref(const Ref& other) : Ref(other.object_) {}
  template <std::derived_from<T> Derived>
  requires(!std::same_as<Derived, T>) Ref(Ref<Derived> other)
      : object_(std::exchange(other.object_, nullptr)) {}
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() {
    if (object_ && --object_->refs == 0) destroy(object_);
  }
  T* get() const { return object_; }
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  template <class>
  friend class Ref;
  // Not inlined: handles go everywhere, and what they point at has handles in turn.
  [[gnu::noinline]] static void destroy(T* object) { delete object; }
  T* object_ = nullptr;
};

}  // namespace reel::inline REEL_PRECISION::detail
