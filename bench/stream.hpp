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

std::string line(const StreamResult& result);
void write_json(const std::string& file, const std::vector<StreamResult>& results);

}  // namespace bench
