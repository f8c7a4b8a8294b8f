// Simd: as many reals as one register holds, with the functions that cells use.
#pragma once

#include <reel/autodiff/real.hpp>
#include <xsimd/xsimd.hpp>

#include <cmath>
#include <concepts>

namespace reel::inline REEL_PRECISION {

// The value type inside a pointwise function's forward pass. Arithmetic, comparisons and
// functions act on every lane alone.
struct Simd {
  using Batch = xsimd::batch<real>;
  using Mask = Batch::batch_bool_type;
  static constexpr std::size_t kLanes = Batch::size;

  Batch lanes;

  Simd() : lanes(real(0)) {}
  Simd(Batch batch) : lanes(batch) {}
  template <class T>
  requires std::is_arithmetic_v<T> Simd(T x) : lanes(static_cast<real>(x)) {}

  static Simd load(const real* from) { return Batch::load_unaligned(from); }
  void store(real* to) const { lanes.store_unaligned(to); }
  // The first n lanes, n <= kLanes; load_some sets the others to 0.
  static Simd load_some(const real* from, std::size_t n);
  void store_some(real* to, std::size_t n) const;

  friend Simd operator+(Simd a, Simd b) { return a.lanes + b.lanes; }
  friend Simd operator-(Simd a, Simd b) { return a.lanes - b.lanes; }
  friend Simd operator*(Simd a, Simd b) { return a.lanes * b.lanes; }
  friend Simd operator/(Simd a, Simd b) { return a.lanes / b.lanes; }
  friend Simd operator-(Simd a) { return -a.lanes; }
  friend Mask operator<(Simd a, Simd b) { return a.lanes < b.lanes; }
  friend Mask operator<=(Simd a, Simd b) { return a.lanes <= b.lanes; }
  friend Mask operator>(Simd a, Simd b) { return a.lanes > b.lanes; }
  friend Mask operator>=(Simd a, Simd b) { return a.lanes >= b.lanes; }
  friend Mask operator==(Simd a, Simd b) { return a.lanes == b.lanes; }
};

#if XSIMD_WITH_AVX512F
namespace detail {
inline __m512 load_lanes(const float* from, unsigned mask) {
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask), from);
}
inline __m512d load_lanes(const double* from, unsigned mask) {
  return _mm512_maskz_loadu_pd(static_cast<__mmask8>(mask), from);
}
inline void store_lanes(float* to, unsigned mask, __m512 lanes) {
  _mm512_mask_storeu_ps(to, static_cast<__mmask16>(mask), lanes);
}
inline void store_lanes(double* to, unsigned mask, __m512d lanes) {
  _mm512_mask_storeu_pd(to, static_cast<__mmask8>(mask), lanes);
}
}  // namespace detail
inline Simd Simd::load_some(const real* from, std::size_t n) {
  return Batch(detail::load_lanes(from, (1u << n) - 1));
}
inline void Simd::store_some(real* to, std::size_t n) const {
  detail::store_lanes(to, (1u << n) - 1, lanes);
}
#else
#if XSIMD_WITH_AVX
namespace detail {
// Words at [8 - n, 16 - n): the mask of the first n.
alignas(64) inline constexpr std::int32_t kFirst[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
inline __m256i first_words(std::size_t n) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kFirst + 8 - n));
}
inline __m256 load_lanes(const float* from, std::size_t n) {
  return _mm256_maskload_ps(from, first_words(n));
}
inline __m256d load_lanes(const double* from, std::size_t n) {
  return _mm256_maskload_pd(from, first_words(2 * n));
}
}  // namespace detail
inline Simd Simd::load_some(const real* from, std::size_t n) {
  return Batch(detail::load_lanes(from, n));
}
#else
inline Simd Simd::load_some(const real* from, std::size_t n) {
  alignas(64) real some[kLanes] = {};
  for (std::size_t i = 0; i < n; ++i) some[i] = from[i];
  return load(some);
}
#endif
// Element by element: some machines store by mask far more slowly than they load.
inline void Simd::store_some(real* to, std::size_t n) const {
  alignas(64) real some[kLanes];
  store(some);
  for (std::size_t i = 0; i < n; ++i) to[i] = some[i];
}
#endif

using Mask = Simd::Mask;

inline Simd where(Mask condition, Simd a, Simd b) {
  return xsimd::select(condition, a.lanes, b.lanes);
}

namespace detail {
// Lane by lane, for functions that xsimd lacks or computes too roughly.
template <class F>
Simd per_lane(F&& f, Simd x) {
  alignas(64) real lanes[Simd::kLanes];
  x.store(lanes);
  for (real& lane : lanes) lane = f(lane);
  return Simd::load(lanes);
}
template <class F>
Simd per_lane(F&& f, Simd x, Simd y) {
  alignas(64) real a[Simd::kLanes], b[Simd::kLanes];
  x.store(a);
  y.store(b);
  for (std::size_t i = 0; i < Simd::kLanes; ++i) a[i] = f(a[i], b[i]);
  return Simd::load(a);
}
}  // namespace detail

}  // namespace reel::inline REEL_PRECISION
