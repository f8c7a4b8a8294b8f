#include "report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

namespace bench {
namespace {

std::string number(double x) { return fmt::format("{:.{}f}", x, x < 10 ? 3 : x < 100 ? 2 : 1); }

nlohmann::json json(const Sample& sample) {
  return {{"median", sample.median}, {"low", sample.low}, {"high", sample.high}};
}

nlohmann::json json(const CaseResult& r) {
  nlohmann::json peers = nlohmann::json::array();
  for (const PeerResult& p : r.peers) {
    peers.push_back({{"name", p.name}, {"ms", json(p.ms)}, {"ratio", json(p.ratio)}});
    if (p.disagreement) peers.back()["disagreement"] = *p.disagreement;
  }
  const Case& c = r.what;
  return {{"cell", c.cell.name},
          {"shape", c.shape},
          {"batch", c.batch},
          {"steps", c.steps},
          {"input", c.input},
          {"hidden", c.hidden},
          {"layers", c.layers},
          {"directions", c.directions},
          {"threads", c.threads},
          {"shards", c.shards},
          {"mode", c.train ? "train" : "infer"},
          {"reel_ms", json(r.ms)},
          {"gflops", r.gflops()},
          {"peak_gflops", r.peak_gflops},
          {"peak_fraction", r.peak_fraction()},
          {"mallocs", r.cost.mallocs},
          {"tape_bytes", r.cost.tape_bytes},
          {"peers", peers}};
}

}  // namespace

std::string machine() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  return "unknown";
}

std::vector<std::string> lines(const CaseResult& r) {
  const auto line = [&](const std::string& peer) {
    const Case& c = r.what;
    return fmt::format(
        "cell={} shape={} threads={} shards={} reel_ms={} {} gflops={:.1f} peak_fraction={:.2f} "
        "mallocs={} tape_bytes={} spread={:.2f} mode={} layers={} directions={}",
        c.cell.name, c.shape, c.threads, c.shards, number(r.ms.median), peer, r.gflops(),
        r.peak_fraction(), r.cost.mallocs, r.cost.tape_bytes, r.ms.spread(),
        c.train ? "train" : "infer", c.layers, c.directions);
  };
  if (r.peers.empty()) return {line("peer=none")};
  std::vector<std::string> all;
  for (const PeerResult& p : r.peers) {
    std::string text =
        fmt::format("peer={} peer_ms={} ratio={:.2f} ratio_range={:.2f}..{:.2f}", p.name,
                    number(p.ms.median), p.ratio.median, p.ratio.low, p.ratio.high);
    if (p.disagreement) text += fmt::format(" disagreement={:.1e}", *p.disagreement);
    all.push_back(line(text));
  }
  return all;
}

void write_json(const std::string& file, const std::vector<CaseResult>& results) {
  nlohmann::json cases = nlohmann::json::array();
  for (const CaseResult& r : results) cases.push_back(json(r));
  std::ofstream out(file);
  out << nlohmann::json{{"machine", machine()}, {"cases", cases}}.dump(1) << '\n';
  if (!out.flush()) throw std::runtime_error("cannot write " + file);
}

std::string markdown(const std::vector<CaseResult>& results) {
  std::vector<std::string> peers;
  for (const CaseResult& r : results)
    for (const PeerResult& p : r.peers)
      if (std::find(peers.begin(), peers.end(), p.name) == peers.end()) peers.push_back(p.name);
  std::string head = "| cell | shape | reel, ms | of peak | mallocs | tape, MB |";
  std::string rule = "|---|---|---|---|---|---|";
  for (const std::string& peer : peers) {
    head += fmt::format(" {}, ms | ratio | quartiles |", peer);
    rule += "---|---|---|";
  }
  const std::size_t threads = results.empty() ? 1 : results[0].what.threads;
  std::string table =
      fmt::format("{}, {}.\n\n{}\n{}\n", machine(),
                  threads == 1 ? "one thread" : fmt::format("{} threads", threads), head, rule);
  for (const CaseResult& r : results) {
    table += fmt::format("| {} | {} | {} | {:.2f} | {} | {:.1f} |", r.what.cell.name, r.what.shape,
                         number(r.ms.median), r.peak_fraction(), r.cost.mallocs,
                         static_cast<double>(r.cost.tape_bytes) * 1e-6);
    for (const std::string& peer : peers) {
      const auto p = std::find_if(r.peers.begin(), r.peers.end(),
                                  [&](const PeerResult& q) { return q.name == peer; });
      table += p == r.peers.end()
                   ? " | | |"
                   : fmt::format(" {} | {:.2f} | {:.2f}..{:.2f} |", number(p->ms.median),
                                 p->ratio.median, p->ratio.low, p->ratio.high);
    }
    table += '\n';
  }
  return table;
}

}  // namespace bench
