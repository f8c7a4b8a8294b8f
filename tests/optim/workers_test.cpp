#include <gtest/gtest.h>
#include <reel/autodiff/error.hpp>
#include <reel/optim/workers.hpp>

#include <numeric>

namespace reel {
namespace {

TEST(WorkersTest, DoEveryJobOnce) {
  for (std::size_t count : {1, 2, 3, 5}) {
    Workers workers(count);
    EXPECT_EQ(workers.count(), count);
    for (std::size_t jobs : {0, 1, 2, 7, 100}) {
      std::vector<int> done(jobs);
      workers.run(jobs, [&](std::size_t job) { ++done[job]; });
      EXPECT_EQ(done, std::vector<int>(jobs, 1));
    }
  }
}

TEST(WorkersTest, AJobHasItsWorkerAndTheCallerIsOne) {
  Workers workers(3);
  std::vector<std::thread::id> first(8), second(8);
  workers.run(8, [&](std::size_t job) { first[job] = std::this_thread::get_id(); });
  workers.run(8, [&](std::size_t job) { second[job] = std::this_thread::get_id(); });
  EXPECT_EQ(first, second);
  EXPECT_EQ(first[0], std::this_thread::get_id());
  for (std::size_t job = 3; job < 8; ++job) EXPECT_EQ(first[job], first[job - 3]);
  EXPECT_NE(first[0], first[1]);
  EXPECT_NE(first[1], first[2]);
}

TEST(WorkersTest, ManyRunsFollowEachOther) {
  Workers workers(2);
  std::vector<std::size_t> sums(2);
  for (int i = 0; i < 20000; ++i) workers.run(2, [&](std::size_t job) { sums[job] += job + 1; });
  EXPECT_EQ(sums, (std::vector<std::size_t>{20000, 40000}));
}

TEST(WorkersTest, SleepersWake) {
  Workers workers(3);
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::atomic<int> done = 0;
    workers.run(3, [&](std::size_t job) {
      if (job == 2) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      ++done;
    });
    EXPECT_EQ(done, 3);
  }
}

TEST(WorkersTest, TheLowestJobsExceptionIsThrownAndTheOthersRun) {
  for (std::size_t count : {1, 2, 4}) {
    Workers workers(count);
    std::vector<int> done(6);
    for (int time = 0; time < 2; ++time) {
      try {
        workers.run(6, [&](std::size_t job) {
          if (job == 3 || job == 2) throw std::runtime_error(std::to_string(job));
          ++done[job];
        });
        ADD_FAILURE();
      } catch (const std::runtime_error& e) {
        EXPECT_STREQ(e.what(), "2");
      }
    }
    EXPECT_EQ(done, (std::vector<int>{2, 2, 0, 0, 2, 2}));
    workers.run(6, [&](std::size_t job) { ++done[job]; });
    EXPECT_EQ(done, (std::vector<int>{3, 3, 1, 1, 3, 3}));
  }
}

TEST(WorkersTest, AJobMustNotCallThem) {
  for (std::size_t count : {1, 2}) {
    Workers workers(count);
    EXPECT_THROW(workers.run(2, [&](std::size_t) { workers.run(1, [](std::size_t) {}); }), Error);
    int done = 0;
    workers.run(1, [&](std::size_t) { ++done; });
    EXPECT_EQ(done, 1);
  }
}

}  // namespace
}  // namespace reel
