// Model weights in safetensors files, under PyTorch's names.
#pragma once

#include <reel/autodiff/parameter.hpp>
#include <reel/data/safetensors.hpp>

#include <string>
#include <vector>

namespace reel::inline REEL_PRECISION {

using NamedArrays = decltype(Safetensors::arrays);

// The parameters' values by name, as PyTorch would have them: of a merged bias, the second
// (bias_hh) is there too and zero. Each parameter must have a name (see parameters()).
NamedArrays export_weights(const std::vector<Parameter*>& parameters);

// Sets the parameters' values from arrays as export_weights or PyTorch makes them; two biases
// add up to a merged one. Throws FileError, changing nothing, if a name is missing or unknown, or
// a shape differs; `source` names the file in the message.
void import_weights(const std::vector<Parameter*>& parameters, const NamedArrays& arrays,
                    const std::string& source);

void save_weights(const std::string& path, const std::vector<Parameter*>& parameters);
void load_weights(const std::string& path, const std::vector<Parameter*>& parameters);

}  // namespace reel::inline REEL_PRECISION
