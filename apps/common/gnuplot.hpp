// gnuplot, run as a program.
#pragma once

#include <string>
#include <string_view>

namespace apps {

// A text as a gnuplot string: nothing in it is a command, an escape or a line end.
std::string gnuplot_string(std::string_view text);

// What a script that sets an SVG terminal draws, as an <svg> element. Throws reel::Error if
// gnuplot is missing or reports an error.
std::string draw(const std::string& script);

}  // namespace apps
