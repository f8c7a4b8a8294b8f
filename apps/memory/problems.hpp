// Two problems that cannot be solved without memory, as long as one likes.
#pragma once

#include <reel/autodiff/array.hpp>
#include <reel/autodiff/random.hpp>

namespace memory {

// The adding problem (Hochreiter & Schmidhuber 1997): each step brings a number in [0, 1] and a
// mark; the answer is the sum of the two marked numbers, of which one lies in each half. Saying 1
// always gives a mean squared error of 1/6.
struct Adding {
  static constexpr double kSolved = 0.01;  // mean squared error
  reel::Array x;                           // [T, B, 2]
  reel::Array y;                           // [B, 1]
};
// `rows` sequences of `length` steps, at least 2.
Adding make_adding(std::size_t length, std::size_t rows, reel::Random& random);

// The copy problem (Hochreiter & Schmidhuber 1997, as in Arjovsky et al. 2016): some symbols, a
// delay of blanks, a sign to begin, and then the symbols are to be said again; blank before that.
struct Copy {
  static constexpr std::size_t kSymbols = 8, kItems = 5;
  static constexpr std::size_t kClasses = kSymbols + 2;  // the blank, the sign
  static constexpr double kSolved = 0.99;                // share of the symbols that are right
  reel::Array x;                                         // [T, B, kClasses], one of them 1
  reel::Indices y;                                       // [T, B]
};
// T = delay + 2 kItems + 1.
Copy make_copy(std::size_t delay, std::size_t rows, reel::Random& random);

}  // namespace memory
