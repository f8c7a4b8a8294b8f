// PyTorch as a contestant, in a Python process of its own that is driven over pipes.
#pragma once

#include "contestant.hpp"

namespace bench {

// custom: a cell in elementwise ops, looped over in Python; else nn.LSTM, GRU or RNN.
// Throws Missing if `python` has no PyTorch, or PyTorch no such cell.
std::unique_ptr<Contestant> make_torch(const Problem& problem, bool custom,
                                       const std::string& python);

}  // namespace bench
