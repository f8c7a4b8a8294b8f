// The arrays of reel: xtensor containers whose memory comes from the pool.
// The one header that knows xtensor's paths.
#pragma once

#include <reel/autodiff/error.hpp>
#include <reel/autodiff/pool.hpp>
#include <reel/autodiff/real.hpp>
#include <reel/autodiff/shape.hpp>
#include <xtensor/xadapt.hpp>
#include <xtensor/xarray.hpp>

#include <cstdint>

namespace reel::inline REEL_PRECISION {

// Dense row-major array of `real`.
using Array = xt::xarray<real, xt::layout_type::row_major, PoolAllocator<real>>;
// Class and word indices.
using Indices = xt::xarray<std::int64_t, xt::layout_type::row_major, PoolAllocator<std::int64_t>>;
// The storage inside an Array.
using Buffer = Array::storage_type;

template <class Container>
Shape shape_of(const Container& array) {
  return Shape(array.shape().begin(), array.shape().end());
}

// A new array with unset elements.
inline Array empty_array(const Shape& shape) {
  element_count(shape);  // which xtensor does not check
  return Array(Array::shape_type(shape.begin(), shape.end()));
}
inline Array full_array(const Shape& shape, real value) {
  element_count(shape);
  return Array(Array::shape_type(shape.begin(), shape.end()), value);
}

}  // namespace reel::inline REEL_PRECISION
