// Errors that users see, and the one check that throws them.
#pragma once

#include <fmt/core.h>
#include <reel/autodiff/shape.hpp>

#include <stdexcept>
#include <string>

namespace reel {

// Base of what reel throws for wrong use. Text: "op: what must hold; got ...".
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct ShapeError : Error {  // shapes, axes or indices that do not fit
  using Error::Error;
};
struct StaleError : Error {  // a Var that outlived its tape, or belongs to another
  using Error::Error;
};
struct NonFiniteError : Error {  // NaN or Inf found by Tape::check_finite
  using Error::Error;
};
struct FileError : Error {  // a file that is missing, malformed or does not fit
  using Error::Error;
};

// "encoder.lstm: " and the text while inside that layer (see scope.hpp), unless it begins so.
std::string in_scope(std::string text);

// Throws E with the formatted text, prefixed by the current layer's path, unless `holds`.
template <class E = ShapeError, class... Args>
void check(bool holds, fmt::format_string<Args...> text, Args&&... args) {
  if (!holds) [[unlikely]]
    throw E(in_scope(fmt::format(text, std::forward<Args>(args)...)));
}

}  // namespace reel
