// A program outside the tree, built against reel as its users have it.
#include <fmt/core.h>

#include <numeric>
#include <reel/reel.hpp>

int main() {
  const reel::Array ones = reel::full_array({2, 3}, 1);
  const reel::real sum = std::accumulate(ones.begin(), ones.end(), reel::real{0});
  fmt::print("{} bytes a number, sum {}\n", sizeof(reel::real), sum);
  return sum == 6 ? 0 : 1;
}
