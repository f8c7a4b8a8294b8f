// The descriptions of oneDNN's recurrent primitives, one form for all cells.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>
#include <string>

namespace bench {

// What flows through one layer, as memory descriptions.
struct OneDnnShapes {
  dnnl::rnn_direction direction;
  dnnl::memory::desc src, state, weights_layer, weights_iter, bias, dst;
};

// The forward primitive of the equations "lstm", "gru" or "rnn"; for training or not.
dnnl::primitive_desc onednn_forward(const std::string& equations, const OneDnnShapes& shapes,
                                    const dnnl::engine& engine, bool train);
// The backward primitive; needs the forward one again as a hint.
dnnl::primitive_desc onednn_backward(const std::string& equations, const OneDnnShapes& shapes,
                                     const dnnl::engine& engine);

}  // namespace bench
