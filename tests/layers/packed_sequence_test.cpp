#include <reel/layers/packed_sequence.hpp>

#include "answers.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {
namespace {

using Sizes = std::vector<std::size_t>;

// torch.nn.utils.rnn.pack_padded_sequence(torch.arange(15.).view(5, 3, 1), [2, 5, 3],
// enforce_sorted=False)
TEST(PackedSequenceTest, IsPyTorchs) {
  Array x = empty_array({5, 3, 1});
  std::iota(x.begin(), x.end(), real(0));
  const PackedSequence packed = pack_padded_sequence(Var(x), Lengths{2, 5, 3});
  const std::vector<real> data{1, 2, 0, 4, 5, 3, 7, 8, 10, 13};
  const Array actual = packed.data.value();
  EXPECT_TRUE(std::equal(actual.begin(), actual.end(), data.begin(), data.end()));
  EXPECT_EQ(packed.batch_sizes, (Sizes{3, 3, 2, 1, 1}));
  EXPECT_EQ(packed.sorted_indices, (Sizes{1, 2, 0}));
  EXPECT_EQ(packed.unsorted_indices, (Sizes{2, 0, 1}));
}

TEST(PackedSequenceTest, PaddedAgainIsItselfWithZeros) {
  const Lengths lengths{2, 0, 5, 2, 4};
  for (const bool batch_first : {false, true}) {
    Array x = batch_first ? random_array({5, 6, 2}, 1) : random_array({6, 5, 2}, 1);
    for (std::size_t t = 0; t < 6; ++t)
      for (std::size_t row = 0; row < 5; ++row)
        for (std::size_t i = 0; i < 2; ++i)
          if (t >= lengths[row]) (batch_first ? x(row, t, i) : x(t, row, i)) = 0;
    const PaddedSequence padded =
        pad_packed_sequence(pack_padded_sequence(Var(x), lengths, batch_first), batch_first, 6);
    EXPECT_TRUE(same_bits(padded.x.value(), x));
    EXPECT_EQ(padded.lengths, lengths);
  }
}

TEST(PackedSequenceTest, OneOrderSuffices) {
  const Array x = random_array({3, 3, 2}, 1);
  PackedSequence packed = pack_padded_sequence(Var(x), Lengths{1, 3, 2});
  const Array expected = pad_packed_sequence(packed).x.value();
  PackedSequence sorted = packed, unsorted = packed;
  sorted.unsorted_indices.clear();
  unsorted.sorted_indices.clear();
  EXPECT_TRUE(same_bits(pad_packed_sequence(sorted).x.value(), expected));
  EXPECT_TRUE(same_bits(pad_packed_sequence(unsorted).x.value(), expected));
  packed.sorted_indices = {0, 1, 2};
  EXPECT_THROW(pad_packed_sequence(packed), ShapeError);
}

TEST(PackedSequenceTest, GradientsGoWhereElementsCameFrom) {
  const Lengths lengths{1, 3};
  Tape tape;
  const Var x = tape.leaf(random_array({3, 2, 2}, 1));
  const Var y = pad_packed_sequence(pack_padded_sequence(x, lengths)).x;
  tape.backward(sum(y * Var(random_array({3, 2, 2}, 2))));
  const Array gradient = x.grad(), expected = random_array({3, 2, 2}, 2);
  for (std::size_t t = 0; t < 3; ++t)
    for (std::size_t row = 0; row < 2; ++row)
      EXPECT_EQ(gradient(t, row, 1), t < lengths[row] ? expected(t, row, 1) : 0);
}

TEST(PackedSequenceTest, WhatDoesNotFitTogetherIsRefused) {
  const Var data(random_array({4, 2}, 1));
  const auto pad = [&](Sizes sizes, Sizes unsorted, std::size_t total = 0) {
    pad_packed_sequence({data, std::move(sizes), {}, std::move(unsorted)}, false, total);
  };
  pad({3, 1}, {});
  EXPECT_THROW(pad({1, 3}, {}), ShapeError);
  EXPECT_THROW(pad({3, 2}, {}), ShapeError);
  EXPECT_THROW(pad({3, 1}, {0, 1}), ShapeError);
  EXPECT_THROW(pad({3, 1}, {0, 1, 1}), ShapeError);
  EXPECT_THROW(pad({3, 1}, {}, 1), ShapeError);
  EXPECT_THROW(pack_padded_sequence(data, Lengths{4}), ShapeError);
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION::layer_tests
