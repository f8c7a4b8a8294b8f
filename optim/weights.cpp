#include <reel/optim/weights.hpp>

#include <algorithm>
#include <set>

namespace reel::inline REEL_PRECISION {
namespace {

// "lstm.bias_hh_l0" for the merged bias "lstm.bias_ih_l0".
std::string twin_name(const Parameter& p) {
  std::string name = p.name;
  const std::size_t at = name.rfind("bias_ih");
  check<Error>(at != std::string::npos, "weights: a merged bias must be named bias_ih; got {}",
               p.name);
  return name.replace(at, 7, "bias_hh");
}

// The parameter's other name, "lm.decoder.weight" for "lm.encoder.weight"; empty if there is none.
std::string tied_name(const Parameter& p, std::span<const TiedNames> tied) {
  for (const auto& [one, other] : tied) {
    const std::size_t prefix = p.name.size() - std::min(p.name.size(), one.size());
    const bool whole_names = prefix == 0 || p.name[prefix - 1] == '.';
    if (p.name.ends_with(one) && whole_names) return p.name.substr(0, prefix).append(other);
  }
  return "";
}

}  // namespace

NamedArrays export_weights(const std::vector<Parameter*>& parameters,
                           std::span<const TiedNames> tied) {
  NamedArrays arrays;
  for (const Parameter* p : parameters) {
    check<Error>(!p->name.empty(), "weights: a parameter has no name; call parameters(model)");
    const bool added = arrays.emplace(p->name, p->value()).second;
    check<Error>(added, "weights: names must differ; got {} twice", p->name);
    if (p->merged_bias) arrays.emplace(twin_name(*p), full_array(p->shape(), 0));
    if (const std::string twin = tied_name(*p, tied); !twin.empty())
      arrays.emplace(twin, p->value());
  }
  return arrays;
}

void import_weights(const std::vector<Parameter*>& parameters, const NamedArrays& arrays,
                    const std::string& source, std::span<const TiedNames> tied) {
  std::set<std::string> used;
  const auto find = [&](const std::string& name, const Parameter& p) -> const Array& {
    const auto at = arrays.find(name);
    check<FileError>(at != arrays.end(),
                     "{}: weight {} {} is missing; this is no file of such a model", source, name,
                     p.shape());
    check<FileError>(shape_of(at->second) == p.shape(), "{}: weight {} must be {}; got {}", source,
                     name, p.shape(), shape_of(at->second));
    used.insert(name);
    return at->second;
  };
  std::vector<Array> values;
  for (const Parameter* p : parameters) {
    const std::string twin = tied_name(*p, tied);
    const bool has_twin = !twin.empty() && arrays.contains(twin);
    Array& value =
        values.emplace_back(find(has_twin && !arrays.contains(p->name) ? twin : p->name, *p));
    if (has_twin)
      check<FileError>(find(twin, *p) == value, "{}: weights {} and {} must be equal", source,
                       p->name, twin);
    if (p->merged_bias && arrays.contains(twin_name(*p))) value += find(twin_name(*p), *p);
  }
  for (const auto& [name, array] : arrays)
    check<FileError>(used.contains(name), "{}: weight {} {} belongs to no parameter of the model",
                     source, name, shape_of(array));
  for (std::size_t i = 0; i < parameters.size(); ++i)
    parameters[i]->mutable_value() = std::move(values[i]);
}

void save_weights(const std::string& path, const std::vector<Parameter*>& parameters,
                  std::span<const TiedNames> tied) {
  Safetensors file;
  file.arrays = export_weights(parameters, tied);
  save_safetensors(path, file);
}

void load_weights(const std::string& path, const std::vector<Parameter*>& parameters,
                  std::span<const TiedNames> tied) {
  import_weights(parameters, load_safetensors(path).arrays, path, tied);
}

}  // namespace reel::inline REEL_PRECISION
