// A softmax over many classes whose cost grows with what is frequent (Grave et al. 2017).
#pragma once

#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/scope.hpp>
#include <reel/layers/init.hpp>
#include <reel/layers/module.hpp>

#include <vector>

namespace reel::inline REEL_PRECISION {

struct AdaptiveSoftmaxConfig {
  // Classes, the most frequent first, are cut here: 0 .. cutoffs[0] - 1 are in the head, the
  // others in one cluster from each cutoff to the next, the last one ending with the classes.
  std::vector<std::size_t> cutoffs;
  double div_value = 4;  // cluster i sees h at in / div_value^i of its width, i from 1
  bool head_bias = false;
};

// log p(class | h) = log softmax(head h)[class] for a class in the head, else
// log softmax(head h)[its cluster] + log softmax(tail h)[class in its cluster], the tail being a
// narrow layer and a wide one. A training step touches only the clusters that its targets are in,
// on the rows that are in them. Names and shapes are those of torch.nn.AdaptiveLogSoftmaxWithLoss.
class AdaptiveSoftmax {
 public:
  using Config = AdaptiveSoftmaxConfig;

  // Glorot weights. Throws Error unless the cutoffs rise from at least 1 to less than `classes`.
  AdaptiveSoftmax(std::size_t in, std::size_t classes, Random& random, const Config& config);

  // Mean of -log p(class) over rows: h [.., in], classes [..]. Rows whose class is ignore_index do
  // not count; 0 if there are no others.
  Var loss(const Var& h, const Indices& classes, std::int64_t ignore_index = -100) const;
  // log p of all classes: h [.., in] -> [.., classes].
  Var log_probabilities(const Var& h) const;

  std::size_t classes() const { return ends_.back(); }

  static void fields(auto& self, auto&& visit) {
    visit("head.weight", self.head_);
    if (self.config_.head_bias) visit("head.bias", self.bias_);
    for (std::size_t i = 0; i < self.tails_.size(); ++i) {
      visit(fmt::format("tail.{}.0.weight", i), self.tails_[i].narrow);
      visit(fmt::format("tail.{}.1.weight", i), self.tails_[i].wide);
    }
  }

 private:
  struct Tail {
    Parameter narrow;  // [narrow, in]
    Parameter wide;    // [classes of the cluster, narrow]
  };
  Var rows_of(const Var& h) const;  // [.., in] -> [rows, in]
  Var head(const Var& rows) const;  // log softmax of head classes, then clusters
  Var tail(std::size_t i, const Var& rows) const;
  std::size_t cluster_of(std::int64_t c) const;  // 0: the head

  Config config_;
  std::vector<std::size_t> ends_;  // of head and clusters
  Parameter head_, bias_;          // [ends_[0] + clusters, in]
  std::vector<Tail> tails_;
};

}  // namespace reel::inline REEL_PRECISION
