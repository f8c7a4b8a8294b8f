// What the tests of losses over label sequences share.
#pragma once

#include <reel/data/safetensors.hpp>
#include <reel/layers/init.hpp>
#include <reel/optim/weights.hpp>

#include <cstring>
#include <limits>

#include "../data/temp_folder.hpp"

namespace reel::inline REEL_PRECISION::structured_tests {

using reel::test::error_of;

constexpr real kNan = std::numeric_limits<real>::quiet_NaN();
// Sums of some dozens of logarithms.
constexpr double kTolerance = 128 * std::numeric_limits<real>::epsilon();

using Sequence = std::vector<std::int64_t>;

// All sequences of symbols 0 .. symbols - 1 of this length.
inline std::vector<Sequence> all_sequences(std::size_t symbols, std::size_t length) {
  std::vector<Sequence> all{{}};
  for (std::size_t t = 0; t < length; ++t) {
    std::vector<Sequence> longer;
    for (const Sequence& s : all)
      for (std::size_t k = 0; k < symbols; ++k) {
        longer.push_back(s);
        longer.back().push_back(static_cast<std::int64_t>(k));
      }
    all = std::move(longer);
  }
  return all;
}

inline NamedArrays load_golden(const std::string& name) {
  return load_safetensors(fmt::format("{}/tests/goldens/{}.safetensors", REEL_SOURCE_DIR, name))
      .arrays;
}
inline std::vector<std::size_t> sizes(const Array& numbers) {
  return {numbers.begin(), numbers.end()};
}
// Of rows padded by -1.
inline std::vector<Sequence> sequences(const Array& padded) {
  std::vector<Sequence> rows(padded.shape()[0]);
  for (std::size_t r = 0; r < rows.size(); ++r)
    for (std::size_t i = 0; i < padded.shape()[1] && padded(r, i) >= 0; ++i)
      rows[r].push_back(static_cast<std::int64_t>(padded(r, i)));
  return rows;
}

inline bool same_bits(const Array& a, const Array& b) {
  return shape_of(a) == shape_of(b) &&
         std::memcmp(a.data(), b.data(), a.size() * sizeof(real)) == 0;
}
// Of each element, relative to its size if that is above one.
inline void expect_near(const Array& actual, const Array& expected, double tolerance) {
  ASSERT_EQ(shape_of(actual), shape_of(expected));
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double e = expected.data()[i];
    EXPECT_NEAR(actual.data()[i], e, tolerance * std::max(1.0, std::abs(e))) << i;
  }
}

}  // namespace reel::inline REEL_PRECISION::structured_tests
