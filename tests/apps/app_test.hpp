// What the tests of the apps share: a folder of their own, in which a program runs.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <reel/data/file.hpp>
#include <reel/data/safetensors.hpp>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "../data/temp_folder.hpp"

namespace reel::test {

struct Outcome {
  int code;
  std::string out, err;
};

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

// What a run prints that does not depend on the machine's speed.
inline std::string without_rates(std::string text, const std::string& unit = "tokens") {
  for (std::size_t at; (at = text.find(" " + unit + "/s")) != text.npos;)
    text.erase(text.rfind("  ", at), text.find('\n', at) - text.rfind("  ", at));
  return text;
}

// Bad input: exit code 1 and the reason.
inline void expect_refusal(const Outcome& outcome, const std::string& reason) {
  EXPECT_EQ(outcome.code, 1) << outcome.out;
  EXPECT_TRUE(contains(outcome.err, reason)) << outcome.err;
}

class AppTest : public testing::Test {
 protected:
  explicit AppTest(std::string program) : program_(std::move(program)) {}

  std::string path(const std::string& name) const { return folder_ / name; }
  void write(const std::string& name, const std::string& bytes) const {
    write_file_atomically(folder_ / name, bytes);
  }
  std::string read(const std::string& name) const { return read_file(folder_ / name); }
  bool exists(const std::string& name) const { return std::filesystem::exists(folder_ / name); }

  // The program with these arguments, in the folder; `environment`: NAME=value ..
  Outcome run(const std::string& arguments, const std::string& input = "",
              const std::string& environment = "") const {
    write("in", input);
    return shell(fmt::format("{} '{}' {} <in", environment, program_, arguments));
  }
  // The program, interrupted as soon as there is a file of this name.
  Outcome interrupt(const std::string& arguments, const std::string& when_there) const {
    write("interrupt.sh", fmt::format("'{}' {} &\npid=$!\n"
                                      "while ! [ -e '{}' ]; do sleep 0.01; done\n"
                                      "kill -INT $pid\nwait $pid\n",
                                      program_, arguments, when_there));
    return shell("bash -m interrupt.sh");
  }

  // Of a model in m, with which these arguments run: bad settings are refused by their file's name,
  // weights that belong to others by theirs. The model is left as it was.
  void expect_checked_model(const std::string& arguments) const {
    const std::string weights = read("m/weights.safetensors"), settings = read("m/settings.json");
    const auto refuses = [&](const char* key, const nlohmann::json& value, const char* reason) {
      SCOPED_TRACE(key);
      auto changed = nlohmann::ordered_json::parse(settings);
      changed[key] = value;
      write("m/settings.json", changed.dump());
      expect_refusal(run(arguments), reason);
      write("m/settings.json", settings);
    };
    refuses("hidden_size", 0, "m/settings.json: hidden_size must lie in 1 .. ");
    refuses("dropout", "much", "m/settings.json: these are no settings of ");
    refuses("dropout", 0.625, "m/weights.safetensors: must have been saved with settings.json");

    Safetensors file = load_safetensors(path("m/weights.safetensors"));
    ASSERT_EQ(file.metadata.size(), 1u);
    file.metadata = {{"settings", file.metadata.at("fingerprint")}};  // as older models have it
    save_safetensors(path("m/weights.safetensors"), file);
    EXPECT_EQ(run(arguments).code, 0);
    refuses("dropout", 0.625, "m/weights.safetensors: must have been saved with settings.json");
    file.metadata.clear();  // as still older ones: then the network's own rules are what is left
    save_safetensors(path("m/weights.safetensors"), file);
    EXPECT_EQ(run(arguments).code, 0);
    refuses("dropout", 2, "m/settings.json: dropout: p must lie in [0, 1); got 2");
    refuses("hidden_size", 3, "m/weights.safetensors: weight ");
    write("m/weights.safetensors", weights);
  }

 private:
  Outcome shell(const std::string& command) const {
    const std::string line = fmt::format("cd '{}' && {} >out 2>err", path(""), command);
    const int status = std::system(line.c_str());
    return {WEXITSTATUS(status), read("out"), read("err")};
  }

  TempFolder folder_;
  std::string program_;
};

}  // namespace reel::test
