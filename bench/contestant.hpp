// What is measured, and what the measured ones owe the measurement.
#pragma once

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace bench {

struct Problem;
struct StreamResult;
class ReelContestant;

struct CellKind {
  std::string name;
  std::string equations = "";  // those of "lstm", "gru" or "rnn", which peers have; else empty
  std::string builtin = "";    // reel's own cell with the same matrix products, or none
  // The products are [rows, in] x [in, gates * hidden] and [rows, hidden] x [hidden,
  // recurrent_gates * hidden]; where in differs from hidden, resizing_gates come on top of gates.
  std::size_t gates = 1, recurrent_gates = 1, resizing_gates = 0;
  bool in_all = true;  // is it one of "all"?
  std::unique_ptr<ReelContestant> (*make)(const Problem& problem) = nullptr;
  StreamResult (*stream)(std::size_t size, std::size_t turns) = nullptr;  // see stream.hpp
};
// Those that cells.cpp, and files of users, have registered (cell.hpp).
const std::vector<CellKind>& cell_kinds();
// Throws std::invalid_argument if there is none of this name.
const CellKind& cell_kind(const std::string& name);
bool add_cell_kind(CellKind kind);  // true; throws std::logic_error if the name is taken

struct Case {
  CellKind cell;
  std::string shape;  // S1 .. S5, or B,T,E,H
  std::size_t batch, steps, input, hidden;
  std::size_t layers = 1;
  std::size_t directions = 1;  // 2: each layer's outputs are those of both, side by side
  bool train = true;           // forward and backward; else forward only
  std::size_t threads = 1;
  std::size_t shards = 1;  // of the batch, each with a tape; peers know nothing of them

  // Of a layer's input; that of the layer after the last is the width of the outputs.
  std::size_t width(std::size_t layer) const { return layer == 0 ? input : directions * hidden; }
  // The parts of a stack: a layer's directions, then the next layer's.
  std::size_t parts() const { return layers * directions; }
  std::string part_name(std::size_t part) const;  // l0, or l0_reverse
  double flops() const;                           // of the matrix products of a step
};
Case make_case(const std::string& cell, const std::string& shape);

using Numbers = std::vector<float>;

// The numbers of a case, in PyTorch's layouts and gate order.
struct Problem {
  Case what;
  Numbers x, dy;  // [T, B, E], and dLoss/doutputs [T, B, directions H]
  struct Layer {
    Numbers weight_ih, weight_hh;  // [G H, width], [G H, H]
    Numbers bias_ih, bias_hh;      // [G H]; bias_hh is zero where it would only add to bias_ih
  };
  std::vector<Layer> layers;  // of each part
};
Problem make_problem(const Case& what);

// Outputs and gradients by name, in the order: outputs, dx, then per part those of weight_ih,
// weight_hh, bias_ih and, for the GRU, bias_hh. Forward only: just the outputs.
using Answer = std::vector<std::pair<std::string, Numbers>>;

// Names the arrays of an answer whose numbers come in that order.
class AnswerNames {
 public:
  explicit AnswerNames(const Case& what);
  const std::vector<std::pair<std::string, std::size_t>>& names_and_sizes() const { return names_; }

 private:
  std::vector<std::pair<std::string, std::size_t>> names_;
};

// The largest difference over all arrays, each relative to its largest number.
struct Disagreement {
  double size = 0;
  std::string where;
};
Disagreement disagreement(const Answer& a, const Answer& b);

// Reel or a peer, set up for one problem.
class Contestant {
 public:
  virtual ~Contestant() = default;
  // Runs steps and appends the milliseconds of each.
  virtual void run(std::size_t steps, std::vector<double>& ms) = 0;
  virtual Answer answer() = 0;  // of a step
};

// For contestants in this process.
template <class Step>
void time_steps(std::size_t steps, std::vector<double>& ms, Step&& step) {
  for (std::size_t i = 0; i < steps; ++i) {
    const auto start = std::chrono::steady_clock::now();
    step();
    const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
    ms.push_back(time.count());
  }
}

// Why a peer cannot take part.
struct Missing : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace bench
