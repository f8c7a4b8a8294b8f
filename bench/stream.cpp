#include "stream.hpp"

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "report.hpp"

namespace bench {
std::string line(const StreamResult& r) {
  return fmt::format("cell={} size={} stream_us={:.3f} mallocs={} spread={:.2f}", r.cell, r.size,
                     r.us.median, r.mallocs, r.us.spread());
}

void write_json(const std::string& file, const std::vector<StreamResult>& results) {
  nlohmann::json cases = nlohmann::json::array();
  for (const StreamResult& r : results)
    cases.push_back(
        {{"cell", r.cell},
         {"size", r.size},
         {"stream_us", {{"median", r.us.median}, {"low", r.us.low}, {"high", r.us.high}}},
         {"mallocs", r.mallocs}});
  std::ofstream out(file);
  out << nlohmann::json{{"machine", machine()}, {"streams", cases}}.dump(1) << '\n';
  if (!out.flush()) throw std::runtime_error("cannot write " + file);
}

}  // namespace bench
