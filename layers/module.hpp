// Modules: values with named parameters. One visitor serves saving, optimisers and messages.
#pragma once

#include <reel/autodiff/parameter.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace reel::inline REEL_PRECISION {

// A module is a struct with parameters or other modules as fields, which it names in one function:
//
//   struct Head {
//     Linear hidden, out;
//     static void fields(auto& self, auto&& visit) {
//       visit("hidden", self.hidden);
//       visit("out", self.out);
//     }
//   };

// Calls act(path, parameter) for every parameter, in the order of the fields; the path joins the
// names by dots: "hidden.weight".
template <class Module, class Act>
void for_each_parameter(Module& module, Act&& act, const std::string& prefix = "") {
  using Self = std::remove_const_t<Module>;
  if constexpr (std::is_same_v<Self, Parameter>) {
    act(prefix, module);
  } else {
    Self::fields(module, [&](std::string_view name, auto& field) {
      for_each_parameter(field, act,
                         prefix.empty() ? std::string(name) : prefix + "." + std::string(name));
    });
  }
}

// The parameters of a module, for optimisers and files; names each by its path, unless it has a
// longer one already, from a module around this one.
template <class Module>
std::vector<Parameter*> parameters(Module& module) {
  std::vector<Parameter*> all;
  for_each_parameter(module, [&](const std::string& path, Parameter& parameter) {
    if (!("." + parameter.name).ends_with("." + path)) parameter.name = path;
    all.push_back(&parameter);
  });
  return all;
}

// Number of numbers in all parameters, frozen ones included.
template <class Module>
std::size_t parameter_count(const Module& module) {
  std::size_t count = 0;
  for_each_parameter(module, [&](const std::string&, const Parameter& p) { count += p.size(); });
  return count;
}

// A line per parameter: path, shape, number; then the total.
template <class Module>
std::string describe(const Module& module) {
  std::string text;
  std::size_t count = 0;
  for_each_parameter(module, [&](const std::string& path, const Parameter& p) {
    text += fmt::format("{:<32} {:>16} {:>10}{}\n", path, fmt::format("{}", p.shape()), p.size(),
                        p.trainable ? "" : "  frozen");
    count += p.size();
  });
  return text + fmt::format("{:<32} {:>16} {:>10}\n", "total", "", count);
}

// The path of the layer that owns a parameter: "encoder.lstm" of "encoder.lstm.weight_ih_l0";
// `otherwise` while the parameter has no name. For Scope.
inline std::string_view layer_path(const Parameter& parameter, std::string_view otherwise) {
  const std::string_view name = parameter.name;
  const std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? otherwise : name.substr(0, dot);
}

}  // namespace reel::inline REEL_PRECISION
