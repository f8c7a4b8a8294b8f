// One layer of oneDNN's.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>

#include "contestant.hpp"

namespace bench {

dnnl::memory::desc floats(const dnnl::memory::dims& dims, dnnl::memory::format_tag tag);
float* data(const dnnl::memory& m);

// Weights as an optimiser keeps them (dense [direction, in, gate, out]), the primitives, and what
// they pass between each other.
class OneDnnLayer {
 public:
  OneDnnLayer(const Problem& problem, std::size_t l, const dnnl::engine& engine,
              const dnnl::stream& stream);

  const dnnl::memory& forward(const dnnl::memory& src);                                 // dst
  const dnnl::memory& backward(const dnnl::memory& src, const dnnl::memory& diff_dst);  // diff_src
  // For each direction gradients of weight_ih, weight_hh, bias_ih and, for the GRU, bias_hh, as
  // PyTorch has them.
  std::vector<Numbers> gradients();

 private:
  using Arguments = std::unordered_map<int, dnnl::memory>;

  dnnl::memory mem(const dnnl::primitive_desc& pd, int argument) const;
  void add_state(Arguments& arguments, int h, int c, const dnnl::memory& state) const;
  void load(const Problem::Layer* directions);
  void load_bias(const Problem::Layer& layer, float* bias) const;
  void prepare_weights(dnnl::memory& layer, dnnl::memory& iter);

  Case what_;
  dnnl::engine engine_;
  dnnl::stream stream_;
  dnnl::memory::dim t_, b_, e_, d_, g_, biases_, h_;
  dnnl::primitive forward_, backward_;
  dnnl::memory weights_layer_, weights_iter_, bias_, state_, dst_, workspace_;
  dnnl::memory forward_layer_, forward_iter_, backward_layer_, backward_iter_;
  dnnl::memory diff_layer_, diff_iter_, diff_bias_, diff_state_, diff_src_;
};

}  // namespace bench
