// All experiments on one page, with what they show.
#pragma once

#include "gradients.hpp"
#include "learning.hpp"

namespace memory {

// "solved", "not solved", "diverged" or "interrupted".
const char* verdict(const Outcome& outcome);

struct PageOptions {
  std::string path;
  std::vector<std::size_t> lengths = {50, 100, 200, 400};
  std::vector<std::size_t> delays = {10, 30, 100};
  std::size_t most_steps = 5000;
  std::uint64_t seed = 1;
  std::size_t threads = 0;
  bool resume = false;
};

// Runs the experiments, prints a line for each, and writes the page. False if Ctrl-C ended them
// early; the page then holds what there is, and a file beside it what `resume` goes on from. Throws
// reel::FileError if that file is missing or is none.
bool write_page(const PageOptions& options);

}  // namespace memory
