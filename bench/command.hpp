// What the mains of the benchmarks do around their work: exit codes and error messages.
#pragma once

#include <CLI/CLI.hpp>
#include <iostream>
#include <stdexcept>

namespace bench {

constexpr int kFailed = 1;
constexpr int kUsage = 2;  // unknown or wrong option

// Parses the command line, acts, and returns the exit code. std::invalid_argument is a wrong option
// as well.
template <class Act>
int run_command(CLI::App& app, int argc, char** argv, Act&& act) {
  const auto failed = [&](const std::exception& e, int code) {
    std::cerr << app.get_name() << ": " << e.what() << '\n';
    return code;
  };
  try {
    app.parse(argc, argv);
    act();
    return 0;
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : kUsage;
  } catch (const std::invalid_argument& e) {
    return failed(e, kUsage);
  } catch (const std::exception& e) {
    return failed(e, kFailed);
  }
}

}  // namespace bench
