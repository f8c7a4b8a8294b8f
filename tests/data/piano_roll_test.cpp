#include <reel/data/piano_roll.hpp>

#include "temp_folder.hpp"

namespace reel {
namespace {

using test::error_of;
using test::TempFolder;

class PianoRollTest : public testing::Test {
 protected:
  PianoRolls read(std::string_view bytes) const {
    return read_piano_rolls(folder_.write("r.json", bytes));
  }
  std::string error(std::string_view bytes) const {
    const std::string text = error_of<FileError>([&] { read(bytes); });
    const std::size_t at = text.find("r.json");
    return at == text.npos ? text : text.substr(at);
  }
  TempFolder folder_;
};

TEST_F(PianoRollTest, APieceIsAListOfSteps) {
  const PianoRolls rolls =
      read(R"({"train": [[[64, 60], []], [[108]]], "valid": [[[21, -1, 21]]], "test": [[[]]]})");
  EXPECT_EQ(rolls.train, (std::vector<PianoRoll>{{{60, 64}, {}}, {{108}}}));
  EXPECT_EQ(rolls.valid, (std::vector<PianoRoll>{{{21}}}));
  EXPECT_EQ(rolls.test, (std::vector<PianoRoll>{{{}}}));
}

TEST_F(PianoRollTest, WhatIsNoPieceIsNamed) {
  const auto file = [](std::string train) {
    return R"({"train": )" + train + R"(, "valid": [[[60]]], "test": [[[60]]]})";
  };
  EXPECT_EQ(error(file("[[[60]], [[60], [109]]]")),
            "r.json: train, piece 2, step 2: a pitch must lie in 21 .. 108, or be -1 for silence; "
            "found 109");
  for (const char* pitch :
       {"20", "60.5", "\"60\"", "null", "1e99", "99999999999999999999", "18446744073709551615"})
    EXPECT_TRUE(error(file("[[[" + std::string(pitch) + "]]]"))
                    .starts_with("r.json: train, piece 1, step 1: a pitch must lie in 21 .. 108, "
                                 "or be -1 for silence; "
                                 "found "))
        << pitch;
  EXPECT_EQ(error(file("[[60]]")),
            "r.json: train, piece 1, step 1: must be a list of pitches; found number");
  EXPECT_EQ(error(file("[{}]")), "r.json: train, piece 1: must be a list of steps; found object");
  EXPECT_EQ(error(file("7")), "r.json: train: must be a list of pieces; found number");
  EXPECT_EQ(error(file("[]")), "r.json: train: must have a piece; found none");
  EXPECT_EQ(error(file("[[]]")), "r.json: train, piece 1: must have a step; found none");
  EXPECT_EQ(error("{\"train\": [[[60]]], \"valid\": [[[60]]]}"),
            "r.json: must be an object with train, valid and test; found no test");
  EXPECT_EQ(error("[]"), "r.json: must be an object with train, valid and test; found no train");
  EXPECT_EQ(error("{\n!}"), "r.json:2: text must be JSON; found an error after column 0");
}

TEST_F(PianoRollTest, IsTransposedWithinThePiano) {
  const PianoRoll roll{{60, 64}, {}, {100}};
  EXPECT_EQ(transpose(roll, -3), (PianoRoll{{57, 61}, {}, {97}}));
  EXPECT_EQ(transposition_range(roll).down, 21 - 60);
  EXPECT_EQ(transposition_range(roll).up, 8);
  EXPECT_EQ(transposition_range({{}}).up, 0);
  EXPECT_EQ(transposition_range({{}}).down, 0);
  EXPECT_EQ(error_of([&] { transpose(roll, 9); }),
            "transpose: pitches must stay in 21 .. 108; got 100, moved by 9");
}

TEST_F(PianoRollTest, KeysAreOneWhereTheySound) {
  const PianoRoll beyond{{109}, {}};
  EXPECT_EQ(error_of([&] { keys_of(std::array{&beyond}); }),
            "piano roll: a pitch must lie in 21 .. 108; got 109");
  const PianoRoll a{{21, 23}, {}, {108}}, b{{22}};
  const std::vector<const PianoRoll*> rolls{&a, &b};
  const auto sounding = [](const Array& keys) {
    std::vector<std::array<std::size_t, 3>> places;
    for (std::size_t t = 0; t < keys.shape(0); ++t)
      for (std::size_t row = 0; row < keys.shape(1); ++row)
        for (std::size_t key = 0; key < keys.shape(2); ++key)
          if (keys(t, row, key) != 0) places.push_back({t, row, key});
    return places;
  };
  using Places = std::vector<std::array<std::size_t, 3>>;
  const Array now = keys_of(rolls), before = keys_of(rolls, 1);
  EXPECT_EQ(shape_of(now), (Shape{3, 2, kPianoKeys}));
  EXPECT_EQ(shape_of(before), shape_of(now));
  EXPECT_EQ(sounding(now), (Places{{0, 0, 0}, {0, 0, 2}, {0, 1, 1}, {2, 0, 87}}));
  EXPECT_EQ(sounding(before), (Places{{1, 0, 0}, {1, 0, 2}}));
}

}  // namespace
}  // namespace reel
