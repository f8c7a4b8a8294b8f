// The page that apps write: what is in it, and that no text gets out of its place.
#include <gtest/gtest.h>
#include <reel/autodiff/error.hpp>

#include <cmath>
#include <string>

#include "../../apps/common/gnuplot.hpp"
#include "../../apps/common/report.hpp"
#include "../data/temp_folder.hpp"

namespace {

using apps::Chart;
using apps::Series;
using reel::test::error_of;

constexpr const char* kAttack = "</script ><script>alert(1)</script>'\"\n`id` <b>&amp;";
constexpr const char* kShown = "&lt;/script ";

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}
std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != text.npos; ++at) ++n;
  return n;
}

TEST(Report, ShowsAnyTextAsItIs) {
  apps::Report report(kAttack);
  report.heading(kAttack);
  report.paragraph(kAttack);
  report.preformatted(kAttack);
  report.table({kAttack}, {{kAttack}});
  report.words({{kAttack, 0.5}});
  report.chart({.title = kAttack,
                .x_label = kAttack,
                .y_label = kAttack,
                .series = {{.name = kAttack, .x = {0, 1}, .y = {1, 2}}}});
  report.heat_map({.title = kAttack, .rows = {kAttack}, .columns = {kAttack}, .values = {1}});
  const std::string html = report.html();
  EXPECT_FALSE(contains(html, "<script"));
  EXPECT_FALSE(contains(html, "<b>"));
  // Title and heading, 6 parts, 4 in the chart and 3 in the map.
  EXPECT_EQ(count(html, kShown), 15U);
  EXPECT_TRUE(contains(html, "&lt;b&gt;&amp;amp;"));
}

TEST(Report, NeedsNothingElse) {
  apps::Report report("page");
  report.chart({.series = {{.name = "a", .x = {0, 1}, .y = {1, 2}}}});
  const std::string html = report.html();
  EXPECT_TRUE(contains(html, "default-src 'none'"));
  EXPECT_FALSE(contains(html, "href=\"http"));
  EXPECT_FALSE(contains(html, "src="));
  EXPECT_FALSE(contains(html, "<link"));
}

TEST(Report, IsWrittenWhole) {
  const reel::test::TempFolder folder;
  apps::Report report("page");
  report.paragraph("text");
  report.write(folder / "page.html");
  EXPECT_EQ(folder.list(), std::vector<std::string>{"page.html"});
  EXPECT_TRUE(
      contains(error_of<reel::FileError>([&] { apps::check_report(folder / "nowhere/page.html"); }),
               "there must be a folder"));
}

TEST(Chart, DrawsLinesPointsAndBands) {
  const std::string svg = apps::svg(Chart{
      .title = "title",
      .series = {{.name = "line", .x = {1, 2, 3}, .y = {1, NAN, 3}},
                 {.name = "points", .x = {1, 2}, .y = {1, 2}, .style = Series::Style::kPoints},
                 {.name = "band",
                  .x = {1, 2},
                  .y = {1, 2},
                  .top = {2, 3},
                  .style = Series::Style::kBand}}});
  for (const char* part : {"<svg", "title", "line", "points", "band", "</svg>"})
    EXPECT_TRUE(contains(svg, part)) << part;
}

TEST(Chart, KnowsDatesAndLogarithms) {
  const double day = 86400;
  const Series series{.name = "", .x = {0, 400 * day}, .y = {1, 1000}};
  EXPECT_TRUE(contains(apps::svg(Chart{.series = {series}, .x_is_time = true}), "1970-"));
  EXPECT_TRUE(contains(apps::svg(Chart{.series = {series}, .log_y = true}), "1000"));
}

TEST(Chart, RefusesWhatItCannotDraw) {
  EXPECT_EQ(error_of([] { apps::svg(Chart{}); }), "chart: there must be a series; got none");
  EXPECT_EQ(error_of([] { apps::svg(Chart{.series = {{.name = "s", .x = {1}, .y = {}}}}); }),
            "chart: a series must have as many y as x; s has 1 x, 0 y, 0 top");
  EXPECT_EQ(error_of([] {
              apps::svg(apps::HeatMap{.rows = {"r"}, .values = {1, 2}});
            }),
            "heat map: there must be a value for each of 1 x 0 labels; got 2");
  EXPECT_TRUE(contains(error_of([] { apps::draw("plot nothing at all\n"); }), "gnuplot: ended"));
}

}  // namespace
