// A trained array and its gradient.
#pragma once

#include <reel/autodiff/gradient_store.hpp>

#include <string>

namespace reel::inline REEL_PRECISION {

// Lives in a layer as a named field. A Var made from one refers to it, so while a tape is open the
// layers it has seen must neither end nor move. Gradients add up over calls of Tape::backward
// until zero_grad. Threads may share one for reading its value; for backward each of them then
// needs a GradientStore.
class Parameter {
 public:
  Parameter() = default;
  explicit Parameter(Array value) : value_(std::move(value)) {}

  const Array& value() const { return value_; }
  Shape shape() const { return shape_of(value_); }
  std::size_t size() const { return value_.size(); }
  // For changing it, once: what is replayed (streams, some calls of layers) sees no later write by
  // this reference. A tape that has recorded the old value then refuses to run backward.
  Array& mutable_value() {
    version_ = Version();
    return value_;
  }

  // dLoss/dvalue, shaped as value; zeros before the first backward.
  const Array& grad() const;
  Array& mutable_grad() const;  // the same; from then on there is one
  bool has_grad() const { return gradient_.exists(); }
  void zero_grad() const { gradient_.clear(); }
  Gradient& gradient() const { return gradient_; }

  bool trainable = true;     // false: no gradient is computed, optimisers leave it alone
  bool merged_bias = false;  // stands for the sum of PyTorch's bias_ih and bias_hh
  std::string name;          // dotted path within the model (see module.hpp)

 private:
  friend class Var;
  friend struct ParameterLeaf;
  Array value_;
  mutable Gradient gradient_;  // no part of a layer's logical state
  // A number that no other value of any parameter has: a copy, and each change, gets a new one.
  struct Version {
    Version() : number(next()) {}
    Version(const Version&) : Version() {}
    Version& operator=(const Version&) {
      number = next();
      return *this;
    }
    static std::uint64_t next();
    std::uint64_t number;
  };
  Version version_;
};

}  // namespace reel::inline REEL_PRECISION
