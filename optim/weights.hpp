// Model weights in safetensors files, under PyTorch's names.
#pragma once

#include <reel/autodiff/parameter.hpp>
#include <reel/data/safetensors.hpp>

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace reel::inline REEL_PRECISION {

using NamedArrays = decltype(Safetensors::arrays);

// Two names of one parameter that a model uses in two places, or ends of such names:
// {"encoder.weight", "decoder.weight"}. The parameter has the first; files have both.
using TiedNames = std::array<std::string_view, 2>;

// The parameters' values by name, as PyTorch would have them: of a merged bias, the second
// (bias_hh) is there too and zero. Each parameter must have a name (see parameters()).
NamedArrays export_weights(const std::vector<Parameter*>& parameters,
                           std::span<const TiedNames> tied = {});

// Sets the parameters' values from arrays as export_weights or PyTorch makes them; two biases
// add up to a merged one. Throws FileError, changing nothing, if a name is missing or unknown, or
// a shape differs; `source` names the file in the message. Of tied names one will do; if both are
// there, the arrays must be equal.
void import_weights(const std::vector<Parameter*>& parameters, const NamedArrays& arrays,
                    const std::string& source, std::span<const TiedNames> tied = {});

// As a file.
void save_weights(const std::string& path, const std::vector<Parameter*>& parameters,
                  std::span<const TiedNames> tied = {});
void load_weights(const std::string& path, const std::vector<Parameter*>& parameters,
                  std::span<const TiedNames> tied = {});

}  // namespace reel::inline REEL_PRECISION
