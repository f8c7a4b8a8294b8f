// Which classes are taken for which.
#pragma once

#include <cstddef>
#include <vector>

namespace reel {

// Counts of examples by the class they are of and the class they were told to be of.
class Confusion {
 public:
  explicit Confusion(std::size_t classes) : classes_(classes), counts_(classes * classes) {}

  // These, and those below that take a class, throw Error if there is no such class.
  void add(std::size_t truth, std::size_t told) { ++counts_[place(truth, told)]; }
  std::size_t count(std::size_t truth, std::size_t told) const {
    return counts_[place(truth, told)];
  }
  std::size_t classes() const { return classes_; }
  std::size_t total() const;

  double accuracy() const;  // share of the examples that were told right; 0 without examples
  // Of what was told to be of this class, the share that is; of what is, the share that was told;
  // and their harmonic mean, 2 tp / (2 tp + fp + fn). Each is 0 where it would be 0 / 0.
  double precision(std::size_t label) const;
  double recall(std::size_t label) const;
  double f1(std::size_t label) const;
  double macro_f1() const;  // mean of f1 over all classes

 private:
  std::size_t place(std::size_t truth, std::size_t told) const;
  std::size_t told(std::size_t label) const;
  std::size_t truly(std::size_t label) const;

  std::size_t classes_;
  std::vector<std::size_t> counts_;  // [truth, told]
};

}  // namespace reel
