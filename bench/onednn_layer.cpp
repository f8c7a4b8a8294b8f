#include "onednn_layer.hpp"

#include <algorithm>
#include <cstring>

#include "onednn_cells.hpp"

namespace bench {

using dnnl::memory;
using Tag = memory::format_tag;

namespace {

void zero(const memory& m) { std::memset(m.get_data_handle(), 0, m.get_desc().get_size()); }

// PyTorch's blocks of gates r, z, n as oneDNN's u (= z), r, o (= n), and back; for the others the
// orders are the same.
Numbers exchange_gates(Numbers blocks, const std::string& equations) {
  if (equations != "gru") return blocks;
  const auto third = static_cast<std::ptrdiff_t>(blocks.size() / 3);
  std::swap_ranges(blocks.begin(), blocks.begin() + third, blocks.begin() + third);
  return blocks;
}

}  // namespace

memory::desc floats(const memory::dims& dims, Tag tag) {
  return {dims, memory::data_type::f32, tag};
}
float* data(const memory& m) { return static_cast<float*>(m.get_data_handle()); }

OneDnnLayer::OneDnnLayer(const Problem& problem, std::size_t l, const dnnl::engine& engine,
                         const dnnl::stream& stream)
    : what_(problem.what), engine_(engine), stream_(stream) {
  const auto size = [](std::size_t n) { return static_cast<memory::dim>(n); };
  t_ = size(what_.steps), b_ = size(what_.batch), h_ = size(what_.hidden);
  g_ = size(what_.cell.gates), e_ = size(what_.width(l)), d_ = size(what_.directions);
  biases_ = what_.cell.equations == "gru" ? 4 : g_;
  const auto direction = d_ == 2 ? dnnl::rnn_direction::bidirectional_concat
                                 : dnnl::rnn_direction::unidirectional_left2right;
  const OneDnnShapes shapes{direction,
                            floats({t_, b_, e_}, Tag::tnc),
                            floats({1, d_, b_, h_}, Tag::ldnc),
                            floats({1, d_, e_, g_, h_}, Tag::any),
                            floats({1, d_, h_, g_, h_}, Tag::any),
                            floats({1, d_, biases_, h_}, Tag::ldgo),
                            floats({t_, b_, d_ * h_}, Tag::tnc)};
  const auto forward = onednn_forward(what_.cell.equations, shapes, engine, what_.train);
  forward_ = dnnl::primitive(forward);
  forward_layer_ = mem(forward, DNNL_ARG_WEIGHTS_LAYER);
  forward_iter_ = mem(forward, DNNL_ARG_WEIGHTS_ITER);
  bias_ = mem(forward, DNNL_ARG_BIAS);
  dst_ = mem(forward, DNNL_ARG_DST_LAYER);
  state_ = mem(forward, DNNL_ARG_SRC_ITER);
  diff_state_ = mem(forward, DNNL_ARG_SRC_ITER);
  zero(state_);
  load(&problem.layers[l * what_.directions]);
  if (!what_.train) {
    prepare_weights(forward_layer_, forward_iter_);
    return;
  }

  workspace_ = memory(forward.workspace_desc(), engine);
  const auto backward = onednn_backward(what_.cell.equations, shapes, engine);
  backward_ = dnnl::primitive(backward);
  backward_layer_ = mem(backward, DNNL_ARG_WEIGHTS_LAYER);
  backward_iter_ = mem(backward, DNNL_ARG_WEIGHTS_ITER);
  diff_layer_ = mem(backward, DNNL_ARG_DIFF_WEIGHTS_LAYER);
  diff_iter_ = mem(backward, DNNL_ARG_DIFF_WEIGHTS_ITER);
  diff_bias_ = mem(backward, DNNL_ARG_DIFF_BIAS);
  diff_src_ = mem(backward, DNNL_ARG_DIFF_SRC_LAYER);
}

const memory& OneDnnLayer::forward(const memory& src) {
  if (what_.train) prepare_weights(forward_layer_, forward_iter_);
  Arguments args{{DNNL_ARG_SRC_LAYER, src},
                 {DNNL_ARG_WEIGHTS_LAYER, forward_layer_},
                 {DNNL_ARG_WEIGHTS_ITER, forward_iter_},
                 {DNNL_ARG_BIAS, bias_},
                 {DNNL_ARG_DST_LAYER, dst_}};
  if (what_.train) args.emplace(DNNL_ARG_WORKSPACE, workspace_);
  add_state(args, DNNL_ARG_SRC_ITER, DNNL_ARG_SRC_ITER_C, state_);
  forward_.execute(stream_, args);
  return dst_;
}

// The primitive adds to the weights' gradients.
const memory& OneDnnLayer::backward(const memory& src, const memory& diff_dst) {
  prepare_weights(backward_layer_, backward_iter_);
  for (const memory& m : {diff_layer_, diff_iter_, diff_bias_}) zero(m);
  Arguments args{{DNNL_ARG_SRC_LAYER, src},
                 {DNNL_ARG_WEIGHTS_LAYER, backward_layer_},
                 {DNNL_ARG_WEIGHTS_ITER, backward_iter_},
                 {DNNL_ARG_BIAS, bias_},
                 {DNNL_ARG_DST_LAYER, dst_},
                 {DNNL_ARG_WORKSPACE, workspace_},
                 {DNNL_ARG_DIFF_DST_LAYER, diff_dst},
                 {DNNL_ARG_DIFF_SRC_LAYER, diff_src_},
                 {DNNL_ARG_DIFF_WEIGHTS_LAYER, diff_layer_},
                 {DNNL_ARG_DIFF_WEIGHTS_ITER, diff_iter_},
                 {DNNL_ARG_DIFF_BIAS, diff_bias_}};
  add_state(args, DNNL_ARG_SRC_ITER, DNNL_ARG_SRC_ITER_C, state_);
  add_state(args, DNNL_ARG_DIFF_SRC_ITER, DNNL_ARG_DIFF_SRC_ITER_C, diff_state_);
  backward_.execute(stream_, args);
  return diff_src_;
}

std::vector<Numbers> OneDnnLayer::gradients() {
  std::vector<Numbers> all;
  for (memory::dim d = 0; d < d_; ++d) {
    for (auto [diff, in] : {std::pair(diff_layer_, e_), std::pair(diff_iter_, h_)}) {
      memory dense(floats({1, d_, in, g_, h_}, Tag::ldgoi), engine_);
      dnnl::reorder(diff, dense).execute(stream_, diff, dense);
      const float* blocks = data(dense) + d * in * g_ * h_;
      all.push_back(exchange_gates({blocks, blocks + in * g_ * h_}, what_.cell.equations));
    }
    const float* bias = data(diff_bias_) + d * biases_ * h_;
    all.push_back(exchange_gates({bias, bias + g_ * h_}, what_.cell.equations));
    if (what_.cell.equations == "gru") {
      all.push_back(all.back());
      std::copy_n(bias + 3 * h_, h_, all.back().begin() + 2 * h_);
    }
  }
  return all;
}

memory OneDnnLayer::mem(const dnnl::primitive_desc& pd, int argument) const {
  return {pd.query_md(dnnl::query::exec_arg_md, argument), engine_};
}

// The LSTM has two states, here both zero, whose gradients nobody reads. They are given, since
// without them oneDNN 2.6 gets the LSTM's and the RNN's gradient of weight_hh wrong.
void OneDnnLayer::add_state(Arguments& args, int h, int c, const memory& state) const {
  args.emplace(h, state);
  if (what_.cell.equations == "lstm") args.emplace(c, state);
}

void OneDnnLayer::load(const Problem::Layer* directions) {
  const auto dense = [&](Numbers Problem::Layer::*weights, memory::dim in) {
    Numbers all;
    for (memory::dim d = 0; d < d_; ++d) {
      const Numbers blocks = exchange_gates(directions[d].*weights, what_.cell.equations);
      all.insert(all.end(), blocks.begin(), blocks.end());
    }
    memory from(floats({1, d_, in, g_, h_}, Tag::ldgoi), engine_, all.data());
    memory to(floats({1, d_, in, g_, h_}, Tag::ldigo), engine_);
    dnnl::reorder(from, to).execute(stream_, from, to);
    return to;
  };
  weights_layer_ = dense(&Problem::Layer::weight_ih, e_);
  weights_iter_ = dense(&Problem::Layer::weight_hh, h_);
  for (memory::dim d = 0; d < d_; ++d) load_bias(directions[d], data(bias_) + d * biases_ * h_);
}

void OneDnnLayer::load_bias(const Problem::Layer& layer, float* bias) const {
  const Numbers ih = exchange_gates(layer.bias_ih, what_.cell.equations);
  const Numbers hh = exchange_gates(layer.bias_hh, what_.cell.equations);
  // The GRU's candidate has two biases: the hidden one stands inside the reset gate.
  const std::size_t summed = what_.cell.equations == "gru" ? 2 * what_.hidden : ih.size();
  for (std::size_t i = 0; i < ih.size(); ++i) bias[i] = ih[i] + (i < summed ? hh[i] : 0);
  if (summed < ih.size()) std::copy(hh.begin() + 2 * h_, hh.end(), bias + 3 * h_);
}

void OneDnnLayer::prepare_weights(memory& layer, memory& iter) {
  const auto prepare = [&](memory& from, memory& to) {
    if (from.get_desc() == to.get_desc())
      to = from;
    else
      dnnl::reorder(from, to).execute(stream_, from, to);
  };
  prepare(weights_layer_, layer);
  prepare(weights_iter_, iter);
}

}  // namespace bench
