// Walking several strided views of one shape in step.
#pragma once

#include <reel/autodiff/view.hpp>

#include <span>

namespace reel::inline REEL_PRECISION::detail {

// Views that are elsewhere, as a list.
template <std::size_t N>
class ViewList {
 public:
  template <class... V>
  explicit ViewList(const V&... views) : views_{&views...} {}
  const View& operator[](std::size_t i) const { return *views_[i]; }
  std::size_t size() const { return N; }

 private:
  std::array<const View*, N> views_;
};
template <class... V>
ViewList(const V&...) -> ViewList<sizeof...(V)>;

// The axes of several equally shaped views, after dropping extents of 1 and merging axes that
// are adjacent in every view. Axis order is kept, so the innermost run is as long as can be.
template <class Views>
class Runs {
 public:
  explicit Runs(const Views& views) : count_(std::size(views)) {
    const Shape& shape = views[0].shape;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      if (shape[axis] == 1) continue;
      if (extents_.empty() || !mergeable(views, axis)) {
        extents_.push_back(shape[axis]);
        last_.push_back(axis);
      } else {
        extents_.back() *= shape[axis];
        last_.back() = axis;
      }
    }
    if (extents_.empty()) extents_.push_back(1);
  }

  std::size_t run() const { return extents_.back(); }  // elements in the innermost run
  std::ptrdiff_t stride(const auto& view, std::size_t axis) const {
    return last_.empty() ? 1 : view.strides[last_[axis]];
  }
  std::ptrdiff_t run_stride(const auto& view) const {
    return run() == 1 ? 1 : stride(view, extents_.size() - 1);
  }

  // Calls row(pointers) at the start of each run; pointers[i] belongs to views[i].
  template <class T, std::size_t Max, class Row>
  void for_each(const Views& views, std::array<T*, Max>& pointers, Row&& row) const {
    for (std::size_t extent : extents_)
      if (extent == 0) return;
    for (std::size_t i = 0; i < count_; ++i) pointers[i] = views[i].data;
    std::array<std::size_t, Shape::kCapacity> index{};
    const std::size_t outer = extents_.size() - 1;
    for (;;) {
      row(pointers);
      std::size_t axis = outer;
      for (;;) {
        if (axis == 0) return;
        --axis;
        if (++index[axis] < extents_[axis]) {
          for (std::size_t i = 0; i < count_; ++i) pointers[i] += stride(views[i], axis);
          break;
        }
        index[axis] = 0;
        for (std::size_t i = 0; i < count_; ++i)
          pointers[i] -= stride(views[i], axis) * static_cast<std::ptrdiff_t>(extents_[axis] - 1);
      }
    }
  }

 private:
  bool mergeable(const Views& views, std::size_t axis) const {
    for (std::size_t i = 0; i < count_; ++i)
      if (views[i].strides[last_.back()] !=
          views[i].strides[axis] * static_cast<std::ptrdiff_t>(views[i].shape[axis]))
        return false;
    return true;
  }

  std::size_t count_;
  Shape extents_;
  Shape last_;  // innermost original axis of each merged one
};

}  // namespace reel::inline REEL_PRECISION::detail
