#include <reel/optim/weights.hpp>

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

}  // namespace

NamedArrays export_weights(const std::vector<Parameter*>& parameters) {
  NamedArrays arrays;
  for (const Parameter* p : parameters) {
    check<Error>(!p->name.empty(), "weights: a parameter has no name; call parameters(model)");
    const bool added = arrays.emplace(p->name, p->value()).second;
    check<Error>(added, "weights: names must differ; got {} twice", p->name);
    if (p->merged_bias) arrays.emplace(twin_name(*p), full_array(p->shape(), 0));
  }
  return arrays;
}

void import_weights(const std::vector<Parameter*>& parameters, const NamedArrays& arrays,
                    const std::string& source) {
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
    Array& value = values.emplace_back(find(p->name, *p));
    if (p->merged_bias && arrays.contains(twin_name(*p))) value += find(twin_name(*p), *p);
  }
  for (const auto& [name, array] : arrays)
    check<FileError>(used.contains(name), "{}: weight {} {} belongs to no parameter of the model",
                     source, name, shape_of(array));
  for (std::size_t i = 0; i < parameters.size(); ++i)
    parameters[i]->mutable_value() = std::move(values[i]);
}

void save_weights(const std::string& path, const std::vector<Parameter*>& parameters) {
  Safetensors file;
  file.arrays = export_weights(parameters);
  save_safetensors(path, file);
}

void load_weights(const std::string& path, const std::vector<Parameter*>& parameters) {
  import_weights(parameters, load_safetensors(path).arrays, path);
}

}  // namespace reel::inline REEL_PRECISION
