#include <reel/data/spellings.hpp>

#include "temp_folder.hpp"

namespace reel::inline REEL_PRECISION {
namespace {

using test::error_of;

const std::vector<std::vector<std::int64_t>> kWords{{5, 6}, {}, {7, 8, 9}, {5}};

Indices grid(const std::vector<std::vector<std::int64_t>>& rows) {
  Indices all(Indices::shape_type{rows.size(), rows[0].size()}, 0);
  for (std::size_t r = 0; r < rows.size(); ++r)
    for (std::size_t c = 0; c < rows[r].size(); ++c) all(r, c) = rows[r][c];
  return all;
}

TEST(SpellingsTest, EachWordIsSpeltOnce) {
  const Indices tokens{{3, 2}, {2, 9}, {3, 9}};
  const Spellings s = spell(tokens, std::vector<std::size_t>{3, 1}, kWords);
  EXPECT_EQ(s.lengths, (std::vector<std::size_t>{1, 3}));
  EXPECT_EQ(s.characters, (grid({{5, 7}, {0, 8}, {0, 9}})));
  EXPECT_EQ(s.positions, (grid({{0, 1}, {1, -1}, {0, -1}})));
}

TEST(SpellingsTest, RowsAndWordsMayBeEmpty) {
  const Spellings s = spell(grid({{1, 0}}), std::vector<std::size_t>{1, 0}, kWords);
  EXPECT_EQ(s.lengths, (std::vector<std::size_t>{0}));
  EXPECT_EQ(s.characters, (grid({{0}})));
  EXPECT_EQ(s.positions, (grid({{0, -1}})));
  EXPECT_EQ(spell(grid({{1}}), std::vector<std::size_t>{0}, kWords).lengths.size(), 0u);
}

TEST(SpellingsTest, RefusesWhatDoesNotFit) {
  const std::vector<std::size_t> one{1};
  EXPECT_EQ(error_of<Error>([&] { spell(grid({{4}}), one, kWords); }),
            "spell: a token must be one of 4 words; got 4");
  EXPECT_THROW(spell(grid({{-1}}), one, kWords), Error);
  EXPECT_THROW(spell(grid({{1, 1}}), one, kWords), ShapeError);
  EXPECT_THROW(spell(grid({{1}}), std::vector<std::size_t>{2}, kWords), ShapeError);
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION
