// Streaming: one step of one sequence per call.
#pragma once

#include <string>
#include <vector>

#include "duel.hpp"

namespace bench {

struct StreamResult {
  std::string cell;
  std::size_t size;  // of input and state
  Sample us;         // one step
  long mallocs;      // in many steps, after the first; -1: not counted
};

// Times layer.stream(1) for input = hidden = size, in `turns` turns of some 20 ms. Throws if a
// step's output differs from the layer's in any bit.
StreamResult time_stream(const std::string& cell, std::size_t size, std::size_t turns);
std::string line(const StreamResult& result);
void write_json(const std::string& file, const std::vector<StreamResult>& results);

}  // namespace bench
