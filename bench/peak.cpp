#include "peak.hpp"

#include <reel/autodiff/gemm.hpp>

#include <chrono>

namespace bench {

double gflops_of_large_product() {
  constexpr std::size_t kSize = 1024;
  static reel::Array a = reel::full_array({kSize, kSize}, 1), b = a, c = a;
  const auto view = [](reel::Array& m) { return reel::View(m.data(), {kSize, kSize}); };
  const auto start = std::chrono::steady_clock::now();
  reel::detail::gemm(view(a), view(b), view(c), false);
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  return 2.0 * kSize * kSize * kSize / time.count() * 1e-9;
}

}  // namespace bench
