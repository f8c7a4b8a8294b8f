// Records out of CSV texts (RFC 4180). For sources only.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reel {

struct CsvField {
  std::string text;
  std::string behind;   // what follows the quotes; should be nothing
  bool quoted = false;  // begins with a quote
  bool open = false;    // its quotation has no end
};

struct CsvRecord {
  std::size_t line;  // where it begins
  std::vector<CsvField> fields;
};

// Cuts a text, with or without a byte order mark, with LF or CRLF, into records; blank lines are
// none. Takes any text, which must outlive it: what is an error is for its user to say.
class CsvReader {
 public:
  // Fields are parted by the one of `separators` that comes first, outside quotes, in the header.
  explicit CsvReader(std::string_view text, std::string_view separators = ",");
  std::optional<CsvRecord> next();

 private:
  CsvField next_field();

  std::string_view rest_;
  std::string ends_;  // what may follow a field
  std::size_t line_ = 1;
};

}  // namespace reel
