// Properties of layers, checked on random configurations that shrink when one fails.
#pragma once

#include "any_layer.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {

// Says what is wrong, or nothing.
using Property = std::function<std::string(const Configuration&)>;

struct Limits {
  std::size_t layers = 3, rows = 6, steps = 12, width = 6;
};
Configuration random_configuration(Random& random, const Limits& limits = {});

// What the property says; an exception's text if it throws.
std::string violation(const Property& property, const Configuration& c);
// Of the configurations that come of a failing one by simplifying it while it fails, the last.
Configuration shrink(const Property& property, Configuration failing);

// Each on one configuration.
std::string batch_is_singles(const Configuration& c);
std::string padding_changes_nothing(const Configuration& c);
std::string reversed_is_reversed(const Configuration& c);
std::string stack_is_layer_by_layer(const Configuration& c);
std::string stream_is_batch(const Configuration& c);
std::string checkpointed_is_plain(const Configuration& c);
std::string batch_first_is_permuted(const Configuration& c);
std::string derivatives_are_right(const Configuration& c);  // first and second; needs double

}  // namespace reel::inline REEL_PRECISION::layer_tests
