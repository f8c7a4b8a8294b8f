#include <reel/data/parallel.hpp>

#include "temp_folder.hpp"

namespace reel {
namespace {

using test::error_of;
using test::TempFolder;
using Pairs = std::vector<SentencePair>;

class ParallelTest : public testing::Test {
 protected:
  Pairs read(std::string_view bytes) const { return read_parallel(folder_.write("p.tsv", bytes)); }
  std::string error(std::string_view bytes) const {
    std::string text = error_of<FileError>([&] { read(bytes); });
    const std::string folder = folder_ / "";
    return text.starts_with(folder) ? text.substr(folder.size()) : text;
  }
  TempFolder folder_;
};

TEST_F(ParallelTest, PairsStandOnLines) {
  const Pairs expected{{"Go.", "Va !"}, {"Run!", "Ça alors\xC2\xA0!"}};
  EXPECT_EQ(read("Go.\tVa !\nRun!\tÇa alors\xC2\xA0!\n"), expected);
  EXPECT_EQ(read("\xEF\xBB\xBFGo.\tVa !\r\nRun!\tÇa alors\xC2\xA0!\r\n\r\n"), expected);
  EXPECT_EQ(read("Go.\tVa !\tCC BY\nRun!\tÇa alors\xC2\xA0!\tby\tx"), expected);
  EXPECT_EQ(read("a\t b \r\n"), (Pairs{{"a", " b "}}));
}

TEST_F(ParallelTest, WrongLinesAreNamed) {
  EXPECT_EQ(error(""), "p.tsv: file must hold at least one pair; found none");
  EXPECT_EQ(error("a\tb\nc\n"), "p.tsv:2: line must be source<TAB>target; found no tab");
  EXPECT_EQ(error("a\tb\n\nc\td\n"), "p.tsv:2: line must be source<TAB>target; found no tab");
  EXPECT_EQ(error("a\t\tx\n"), "p.tsv:1: line must be source<TAB>target; found an empty target");
  EXPECT_EQ(error("a\tb\n\tb\n"), "p.tsv:2: line must be source<TAB>target; found an empty source");
  EXPECT_TRUE(error("a\tb\na\t\xFF\n").starts_with("p.tsv:2: text must be UTF-8; found"));
  EXPECT_NE(error_of<FileError>([&] { read_parallel(folder_ / "none.tsv"); }).find("none.tsv"),
            std::string::npos);
}

TEST(HashShare, DependsOnTheTextAloneAndIsEvenlySpread) {
  EXPECT_EQ(hash_share("Go."), hash_share("Go."));
  EXPECT_NE(hash_share("Go."), hash_share("Go!"));
  std::vector<int> counts(10);
  for (int i = 0; i < 10000; ++i)
    ++counts[static_cast<std::size_t>(10 * hash_share(fmt::format("sentence {}", i)))];
  for (const int count : counts) EXPECT_NEAR(count, 1000, 120);  // four standard deviations
}

}  // namespace
}  // namespace reel
