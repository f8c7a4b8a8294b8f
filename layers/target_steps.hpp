// The targets of a decoder, step by step, each of its own length.
#pragma once

#include <reel/autodiff/ops.hpp>
#include <reel/layers/schedule.hpp>

#include <functional>

namespace reel::inline REEL_PRECISION {

// What a decoder is fed while it learns: with this probability the target's token, else the
// likeliest by its own scores (scheduled sampling, Bengio et al. 2015). 1: teacher forcing; 0:
// none.
struct Teacher {
  double forced = 1;
  Random* random = nullptr;  // needed between 0 and 1
};

// Rows of tokens [S, B], sorted by falling length so that those which run at a step are the first.
class TargetSteps {
 public:
  // `start` comes before each row's first token. Throws ShapeError unless each row has a length of
  // at most S, and Error unless there is a token.
  TargetSteps(const Indices& tokens, std::span<const std::size_t> lengths, std::int64_t start);

  std::size_t steps() const { return schedule_.steps(); }  // of the longest row
  // All tokens, step by step, of the rows that run [sum of lengths].
  const Indices& tokens() const { return packed_; }

  using Parts = std::vector<Var*, PoolAllocator<Var*>>;
  // Rows of a state in the order of the batch -> those that run at step 0, sorted. Throws
  // ShapeError unless each part has B rows.
  void sort(const Parts& state) const;
  // Those that run at step t - 1 -> those that run at step t.
  void keep_running(std::size_t t, const Parts& state) const;
  // What is fed at step 0, and at step t > 0 where scores(rows) gives the scores after the last
  // step of some of the rows that run [n, tokens], which is not recorded.
  Indices first() const;
  Indices next(std::size_t t, const Teacher& teacher,
               const std::function<Var(const Indices& rows)>& scores) const;

 private:
  Schedule schedule_;
  std::int64_t start_;
  Indices packed_;
};

}  // namespace reel::inline REEL_PRECISION
