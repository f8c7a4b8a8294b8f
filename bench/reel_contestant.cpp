#include "reel_contestant.hpp"

#include <fmt/format.h>
#include <reel/autodiff/record.hpp>

#include <algorithm>
#include <array>

#include "reel_layers.hpp"

namespace bench {

reel::Array array_of(const reel::Shape& shape, const Numbers& numbers) {
  reel::Array result = reel::empty_array(shape);
  std::copy(numbers.begin(), numbers.end(), result.data());
  return result;
}

void start_as_peers(const Problem& problem, std::size_t part, const std::string& name,
                    reel::Parameter& parameter) {
  const Problem::Layer& layer = problem.layers[part];
  const Numbers* start = name == "weight_ih"   ? &layer.weight_ih
                         : name == "weight_hh" ? &layer.weight_hh
                         : name == "bias_ih"   ? &layer.bias_ih
                         : name == "bias_hh"   ? &layer.bias_hh
                                               : nullptr;
  if (start && start->size() == parameter.size())
    std::copy(start->begin(), start->end(), parameter.mutable_value().data());
  else if (const CellKind& cell = problem.what.cell; !cell.equations.empty())
    throw std::logic_error(
        fmt::format("{} has the equations of {}, so its parameters must have the same names and "
                    "sizes; got {} {}",
                    cell.name, cell.equations, name, parameter.shape()));
}

reel::Var seeded(const reel::Var& y, const reel::Parameter& dy) {
  return reel::record("seed", std::array{y}, reel::full_array({1}, 0),
                      [&dy](reel::Pull& p) { p.give(0, [&] { return reel::Var(dy); }); });
}

reel::Array rows_of(const reel::Array& from, std::size_t begin, std::size_t end) {
  const auto& extents = from.shape();
  reel::Array to = reel::empty_array({extents[0], end - begin, extents[2]});
  for (std::size_t t = 0; t < extents[0]; ++t)
    std::copy_n(&from(t, begin, 0), (end - begin) * extents[2], &to(t, 0, 0));
  return to;
}

std::unique_ptr<ReelContestant> make_reel(const Problem& problem, const std::string& cell) {
  return cell_kind(cell).make(problem);
}

}  // namespace bench
