// JSON out of files, with reel's errors. For sources only: users of the installed headers need no
// nlohmann-json.
#pragma once

#include <nlohmann/json.hpp>

#include <string_view>

namespace reel {

// Throws FileError, naming `source`, line and column, unless the text is one JSON value that
// nests at most 16 deep and whose objects repeat no key.
nlohmann::json parse_json(std::string_view text, std::string_view source);

}  // namespace reel
