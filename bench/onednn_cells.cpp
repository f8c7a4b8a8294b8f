#include "onednn_cells.hpp"

namespace bench {
namespace {

using dnnl::prop_kind;
using Desc = dnnl::memory::desc;

constexpr auto kTanh = dnnl::algorithm::eltwise_tanh;

dnnl::lstm_forward::primitive_desc lstm(const OneDnnShapes& s, const dnnl::engine& engine,
                                        prop_kind kind) {
  return {{kind, s.direction, s.src, s.state, s.state, s.weights_layer, s.weights_iter, s.bias,
           s.dst, Desc(), Desc()},
          engine};
}
dnnl::lbr_gru_forward::primitive_desc gru(const OneDnnShapes& s, const dnnl::engine& engine,
                                          prop_kind kind) {
  return {
      {kind, s.direction, s.src, s.state, s.weights_layer, s.weights_iter, s.bias, s.dst, Desc()},
      engine};
}
dnnl::vanilla_rnn_forward::primitive_desc rnn(const OneDnnShapes& s, const dnnl::engine& engine,
                                              prop_kind kind) {
  return {{kind, kTanh, s.direction, s.src, s.state, s.weights_layer, s.weights_iter, s.bias, s.dst,
           Desc()},
          engine};
}

}  // namespace

dnnl::primitive_desc onednn_forward(const std::string& equations, const OneDnnShapes& shapes,
                                    const dnnl::engine& engine, bool train) {
  const auto kind = train ? prop_kind::forward_training : prop_kind::forward_inference;
  if (equations == "lstm") return lstm(shapes, engine, kind);
  if (equations == "gru") return gru(shapes, engine, kind);
  return rnn(shapes, engine, kind);
}

// Each description stands once for the value and once for its gradient.
dnnl::primitive_desc onednn_backward(const std::string& equations, const OneDnnShapes& s,
                                     const dnnl::engine& engine) {
  const auto kind = prop_kind::backward;
  const auto hint = prop_kind::forward_training;
  if (equations == "lstm")
    return dnnl::lstm_backward::primitive_desc(
        {kind,           s.direction, s.src,           s.state,        s.state, s.weights_layer,
         s.weights_iter, s.bias,      s.dst,           Desc(),         Desc(),  s.src,
         s.state,        s.state,     s.weights_layer, s.weights_iter, s.bias,  s.dst,
         Desc(),         Desc()},
        engine, lstm(s, engine, hint));
  if (equations == "gru")
    return dnnl::lbr_gru_backward::primitive_desc(
        {kind, s.direction, s.src, s.state, s.weights_layer, s.weights_iter, s.bias, s.dst, Desc(),
         s.src, s.state, s.weights_layer, s.weights_iter, s.bias, s.dst, Desc()},
        engine, gru(s, engine, hint));
  return dnnl::vanilla_rnn_backward::primitive_desc(
      {kind, kTanh, s.direction, s.src, s.state, s.weights_layer, s.weights_iter, s.bias, s.dst,
       Desc(), s.src, s.state, s.weights_layer, s.weights_iter, s.bias, s.dst, Desc()},
      engine, rnn(s, engine, hint));
}

}  // namespace bench
