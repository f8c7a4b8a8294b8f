#include <gtest/gtest.h>
#include <reel/autodiff/random.hpp>
#include <reel/autodiff/regions.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

namespace reel::testing {
namespace {

struct Piece {
  unsigned char* data;
  std::size_t bytes;
  unsigned char mark;

  Piece(std::size_t size, unsigned char content)
      : data(static_cast<unsigned char*>(pool::take_piece(size))), bytes(size), mark(content) {
    std::memset(data, mark, bytes);
  }
  bool is_intact() const {
    return std::all_of(data, data + bytes, [&](unsigned char c) { return c == mark; });
  }
  void give() const { pool::give_piece(data, bytes); }
};

TEST(RegionsTest, PiecesDoNotOverlapAndAllMemoryComesBack) {
  const pool::RegionStats before = pool::region_stats();
  Random random(3);
  std::vector<Piece> pieces;
  for (int i = 0; i < 3000; ++i) {
    if (pieces.empty() || random.below(5) < 3) {
      const std::size_t lines = std::size_t{1} << random.below(random.below(100) == 0 ? 17 : 10);
      pieces.emplace_back(pool::kLine * (lines + random.below(lines)), i % 251);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(pieces.back().data) % pool::kLine, 0u);
    } else {
      std::swap(pieces[random.below(pieces.size())], pieces.back());
      ASSERT_TRUE(pieces.back().is_intact()) << i;
      pieces.back().give();
      pieces.pop_back();
    }
  }
  std::size_t taken = 0;
  for (const Piece& piece : pieces) taken += piece.bytes;
  const pool::RegionStats some = pool::region_stats();
  if (some.held > 0) {  // else there are no regions
    EXPECT_EQ(some.held - some.free, before.held - before.free + taken);
  }
  for (const Piece& piece : pieces) {
    ASSERT_TRUE(piece.is_intact());
    piece.give();
  }
  const pool::RegionStats after = pool::region_stats();
  EXPECT_EQ(after.held, before.held);
  EXPECT_EQ(after.free, before.free);
}

TEST(RegionsTest, NeighboursThatComeBackServeALargerPiece) {
  const std::size_t bytes = 100 * pool::kLine;
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "there are no regions";
#endif
  std::vector<Piece> pieces;  // until holes are full and four lie side by side
  const auto adjoin = [&](std::size_t i) { return pieces[i].data + bytes == pieces[i + 1].data; };
  do {
    pieces.emplace_back(bytes, 1);
    ASSERT_LT(pieces.size(), 10000u);
  } while (pieces.size() < 4 || !adjoin(pieces.size() - 4) || !adjoin(pieces.size() - 3) ||
           !adjoin(pieces.size() - 2));
  const std::size_t first = pieces.size() - 4;  // the last of the four holds the region
  const pool::RegionStats before = pool::region_stats();
  for (const std::size_t i : {0, 2, 1}) pieces[first + i].give();
  EXPECT_EQ(pool::region_stats().free, before.free + 3 * bytes);
  const Piece joined(3 * bytes, 2);
  EXPECT_EQ(joined.data, pieces[first].data);
  EXPECT_EQ(pool::region_stats().held, before.held);
  joined.give();
  pieces.back().give();
  for (std::size_t i = 0; i < first; ++i) pieces[i].give();
}

TEST(RegionsTest, AnyThreadMayTakeAndGive) {
  const pool::RegionStats before = pool::region_stats();
  std::vector<Piece> pieces;
  for (int i = 0; i < 200; ++i) pieces.emplace_back(pool::kLine * (1 + i % 7), i);
  const auto work = [&](std::size_t first) {
    for (std::size_t i = first; i < pieces.size(); i += 4) {
      const Piece own(pool::kLine * 5, 7);
      EXPECT_TRUE(pieces[i].is_intact() && own.is_intact());
      pieces[i].give();
      own.give();
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t first = 0; first < 4; ++first) threads.emplace_back(work, first);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(pool::region_stats().held, before.held);
  EXPECT_EQ(pool::region_stats().free, before.free);
}

TEST(RegionsTest, TooMuchIsRefused) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer stops the program instead";
#endif
  EXPECT_THROW(pool::take_piece(std::size_t{1} << 62), std::bad_alloc);
}

}  // namespace
}  // namespace reel::testing
