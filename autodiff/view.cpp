#include <reel/autodiff/recorder.hpp>
#include <reel/autodiff/runs.hpp>
#include <reel/autodiff/view.hpp>

#include <cstring>
#include <limits>
#include <new>

namespace reel::inline REEL_PRECISION {

bool View::is_dense() const {
  std::ptrdiff_t stride = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    if (shape[i] == 0) return true;
    if (shape[i] != 1 && strides[i] != stride) return false;
    stride *= static_cast<std::ptrdiff_t>(shape[i]);
  }
  return true;
}

View View::permuted(const ShortList<std::size_t>& axes) const {
  View window = *this;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    window.shape[i] = shape[axes[i]];
    window.strides[i] = strides[axes[i]];
  }
  return window;
}

View View::expanded(const Shape& to) const {
  View window(data, to, Strides(to.size()));
  const std::size_t extra = to.size() - shape.size();
  for (std::size_t i = 0; i < shape.size(); ++i)
    window.strides[extra + i] = shape[i] == 1 ? 0 : strides[i];
  return window;
}

namespace detail {

Ref<Storage> Storage::of(std::size_t size) {
  // The elements begin at a line's start.
  constexpr std::size_t head = pool::kLine - pool::kHeader;
  static_assert(sizeof(Storage) <= head);
  if (size > std::numeric_limits<std::size_t>::max() / 2 / sizeof(real)) throw std::bad_alloc();
  const std::size_t bytes = head + size * sizeof(real);
  const bool small = bytes <= pool::kMostSmall;
  void* block = Counted::operator new(small ? bytes : bytes + pool::kHeader);
  auto* elements = static_cast<std::byte*>(block) + (small ? head : pool::kLine);
  Ref<Storage> storage(::new (block) Storage(reinterpret_cast<real*>(elements), size));
  if (Recorder* recorder = Recorder::current()) [[unlikely]]
    recorder->own(storage);
  return storage;
}

Ref<Storage> Storage::lent(const real* elements, std::size_t size) {
  Ref<Storage> storage(new Storage(const_cast<real*>(elements), size));
  storage->frozen = kLent;
  return storage;
}

Value allocate(const Shape& shape) {
  Ref<Storage> storage = Storage::of(element_count(shape));
  return {View(storage->data, shape), std::move(storage)};
}

Value adopt(Array&& array) {
  const Shape shape = shape_of(array);
  Ref<Storage> storage(new Storage(std::move(array.storage())));
  return {View(storage->data, shape), std::move(storage)};
}

Value dense_copy(const View& view) {
  Value dense = allocate(view.shape);
  copy(view, dense.view);
  return dense;
}
Value dense(const Value& x) { return x.view.is_dense() ? x : dense_copy(x.view); }

Shape broadcast_shapes(const char* op, const Shape& a, const Shape& b) {
  Shape shape = a.size() >= b.size() ? a : b;
  const Shape& other = a.size() >= b.size() ? b : a;
  const std::size_t extra = shape.size() - other.size();
  for (std::size_t i = 0; i < other.size(); ++i) {
    std::size_t& extent = shape[extra + i];
    check(extent == other[i] || extent == 1 || other[i] == 1,
          "{}: extents must be equal or 1, counted from the last axis; got a {}, b {}", op, a, b);
    if (extent == 1) extent = other[i];
  }
  return shape;
}

void copy(const View& from, const View& to) {
  if (from.is_dense() && to.is_dense()) {
    const std::size_t bytes = to.size() * sizeof(real);
    if (bytes == 0) return;
    perform([bytes](const View& a, const View& b) { std::memcpy(b.data, a.data, bytes); },
            reads(from), writes(to));
    return;
  }
  const Runs runs(ViewList(from, to));
  const auto loop = [runs](const View& a, const View& b) {
    const auto n = static_cast<std::ptrdiff_t>(runs.run());
    const std::ptrdiff_t s = runs.run_stride(a), d = runs.run_stride(b);
    std::array<real*, 2> p;
    runs.for_each(ViewList(a, b), p, [&](const auto& at) {
      if (s == 1 && d == 1)
        std::memcpy(at[1], at[0], sizeof(real) * static_cast<std::size_t>(n));
      else
        for (std::ptrdiff_t i = 0; i < n; ++i) at[1][i * d] = at[0][i * s];
    });
  };
  perform(loop, reads(from), writes(to));
}

void add(const View& from, const View& to) {
  const Runs runs(ViewList(from, to));
  const auto loop = [runs](const View& a, const View& b) {
    const auto n = static_cast<std::ptrdiff_t>(runs.run());
    const std::ptrdiff_t s = runs.run_stride(a), d = runs.run_stride(b);
    std::array<real*, 2> p;
    runs.for_each(ViewList(a, b), p, [&](const auto& at) {
      if (s == 1 && d == 1)
        for (std::ptrdiff_t i = 0; i < n; ++i) at[1][i] += at[0][i];
      else
        for (std::ptrdiff_t i = 0; i < n; ++i) at[1][i * d] += at[0][i * s];
    });
  };
  perform(loop, reads(from), updates(to));
}

void fill(const View& to, real value) {
  const Runs runs{ViewList(to)};
  const auto loop = [runs, value](const View& a) {
    const auto n = static_cast<std::ptrdiff_t>(runs.run());
    const std::ptrdiff_t d = runs.run_stride(a);
    std::array<real*, 1> p;
    runs.for_each(ViewList(a), p, [&](const auto& at) {
      if (d == 1)
        std::fill_n(at[0], n, value);
      else
        for (std::ptrdiff_t i = 0; i < n; ++i) at[0][i * d] = value;
    });
  };
  perform(loop, writes(to));
}

}  // namespace detail
}  // namespace reel::inline REEL_PRECISION
