#include <fmt/format.h>
#include <reel/autodiff/random.hpp>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "contestant.hpp"

namespace bench {
namespace {

struct Named {
  const char* name;
  std::size_t batch, steps, input, hidden;
};
constexpr Named kShapes[] = {
    {"S1", 32, 50, 100, 128},   // the sentiment model of the introductory texts
    {"S2", 16, 100, 256, 256},  // small batch, medium state
    {"S3", 1, 1000, 32, 32},    // online learning, audio, sensors
    {"S4", 128, 100, 64, 64},   // large batch, small state
    {"S5", 64, 35, 650, 650},   // the medium language model
};

Named parse_shape(const std::string& text) {
  for (const Named& shape : kShapes)
    if (text == shape.name) return shape;
  Named shape{"", 0, 0, 0, 0};
  std::istringstream in(text);
  char comma[3] = {};
  in >> shape.batch >> comma[0] >> shape.steps >> comma[1] >> shape.input >> comma[2] >>
      shape.hidden;
  const bool whole = in && in.peek() == std::char_traits<char>::eof();
  if (!whole || std::count(comma, comma + 3, ',') != 3 || text.find('-') != std::string::npos ||
      shape.batch * shape.steps * shape.input * shape.hidden == 0)
    throw std::invalid_argument(
        fmt::format("--shape: must be S1 .. S5 or four positive numbers B,T,E,H; got {}", text));
  return shape;
}

}  // namespace

namespace {
std::vector<CellKind>& kinds() {
  static std::vector<CellKind> all;
  return all;
}
}  // namespace

const std::vector<CellKind>& cell_kinds() { return kinds(); }

const CellKind& cell_kind(const std::string& name) {
  const auto kind = std::ranges::find(kinds(), name, &CellKind::name);
  if (kind == kinds().end()) throw std::invalid_argument("--cell: unknown cell " + name);
  return *kind;
}

bool add_cell_kind(CellKind kind) {
  if (std::ranges::find(kinds(), kind.name, &CellKind::name) != kinds().end())
    throw std::logic_error("there is a measured cell " + kind.name + " already");
  kinds().push_back(std::move(kind));
  return true;
}

// Forward: x W and h W for every row. Backward: dx and dh, and both weights' gradients.
double Case::flops() const {
  double columns = 0;
  for (std::size_t l = 0; l < layers; ++l) {
    const std::size_t gates = cell.gates + (width(l) == hidden ? 0 : cell.resizing_gates);
    columns += static_cast<double>(width(l) * gates + hidden * cell.recurrent_gates);
  }
  const auto rows = static_cast<double>(batch * steps);
  return (train ? 6 : 2) * rows * columns * static_cast<double>(directions * hidden);
}

std::string Case::part_name(std::size_t part) const {
  return fmt::format("l{}{}", part / directions, part % directions == 0 ? "" : "_reverse");
}

Case make_case(const std::string& cell, const std::string& shape) {
  const Named s = parse_shape(shape);
  return {cell_kind(cell), shape, s.batch, s.steps, s.input, s.hidden};
}

Problem make_problem(const Case& what) {
  reel::Random random(1);
  const auto draw = [&](std::size_t count, double bound) {
    Numbers numbers(count);
    for (float& x : numbers) x = static_cast<float>(random.uniform(-bound, bound));
    return numbers;
  };
  const std::size_t rows = what.batch * what.steps, gates = what.cell.gates * what.hidden;
  const double bound = 1 / std::sqrt(static_cast<double>(what.hidden));
  Problem problem{what, draw(rows * what.input, 1), draw(rows * what.width(what.layers), 1), {}};
  for (std::size_t part = 0; part < what.parts(); ++part)
    problem.layers.push_back({draw(gates * what.width(part / what.directions), bound),
                              draw(gates * what.hidden, bound), draw(gates, bound),
                              draw(gates, what.cell.equations == "gru" ? bound : 0)});
  return problem;
}

AnswerNames::AnswerNames(const Case& what) {
  const std::size_t rows = what.batch * what.steps, gates = what.cell.gates * what.hidden;
  names_.emplace_back("outputs", rows * what.width(what.layers));
  if (!what.train) return;
  names_.emplace_back("dx", rows * what.input);
  for (std::size_t part = 0; part < what.parts(); ++part) {
    const auto add = [&](const char* name, std::size_t size) {
      names_.emplace_back(fmt::format("d{}_{}", name, what.part_name(part)), size);
    };
    add("weight_ih", gates * what.width(part / what.directions));
    add("weight_hh", gates * what.hidden);
    add("bias_ih", gates);
    if (what.cell.equations == "gru") add("bias_hh", gates);
  }
}

Disagreement disagreement(const Answer& a, const Answer& b) {
  if (a.size() != b.size()) return {INFINITY, "number of arrays"};
  Disagreement worst;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const Numbers &x = a[i].second, &y = b[i].second;
    if (a[i].first != b[i].first || x.size() != y.size()) return {INFINITY, a[i].first};
    double difference = 0, largest = 1e-30;
    for (std::size_t j = 0; j < x.size(); ++j) {
      const double d = std::abs(static_cast<double>(x[j]) - static_cast<double>(y[j]));
      difference = std::isfinite(d) ? std::max(difference, d) : INFINITY;
      largest = std::max(largest, std::abs(static_cast<double>(y[j])));
    }
    if (difference / largest > worst.size) worst = {difference / largest, a[i].first};
  }
  return worst;
}

}  // namespace bench
