// What a measured case says: a line, JSON, a table for docs/performance.md.
#pragma once

#include <optional>

#include "duel.hpp"
#include "reel_contestant.hpp"

namespace bench {

struct PeerResult {
  std::string name;
  Sample ms, ratio;                    // ratio: reel's time to this peer's
  std::optional<double> disagreement;  // where both compute the same
};

struct CaseResult {
  Case what;
  Sample ms;
  StepCost cost;
  double peak_gflops;
  std::vector<PeerResult> peers;

  double gflops() const { return what.flops() / ms.median * 1e-6; }
  double peak_fraction() const {
    return gflops() / (peak_gflops * static_cast<double>(what.threads));
  }
};

// One line for each peer; one without a peer if there is none.
std::vector<std::string> lines(const CaseResult& result);

std::string machine();  // its processor
void write_json(const std::string& file, const std::vector<CaseResult>& results);

// A row for each case, a column for each peer.
std::string markdown(const std::vector<CaseResult>& results);

}  // namespace bench
