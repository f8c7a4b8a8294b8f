// Reference arithmetic for tests: dense tensors of double and plain loops.
#pragma once

#include <reel/autodiff/array.hpp>
#include <reel/autodiff/random.hpp>

#include <functional>
#include <vector>

namespace reel::testing {

using Index = std::vector<std::size_t>;

struct Tensor {
  Shape shape;
  std::vector<double> data;

  Tensor() = default;
  explicit Tensor(const Shape& s, double value = 0) : shape(s), data(element_count(s), value) {}

  std::size_t offset(const Index& index) const {
    std::size_t at = 0;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) at = at * shape[axis] + index[axis];
    return at;
  }
  double& operator[](const Index& index) { return data[offset(index)]; }
  double operator[](const Index& index) const { return data[offset(index)]; }
};

inline Tensor tensor_of(const Array& array) {
  Tensor tensor(shape_of(array));
  std::copy(array.storage().begin(), array.storage().end(), tensor.data.begin());
  return tensor;
}

inline void each_index(const Shape& shape, const std::function<void(const Index&)>& visit) {
  for (std::size_t i = 0, count = element_count(shape); i < count; ++i) {
    Index index(shape.size());
    for (std::size_t axis = shape.size(), rest = i; axis-- > 0; rest /= shape[axis])
      index[axis] = rest % shape[axis];
    visit(index);
  }
}

inline Tensor make_tensor(const Shape& shape, const std::function<double(const Index&)>& element) {
  Tensor tensor(shape);
  each_index(shape, [&](const Index& index) { tensor[index] = element(index); });
  return tensor;
}

// Where `index` of the broadcast result reads an operand of this shape.
inline Index broadcast_index(const Index& index, const Shape& shape) {
  Index at(index.end() - static_cast<std::ptrdiff_t>(shape.size()), index.end());
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    if (shape[axis] == 1) at[axis] = 0;
  return at;
}

inline Array random_array(const Shape& shape, Random& random, double low = -1, double high = 1) {
  Array array = empty_array(shape);
  for (real& x : array.storage()) x = static_cast<real>(random.uniform(low, high));
  return array;
}

}  // namespace reel::testing
