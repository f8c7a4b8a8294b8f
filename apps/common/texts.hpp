// Texts that a command is given: its arguments, or else the lines of standard input.
#pragma once

#include <fmt/format.h>
#include <reel/data/text.hpp>

#include <iostream>
#include <string>
#include <vector>

namespace apps {

// act(text) for each of the arguments, or if there are none for each line of standard input as it
// comes, without a byte order mark and CR; what act prints is shown at once. Throws reel::Error
// for what is not UTF-8.
void for_each_text(const std::vector<std::string>& arguments, auto&& act) {
  for (const std::string& text : arguments) {
    reel::check_utf8<reel::Error>(text, "argument");
    act(text);
  }
  if (!arguments.empty()) return;
  std::string line;
  for (std::size_t number = 1; std::getline(std::cin, line); ++number) {
    if (number == 1 && line.starts_with("\xef\xbb\xbf")) line.erase(0, 3);
    if (line.ends_with('\r')) line.pop_back();
    reel::check_utf8<reel::Error>(line, fmt::format("standard input:{}", number));
    act(line);
    std::fflush(stdout);
  }
}

}  // namespace apps
