// A program, run from the outside in a folder of its own.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <reel/data/file.hpp>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace app_tests {

struct Outcome {
  int code;
  std::string out, err;
};

class AppTest : public testing::Test {
 protected:
  explicit AppTest(std::string program)
      : program_(std::move(program)),
        folder_(std::filesystem::temp_directory_path() /
                fmt::format("reel-app-{}-{}", ::getpid(),
                            testing::UnitTest::GetInstance()->current_test_info()->name())) {}
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& bytes) {
    reel::write_file_atomically(folder_ / name, bytes);
  }
  std::string read(const std::string& name) const { return reel::read_file(folder_ / name); }
  bool exists(const std::string& name) const { return std::filesystem::exists(folder_ / name); }

  Outcome run(const std::string& arguments, const std::string& input = "") {
    write("in", input);
    return run_script(fmt::format("'{}' {} <in", program_, arguments));
  }
  // Commands for bash, with job control, in the folder.
  Outcome run_script(const std::string& commands) {
    write("script", commands);
    const int status =
        std::system(fmt::format("cd '{}' && bash -m script >out 2>err", folder_.string()).c_str());
    return {WEXITSTATUS(status), read("out"), read("err")};
  }
  // Ctrl-C as soon as a training into folder m has something to go on from.
  Outcome interrupt(const std::string& arguments) {
    return run_script(
        fmt::format("'{}' {} &\npid=$!\nwhile kill -0 $pid && ! [ -e m/training.safetensors ]; do "
                    "sleep 0.01; done\nkill -INT $pid\nwait $pid\n",
                    program_, arguments));
  }

  std::string program_;
  std::filesystem::path folder_;
};

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

// What a run prints that does not depend on the machine's speed.
inline std::string without_rates(std::string text, const std::string& unit) {
  for (std::size_t at; (at = text.find(" " + unit + "/s")) != text.npos;)
    text.erase(text.rfind("  ", at), text.find('\n', at) - text.rfind("  ", at));
  return text;
}

inline void expect_refusal(const Outcome& outcome, const std::string& reason) {
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(contains(outcome.err, reason)) << outcome.err;
}

}  // namespace app_tests
