// Shapes: extents of an array, up to eight axes.
#pragma once

#include <fmt/core.h>
#include <reel/autodiff/pool.hpp>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <span>

namespace reel {

// Throw ShapeError.
[[noreturn]] void refuse_ninth_axis();
[[noreturn]] void refuse_size(std::size_t axes);

// A short list of numbers: up to three held in place, up to eight in the pool.
template <class T>
class ShortList {
 public:
  static constexpr std::size_t kCapacity = 8;
  using value_type = T;

  ShortList() = default;
  ShortList(std::initializer_list<T> values) : ShortList(values.begin(), values.end()) {}
  template <std::input_iterator Iterator>
  ShortList(Iterator first, Iterator last) {
    for (; first != last; ++first) push_back(static_cast<T>(*first));
  }
  explicit ShortList(std::size_t size, T value = {}) {
    for (std::size_t i = 0; i < size; ++i) push_back(value);
  }
  ShortList(const ShortList& other) : size_(other.size_), values_(other.values_) {
    if (far()) clone();
  }
  ShortList(ShortList&& other) noexcept : size_(other.size_), values_(other.values_) {
    other.size_ = 0;
  }
  ShortList& operator=(const ShortList& other) {
    if (far() || other.far()) return *this = ShortList(other);
    size_ = other.size_;
    values_ = other.values_;
    return *this;
  }
  ShortList& operator=(ShortList&& other) noexcept {
    if (far() || other.far()) {
      std::swap(size_, other.size_);
      std::swap(values_, other.values_);
    } else {
      size_ = other.size_;
      values_ = other.values_;
    }
    return *this;
  }
  ~ShortList() {
    if (far()) pool::release(values_.far);
  }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](std::size_t i) { return begin()[i]; }
  const T& operator[](std::size_t i) const { return begin()[i]; }
  T* begin() { return far() ? values_.far : values_.near.data(); }
  T* end() { return begin() + size_; }
  const T* begin() const { return far() ? values_.far : values_.near.data(); }
  const T* end() const { return begin() + size_; }
  T& back() { return begin()[size_ - 1]; }
  const T& back() const { return begin()[size_ - 1]; }
  void push_back(T value) {
    if (size_ == kCapacity) [[unlikely]]
      refuse_ninth_axis();
    if (size_ == kNear) {
      T* block = allocate();
      std::copy_n(values_.near.data(), kNear, block);
      values_.far = block;
    }
    ++size_;
    back() = value;
  }
  void pop_back() {
    if (--size_ != kNear) return;
    T* block = values_.far;
    std::copy_n(block, kNear, values_.near.data());
    pool::release(block);
  }
  void insert(std::size_t at, T value) {
    push_back(value);
    std::rotate(begin() + at, end() - 1, end());
  }
  void erase(std::size_t at) {
    std::rotate(begin() + at, begin() + at + 1, end());
    pop_back();
  }
  bool operator==(const ShortList& other) const {
    if (size_ != other.size_) return false;
    const T *a = begin(), *b = other.begin();
    for (std::size_t i = 0; i < size_; ++i)
      if (a[i] != b[i]) return false;
    return true;
  }

 private:
  static constexpr std::size_t kNear = 3;
  bool far() const { return size_ > kNear; }
  static T* allocate() { return static_cast<T*>(pool::allocate(kCapacity * sizeof(T))); }
  void clone() {
    T* block = allocate();
    std::copy_n(values_.far, size_, block);
    values_.far = block;
  }

  std::size_t size_ = 0;
  union {
    std::array<T, kNear> near;  // unset beyond size_
    T* far;
  } values_;
};

using Shape = ShortList<std::size_t>;
using Strides = ShortList<std::ptrdiff_t>;  // in elements

// Number of elements: the product of the extents; 1 for no axes. Throws ShapeError if they cannot
// be counted.
inline std::size_t element_count(const Shape& shape) {
  std::size_t count = 1;
  for (std::size_t extent : shape)
    if (__builtin_mul_overflow(count, extent, &count)) [[unlikely]]
      refuse_size(shape.size());
  return count;
}

// Strides of a dense row-major array.
inline Strides row_major_strides(const Shape& shape) {
  Strides strides(shape.size());
  std::ptrdiff_t stride = 1;
  for (std::size_t i = shape.size(); i-- > 0; stride *= static_cast<std::ptrdiff_t>(shape[i]))
    strides[i] = stride;
  return strides;
}

}  // namespace reel

// Prints as [2, 3].
template <class T>
struct fmt::formatter<reel::ShortList<T>> {
  constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }
  template <class Context>
  auto format(const reel::ShortList<T>& list, Context& context) const {
    auto out = fmt::format_to(context.out(), "[");
    for (std::size_t i = 0; i < list.size(); ++i)
      out = fmt::format_to(out, "{}{}", i == 0 ? "" : ", ", list[i]);
    return fmt::format_to(out, "]");
  }
};
