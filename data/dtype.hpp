// Element types of stored arrays. For sources only.
#pragma once

#include <reel/autodiff/real.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

namespace reel::inline REEL_PRECISION {

static_assert(std::endian::native == std::endian::little, "stored arrays are little-endian");

struct Bfloat16 {
  std::uint16_t bits;
  operator float() const { return std::bit_cast<float>(std::uint32_t{bits} << 16); }
};

struct Float16 {
  std::uint16_t bits;
  operator float() const {
    const int exponent = bits >> 10 & 31;
    const std::uint32_t fraction = bits & 1023u;
    const float magnitude =
        exponent == 31  ? std::bit_cast<float>(0x7f800000u | fraction << 13)  // infinity or NaN
        : exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                        : std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
    return bits >> 15 ? -magnitude : magnitude;
  }
};

// Converts elements stored as T; `bytes` holds as many as `to`.
template <class T>
void read_elements(std::string_view bytes, std::span<real> to) {
  for (std::size_t i = 0; i < to.size(); ++i) {
    T element;
    std::memcpy(&element, bytes.data() + i * sizeof(T), sizeof(T));
    to[i] = static_cast<real>(element);
  }
}

struct Dtype {
  std::string_view name;
  std::size_t bytes;
  void (*read)(std::string_view bytes, std::span<real> to);
};
inline constexpr Dtype kDtypes[] = {{"F64", sizeof(double), read_elements<double>},
                                    {"F32", sizeof(float), read_elements<float>},
                                    {"F16", sizeof(Float16), read_elements<Float16>},
                                    {"BF16", sizeof(Bfloat16), read_elements<Bfloat16>}};
inline constexpr std::string_view kRealDtype = std::is_same_v<real, double> ? "F64" : "F32";

}  // namespace reel::inline REEL_PRECISION
