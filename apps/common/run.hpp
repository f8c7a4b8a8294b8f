// What every app's main does around its commands: options, exit codes and error messages.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "settings.hpp"

namespace apps {

constexpr int kFailed = 1;         // bad input, reported on standard error
constexpr int kUsage = 2;          // unknown or wrong option
constexpr int kInterrupted = 130;  // Ctrl-C; what was learned is saved

// An option that takes a number from low to high and shows its default.
template <class T, class Bound>
CLI::Option* add_number(CLI::App& command, const char* name, T& value, Bound low, Bound high,
                        const std::string& help) {
  return command.add_option(name, value, help)->check(CLI::Range(low, high))->capture_default_str();
}
inline CLI::Option* add_size(CLI::App& command, const char* name, std::size_t& value,
                             const std::string& help, std::size_t least = 1) {
  return add_number(command, name, value, least, kMostSize, help);
}
// Of less than all, as dropout is.
template <class T>
CLI::Option* add_share(CLI::App& command, const char* name, T& value, const std::string& help) {
  return add_number(command, name, value, 0.0, 0.95, help);
}
inline CLI::Option* add_choice(CLI::App& command, const char* name, std::string& value,
                               const std::vector<std::string>& choices, const std::string& help) {
  return command.add_option(name, value, help)
      ->check(CLI::IsMember(choices))
      ->capture_default_str();
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
