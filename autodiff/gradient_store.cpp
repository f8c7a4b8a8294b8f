#include <reel/autodiff/gradient_store.hpp>

namespace reel::inline REEL_PRECISION {

namespace {
thread_local GradientStore* current_store = nullptr;
}

GradientStore* GradientStore::current() { return current_store; }
RedirectGradients::RedirectGradients(GradientStore& to)
    : outer_(std::exchange(current_store, &to)) {}
RedirectGradients::~RedirectGradients() { current_store = outer_; }

Array& Gradient::whole(const Shape& shape) {
  forget_rows();
  sparse_ = false;
  if (!(shape_of(array_) == shape)) {
    array_ = empty_array(shape);
    exists_ = false;
  }
  return array_;
}

bool Gradient::claim_whole(const Shape& shape) {
  whole(shape);
  return std::exchange(exists_, true);
}

void Gradient::forget_rows() {
  for (std::size_t row : rows_) marks_[row] = 0;
  rows_.clear();
}

// From nothing to zeros: what was reached before is zeroed, or all if that is not known.
void Gradient::begin_rows(const Shape& shape) {
  if (sparse_ && shape_of(array_) == shape) {
    exists_ = true;
    for_each_run([](real* run, std::size_t count) { std::fill_n(run, count, real(0)); });
  } else {
    whole(shape);
    std::fill_n(array_.data(), array_.size(), real(0));
    marks_.assign(shape[0], 0);
  }
  forget_rows();
  exists_ = sparse_ = true;
}

bool Gradient::claim_like(const Shape& shape, const Gradient& other) {
  if (!other.sparse_) return claim_whole(shape);
  if (!exists_ || !(shape_of(array_) == shape)) begin_rows(shape);
  if (sparse_)
    for (std::size_t row : other.rows_) mark(row);
  return true;
}

void Gradient::add_rows(const Shape& shape, const View& rows, const Indices& indices) {
  if (!exists_ || !(shape_of(array_) == shape)) begin_rows(shape);
  const std::size_t width = indices.size() == 0 ? 0 : rows.size() / indices.size();
  for (std::size_t r = 0; r < indices.size(); ++r) {
    if (indices.data()[r] < 0) continue;
    const auto row = static_cast<std::size_t>(indices.data()[r]);
    if (sparse_) mark(row);
    const real* from = rows.data + r * width;
    real* to = array_.data() + row * width;
    for (std::size_t j = 0; j < width; ++j) to[j] += from[j];
  }
}

}  // namespace reel::inline REEL_PRECISION
