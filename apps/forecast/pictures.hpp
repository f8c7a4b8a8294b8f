// Forecasts on a page.
#pragma once

#include "../common/report.hpp"
#include "forecasts.hpp"

namespace forecast {

// A table of methods and figures, and a chart of the error by how far ahead it is.
void show_figures(apps::Report& report, const std::vector<Scored>& scored, const Dataset& data);

// A chart for each target, at most kMostCharts of them: what was known, the forecasts of the rows
// behind the window, their interval, and what came, where it is known. The first method's
// intervals are shown.
constexpr std::size_t kMostCharts = 8;
void show_forecast(apps::Report& report, const std::vector<Method>& methods, const Dataset& data,
                   const reel::Window& window, const Settings& settings);

}  // namespace forecast
