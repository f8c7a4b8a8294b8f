// What every app's main does around its commands: options, exit codes and error messages.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <new>
#include <stdexcept>
#include <string>

namespace apps {

constexpr int kFailed = 1;         // bad input, reported on standard error
constexpr int kUsage = 2;          // unknown or wrong option
constexpr int kInterrupted = 130;  // Ctrl-C; what was learned is saved

// An option that takes a number from low to high and shows its default.
template <class T, class Bound>
void add_number(CLI::App& command, const char* name, T& value, Bound low, Bound high,
                const std::string& help) {
  command.add_option(name, value, help)->check(CLI::Range(low, high))->capture_default_str();
}

// Parses the command line, which runs the chosen command's callback, and returns the exit code:
// 0, kFailed, kUsage, or what `result` was set to.
inline int run(CLI::App& app, int argc, char** argv, const int& result) {
  try {
    app.parse(argc, argv);
    if (std::fflush(stdout) != 0 || std::ferror(stdout))
      throw std::runtime_error("standard output: could not be written");
    return result;
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : kUsage;
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "{}: out of memory; smaller sizes take less\n", app.get_name());
    return kFailed;
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}: {}\n", app.get_name(), e.what());
    return kFailed;
  }
}

}  // namespace apps
