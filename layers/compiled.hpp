// The layers over a cell of the library are compiled once, in the library, and not again by each
// file that uses them.
#pragma once

#include <reel/layers/stack.hpp>

#ifdef REEL_COMPILE_LAYERS
#define REEL_LAYERS_OF(C) REEL_TEMPLATES_OF(, C)
#else
#define REEL_LAYERS_OF(C) REEL_TEMPLATES_OF(extern, C)
#endif

// NOLINTBEGIN(bugprone-macro-parentheses): neither argument is an expression.
#define REEL_TEMPLATES_OF(EXTERN, C)          \
  EXTERN template class detail::CellLoop<C>;  \
  EXTERN template struct Recurrent<C>;        \
  EXTERN template struct Bidirectional<C>;    \
  EXTERN template struct Stack<Recurrent<C>>; \
  EXTERN template struct Stack<Bidirectional<C>>
// NOLINTEND(bugprone-macro-parentheses)
