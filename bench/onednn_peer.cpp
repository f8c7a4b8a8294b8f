#include "onednn_peer.hpp"

#include <omp.h>

#include <algorithm>

#include "onednn_layer.hpp"

namespace bench {
namespace {

using dnnl::memory;

class OneDnn final : public Contestant {
 public:
  explicit OneDnn(const Problem& problem)
      : what_(problem.what), engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {
    const auto time_major = [&](const Numbers& from, std::size_t width) {
      const auto size = [](std::size_t n) { return static_cast<memory::dim>(n); };
      memory m(floats({size(what_.steps), size(what_.batch), size(width)}, memory::format_tag::tnc),
               engine_);
      std::copy(from.begin(), from.end(), data(m));
      return m;
    };
    x_ = time_major(problem.x, what_.input);
    dy_ = time_major(problem.dy, what_.width(what_.layers));
    for (std::size_t l = 0; l < what_.layers; ++l)
      layers_.emplace_back(problem, l, engine_, stream_);
  }

  void run(std::size_t steps, std::vector<double>& ms) override {
    time_steps(steps, ms, [&] { step(); });
  }

  Answer answer() override {
    step();
    std::vector<Numbers> parts{to_numbers(outputs_)};
    if (what_.train) {
      parts.push_back(to_numbers(dx_));
      for (OneDnnLayer& layer : layers_)
        for (Numbers& gradient : layer.gradients()) parts.push_back(std::move(gradient));
    }
    Answer answer;
    const AnswerNames names(what_);
    for (std::size_t i = 0; i < parts.size(); ++i)
      answer.emplace_back(names.names_and_sizes()[i].first, std::move(parts[i]));
    return answer;
  }

 private:
  static Numbers to_numbers(const memory& m) {
    return {data(m), data(m) + m.get_desc().get_size() / sizeof(float)};
  }
  void step() {
    std::vector<memory> inputs{x_};
    for (OneDnnLayer& layer : layers_) inputs.push_back(layer.forward(inputs.back()));
    outputs_ = inputs.back();
    if (what_.train) {
      dx_ = dy_;
      for (std::size_t l = layers_.size(); l-- > 0;) dx_ = layers_[l].backward(inputs[l], dx_);
    }
    stream_.wait();
  }

  Case what_;
  dnnl::engine engine_;
  dnnl::stream stream_;
  memory x_, dy_, outputs_, dx_;
  std::vector<OneDnnLayer> layers_;
};

}  // namespace

std::unique_ptr<Contestant> make_onednn(const Problem& problem) {
  if (problem.what.cell.equations.empty()) throw Missing("has no " + problem.what.cell.name);
  omp_set_num_threads(static_cast<int>(problem.what.threads));
  return std::make_unique<OneDnn>(problem);
}

}  // namespace bench
