#include <reel/autodiff/gemm.hpp>
#include <reel/layers/init.hpp>
#include <xtensor-blas/xlinalg.hpp>

namespace reel::inline REEL_PRECISION {

Array uniform(const Shape& shape, double low, double high, Random& random) {
  Array array = empty_array(shape);
  for (real& x : array.storage()) x = static_cast<real>(random.uniform(low, high));
  return array;
}

Array normal(const Shape& shape, double deviation, Random& random) {
  Array array = empty_array(shape);
  for (real& x : array.storage()) x = static_cast<real>(deviation * random.normal());
  return array;
}

Array glorot(std::size_t out, std::size_t in, Random& random, std::size_t blocks) {
  const double bound = std::sqrt(6.0 / static_cast<double>(in + out));
  return uniform({blocks * out, in}, -bound, bound, random);
}

Array orthogonal(std::size_t n, Random& random, std::size_t blocks) {
  detail::single_thread_blas();
  Array stacked = empty_array({blocks * n, n});
  for (std::size_t block = 0; block < blocks; ++block) {
    xt::xarray<double> draw = xt::xarray<double>::from_shape({n, n});
    for (double& x : draw) x = random.normal();
    const auto [q, r] = xt::linalg::qr(draw);
    // Signs from R's diagonal make the draw uniform over orthogonal matrices (Mezzadri 2007).
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j)
        stacked(block * n + i, j) = static_cast<real>(r(j, j) < 0 ? -q(i, j) : q(i, j));
  }
  return stacked;
}

}  // namespace reel::inline REEL_PRECISION
