#include <reel/data/csv.hpp>

#include <algorithm>

namespace reel {

CsvReader::CsvReader(std::string_view text, std::string_view separators)
    : rest_(text), ends_(separators) {
  if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
  ends_ += '\n';
}

std::optional<CsvRecord> CsvReader::next() {
  for (; rest_.starts_with('\n') || rest_.starts_with("\r\n"); ++line_)
    rest_.remove_prefix(rest_.find('\n') + 1);
  if (rest_.empty()) return {};
  CsvRecord record{line_, {}};
  for (;;) {
    record.fields.push_back(next_field());
    const bool last = rest_.empty() || rest_[0] == '\n';
    ends_ = {last ? ends_[0] : rest_[0], '\n'};
    if (last) return record;
    rest_.remove_prefix(1);
  }
}

CsvField CsvReader::next_field() {
  CsvField field;
  while (rest_.starts_with('"')) {  // again where a quote is doubled
    if (field.quoted) field.text += '"';
    field.quoted = true;
    const std::size_t end = std::min(rest_.find('"', 1), rest_.size());
    field.text += rest_.substr(1, end - 1);
    field.open = end == rest_.size();
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
  }
  line_ += static_cast<std::size_t>(std::ranges::count(field.text, '\n'));
  std::string_view plain = rest_.substr(0, rest_.find_first_of(ends_));
  rest_.remove_prefix(plain.size());
  const bool last = rest_.empty() || rest_[0] == '\n';
  if (last && plain.ends_with('\r')) plain.remove_suffix(1);
  (field.quoted ? field.behind : field.text) = plain;
  return field;
}

}  // namespace reel
