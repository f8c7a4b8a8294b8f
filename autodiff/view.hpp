// Strided windows on memory, and the plain loops over them.
#pragma once

#include <reel/autodiff/array.hpp>
#include <reel/autodiff/ref.hpp>

namespace reel::inline REEL_PRECISION {

namespace detail {
// A block of elements that several views may share: its own, behind the object, adopted, or lent.
struct Storage final : Counted {
  static Ref<Storage> of(std::size_t size);  // unset
  // Elements of somebody else, who keeps them for so long; they are not to be written to.
  static Ref<Storage> lent(const real* elements, std::size_t size);
  explicit Storage(Buffer&& contents)
      : data(contents.data()), size(contents.size()), adopted_(new Adopted(std::move(contents))) {}
  std::uint32_t frozen = 0;  // deferred products that still read it (see deferred.hpp), and kLent
  static constexpr std::uint32_t kLent = std::uint32_t{1} << 31;
  real* data;
  std::size_t size;

 private:
  struct Adopted final : Counted {
    explicit Adopted(Buffer&& contents) : buffer(std::move(contents)) {}
    Buffer buffer;
  };
  Storage(real* elements, std::size_t count) : data(elements), size(count) {}
  Ref<Adopted> adopted_;
};
}  // namespace detail

// Elements at data + sum_i index_i * strides_i. Owns nothing.
struct View {
  real* data = nullptr;
  Shape shape;
  Strides strides;

  View() = default;
  View(real* first, const Shape& extents)
      : data(first), shape(extents), strides(row_major_strides(extents)) {}
  View(real* first, const Shape& extents, const Strides& steps)
      : data(first), shape(extents), strides(steps) {}

  std::size_t size() const { return element_count(shape); }
  bool is_dense() const;  // row-major without gaps

  // Windows, checked by the caller.
  View narrow(std::size_t axis, std::size_t begin, std::size_t extent, std::size_t step = 1) const {
    View window = *this;
    if (extent > 0) window.data += strides[axis] * static_cast<std::ptrdiff_t>(begin);
    window.shape[axis] = extent;
    window.strides[axis] *= static_cast<std::ptrdiff_t>(step);
    return window;
  }
  View permuted(const ShortList<std::size_t>& axes) const;
  View expanded(const Shape& to) const;  // broadcast: extents of 1 and missing axes get stride 0
};

namespace detail {

// A view and the storage that keeps it alive; no storage: borrowed memory.
struct Value {
  View view;
  Ref<Storage> storage;
};
Value allocate(const Shape& shape);  // dense, unset
Value adopt(Array&& array);
Value dense_copy(const View& view);
Value dense(const Value& x);  // itself, or a copy

// Broadcasting as in NumPy; throws ShapeError naming `op`.
Shape broadcast_shapes(const char* op, const Shape& a, const Shape& b);

void copy(const View& from, const View& to);  // to = from
void add(const View& from, const View& to);   // to += from
void fill(const View& to, real value);

}  // namespace detail
}  // namespace reel::inline REEL_PRECISION
