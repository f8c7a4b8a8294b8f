// The scalar type: float in target reel::reel, double in target reel::reel64.
#pragma once

#ifdef REEL_DOUBLE
#define REEL_PRECISION f64
#else
#define REEL_PRECISION f32
#endif

// The inline namespace keeps the symbols of the two builds apart.
namespace reel::inline REEL_PRECISION {

#ifdef REEL_DOUBLE
using real = double;
#else
using real = float;
#endif

}  // namespace reel::inline REEL_PRECISION
