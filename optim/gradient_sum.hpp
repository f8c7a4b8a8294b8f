// Gradients of several tapes, added up in a fixed order.
#pragma once

#include <reel/autodiff/parameter.hpp>
#include <reel/optim/workers.hpp>

#include <span>
#include <vector>

namespace reel::inline REEL_PRECISION {

// Adds what lies in stores to the gradients of the parameters, and clears the stores. The sum over
// stores is a binary tree, ((0 + 1) + (2 + 3)) + .., for any number of workers. Where all that was
// reached are rows of a table, only these are added.
class GradientSum {
 public:
  void operator()(std::span<GradientStore> stores, Workers& workers);

 private:
  // A parameter that some store has a gradient of.
  struct Entry {
    const Parameter* parameter;
    std::vector<const Gradient*> parts;  // one per store; null: none
    bool overwrite = false;              // the parameter has no gradient to add to
  };
  // Some elements of an entry or, if its gradient is sparse, some of the rows reached.
  struct Piece {
    const Entry* entry;
    std::size_t begin, end;
  };
  void collect(std::span<GradientStore> stores);
  void plan(Entry& entry);
  static void add(const Piece& piece);
  static void add_elements(const Entry& entry, std::size_t begin, std::size_t end);

  std::vector<Entry> entries_;  // of all parameters met so far
  std::unordered_map<const Parameter*, std::size_t> index_;
  std::vector<Piece> pieces_;
};

}  // namespace reel::inline REEL_PRECISION
