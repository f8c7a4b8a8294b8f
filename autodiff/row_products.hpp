// Products of rows with one vector for each batch element, as attention needs them.
#pragma once

#include <reel/autodiff/var.hpp>

namespace reel::inline REEL_PRECISION {

// y_bt = sum_f a_btf x_bf: a [B, T, F], x [B, F] -> [B, T].
Var row_dots(const Var& a, const Var& x);
// y_bf = sum_t w_bt a_btf: w [B, T], a [B, T, F] -> [B, F].
Var row_mix(const Var& w, const Var& a);

}  // namespace reel::inline REEL_PRECISION
