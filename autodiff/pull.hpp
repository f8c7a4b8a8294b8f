// What derivative rules made of ops work with.
#pragma once

#include <reel/autodiff/node.hpp>

namespace reel::inline REEL_PRECISION {

// What a derivative rule sees: the op's inputs x, outputs y, gradients dy, and where to give dx.
class Pull {
 public:
  Pull(detail::Node& node, detail::Vars* recorded) : node_(node), recorded_(recorded) {}

  std::size_t inputs() const { return node_.inputs().size(); }
  Var x(std::size_t i) const { return node_.inputs()[i]; }
  Var y(std::size_t k = 0) const;
  Var dy(std::size_t k = 0) const;  // zeros if nothing used output k
  bool wants(std::size_t i) const;
  // dx_i += make(), which is called only if input i wants a gradient.
  template <class Make>
  void give(std::size_t i, Make&& make) const {
    if (wants(i)) add(i, make());
  }
  // Gradients of all nodes by index, where they are Vars.
  detail::Vars& recorded() const { return *recorded_; }

 private:
  void add(std::size_t i, const Var& contribution) const;
  detail::Node& output(std::size_t k) const;

  detail::Node& node_;
  detail::Vars* recorded_;  // gradients of all nodes as Vars; null: in memory
};

}  // namespace reel::inline REEL_PRECISION
