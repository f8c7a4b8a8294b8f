// Shapes: extents of an array, held inline, up to eight axes.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <span>
#include <stdexcept>

namespace reel {

// A short list of numbers held in place; shapes and strides never allocate.
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

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](std::size_t i) { return values_[i]; }
  const T& operator[](std::size_t i) const { return values_[i]; }
  T* begin() { return values_.data(); }
  T* end() { return values_.data() + size_; }
  const T* begin() const { return values_.data(); }
  const T* end() const { return values_.data() + size_; }
  T& back() { return values_[size_ - 1]; }
  const T& back() const { return values_[size_ - 1]; }
  void push_back(T value) {
    if (size_ == kCapacity) throw std::length_error("shape: at most 8 axes");
    values_[size_++] = value;
  }
  void pop_back() { --size_; }
  void insert(std::size_t at, T value) {
    push_back(value);
    std::rotate(begin() + at, end() - 1, end());
  }
  void erase(std::size_t at) {
    std::rotate(begin() + at, begin() + at + 1, end());
    pop_back();
  }
  bool operator==(const ShortList& other) const {
    return std::equal(begin(), end(), other.begin(), other.end());
  }

 private:
  std::size_t size_ = 0;
  std::array<T, kCapacity> values_;  // unset beyond size_
};

using Shape = ShortList<std::size_t>;
using Strides = ShortList<std::ptrdiff_t>;  // in elements

// Number of elements: the product of the extents; 1 for no axes.
inline std::size_t element_count(const Shape& shape) {
  std::size_t count = 1;
  for (std::size_t extent : shape) count *= extent;
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
