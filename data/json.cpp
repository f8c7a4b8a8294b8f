#include <reel/autodiff/error.hpp>
#include <reel/data/json.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace reel {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 16;  // the depth of the parsed value bounds later recursion over it

// A parser callback that refuses deep nesting, and a key twice in an object, where the parser
// would keep the last.
class Strict {
 public:
  explicit Strict(std::string_view source) : source_(source) {}

  bool operator()(int depth, json::parse_event_t event, const json& value) {
    check<FileError>(depth <= kMaxDepth, "{}: JSON must nest at most {} deep; found more", source_,
                     kMaxDepth);
    if (event == json::parse_event_t::object_start) keys_.emplace_back();
    if (event == json::parse_event_t::object_end) keys_.pop_back();
    if (event == json::parse_event_t::key)
      check<FileError>(keys_.back().insert(value.get<std::string>()).second,
                       "{}: JSON keys must differ within an object; found {} twice", source_,
                       value.dump());
    return true;
  }

 private:
  std::string_view source_;
  std::vector<std::set<std::string>> keys_;  // of the objects that are open
};

}  // namespace

json parse_json(std::string_view text, std::string_view source) try {
  return json::parse(text, Strict(source));
} catch (const json::out_of_range& error) {
  throw FileError(fmt::format("{}: JSON must hold numbers that fit; {}", source, error.what()));
} catch (const json::parse_error& error) {
  const std::string_view read = text.substr(0, error.byte > 0 ? error.byte - 1 : 0);
  const auto line = 1 + std::count(read.begin(), read.end(), '\n');
  const std::size_t column = read.size() - (read.rfind('\n') + 1);  // npos + 1 is 0
  throw FileError(fmt::format("{}:{}: text must be JSON; found an error after column {}", source,
                              line, column));
}

}  // namespace reel
