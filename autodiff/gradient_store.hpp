// Gradients of parameters: in the parameters, or apart from them.
#pragma once

#include <reel/autodiff/view.hpp>

#include <unordered_map>
#include <vector>

namespace reel::inline REEL_PRECISION {

class Parameter;

// dLoss/dvalue of a parameter. Of a table [n, ..] that was only looked up in, it knows which rows
// were reached, so that clearing, adding and measuring it cost what was reached, not what there is.
class Gradient {
 public:
  bool exists() const { return exists_; }
  void clear() { exists_ = false; }

  // While it exists, every element is valid: zero where nothing was added.
  const Array& array() const { return array_; }
  // For writing anywhere; from now on all rows count as reached. Unless it exists, the elements
  // are unset and the caller sets them all.
  Array& whole(const Shape& shape);
  // The same, and it exists from now on; returns whether it did before.
  bool claim_whole(const Shape& shape);

  // Row indices[r] += row r of `rows`, which is dense; a negative index is none.
  void add_rows(const Shape& shape, const View& rows, const Indices& indices);
  // Makes room to add `other`: the rows that it reached, or the whole. Returns whether the gradient
  // exists, be it with zeros, so that the elements can be added; else they are to be assigned.
  bool claim_like(const Shape& shape, const Gradient& other);
  // Is it known that all rows but some were not reached, and are zero?
  bool is_sparse() const { return sparse_; }
  const std::vector<std::size_t>& reached_rows() const { return rows_; }  // if it is sparse

  real* data() { return array_.data(); }
  std::size_t size() const { return array_.size(); }
  std::size_t width() const { return marks_.empty() ? 0 : size() / marks_.size(); }  // of a row

  // act(elements, count) for each run of elements that may differ from zero.
  template <class Act>
  void for_each_run(Act&& act) {
    if (!exists_) return;
    if (!sparse_) return act(data(), size());
    for (std::size_t row : rows_) act(data() + row * width(), width());
  }

 private:
  void begin_rows(const Shape& shape);
  void forget_rows();
  void mark(std::size_t row) {
    if (std::exchange(marks_[row], 1)) return;
    rows_.push_back(row);
  }

  Array array_;
  bool exists_ = false;
  bool sparse_ = false;               // outside of rows_, array_ is zero, even if nothing exists
  std::vector<std::size_t> rows_;     // reached, in order of reaching
  std::vector<unsigned char> marks_;  // of each row: is it in rows_?
};

// Gradients kept apart from their parameters: threads that have a store each can run backward over
// the same parameters at once. Keeps its memory for the next time.
class GradientStore {
 public:
  Gradient& of(const Parameter& parameter) { return gradients_[&parameter]; }
  void clear() {
    for (auto& [parameter, gradient] : gradients_) gradient.clear();
  }
  // Pairs of const Parameter* and Gradient, of all parameters met so far.
  auto begin() { return gradients_.begin(); }
  auto end() { return gradients_.end(); }

  static GradientStore* current();  // of this thread; null: gradients lie in the parameters

 private:
  std::unordered_map<const Parameter*, Gradient> gradients_;
};

// While it lives, Tape::backward on this thread adds to the gradients in the store, not to those
// in the parameters.
class RedirectGradients {
 public:
  explicit RedirectGradients(GradientStore& to);
  ~RedirectGradients();
  RedirectGradients(const RedirectGradients&) = delete;
  RedirectGradients& operator=(const RedirectGradients&) = delete;

 private:
  GradientStore* outer_;
};

}  // namespace reel::inline REEL_PRECISION
