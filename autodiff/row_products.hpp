// What attention computes for each batch element. Sums over T are in the order of t, so that what
// is 0 at the end of a row changes no bit.
#pragma once

#include <reel/autodiff/var.hpp>

namespace reel::inline REEL_PRECISION {

// y_bt = sum_f a_btf x_bf: a [B, T, F], x [B, F] -> [B, T].
Var row_dots(const Var& a, const Var& x);
// y_bf = sum_t w_bt a_btf: w [B, T], a [B, T, F] -> [B, F].
Var row_mix(const Var& w, const Var& a);
// y_bt = e^x_bt / sum of those at which inside_bt is not 0, and 0 at the others: x, inside [B, T].
// No gradient flows to inside.
Var row_softmax(const Var& x, const Var& inside);

}  // namespace reel::inline REEL_PRECISION
