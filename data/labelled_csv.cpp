#include <fmt/format.h>
#include <reel/autodiff/error.hpp>
#include <reel/data/corpus_parts.hpp>
#include <reel/data/file.hpp>
#include <reel/data/labelled_csv.hpp>
#include <reel/data/text.hpp>

#include <algorithm>

namespace reel {
namespace {

// Records of a file, with the line that each begins on.
class Records {
 public:
  explicit Records(const std::filesystem::path& path)
      : name_(path.string()), bytes_(read_file(path)) {
    if (bytes_.starts_with("\xEF\xBB\xBF")) bytes_.erase(0, 3);
  }

  // False at the end of the file. Blank lines are no records.
  bool next(std::vector<std::string>& fields) {
    for (; at_ < bytes_.size(); next_line()) {
      if (bytes_[at_] != '\n' && bytes_.compare(at_, 2, "\r\n") != 0) break;
    }
    if (at_ == bytes_.size()) return false;
    first_line_ = line_;
    fields.clear();
    do fields.push_back(next_field());
    while (at_ < bytes_.size() && bytes_[at_++] == ',');
    for (const std::string& field : fields) check_utf8<FileError>(field, where());
    return true;
  }
  std::string where() const { return fmt::format("{}:{}", name_, first_line_); }

 private:
  void next_line() {
    at_ = std::min(bytes_.find('\n', at_), bytes_.size() - 1) + 1;
    ++line_;
  }
  // Ends before a comma, an end of line or the end.
  std::string next_field() {
    std::string field;
    if (at_ < bytes_.size() && bytes_[at_] == '"') {
      for (++at_;; ++at_) {
        check<FileError>(at_ < bytes_.size(), "{}: a quotation must end; found none", where());
        if (bytes_[at_] == '"' && (++at_ == bytes_.size() || bytes_[at_] != '"')) break;
        line_ += bytes_[at_] == '\n';
        field += bytes_[at_];
      }
      if (bytes_.compare(at_, 2, "\r\n") == 0) ++at_;
      check<FileError>(at_ == bytes_.size() || bytes_[at_] == ',' || bytes_[at_] == '\n',
                       "{}: a quotation must end its field; found {:?}", where(),
                       std::string_view(bytes_).substr(at_, 1));
    } else {
      const std::size_t end = std::min(bytes_.find_first_of(",\n", at_), bytes_.size());
      field = bytes_.substr(at_, end - at_);
      if (end < bytes_.size() && bytes_[end] == '\n' && field.ends_with('\r')) field.pop_back();
      check<FileError>(field.find('"') == field.npos,
                       "{}: a field with quotes must be quoted; found {:?}", where(), field);
      at_ = end;
    }
    line_ += at_ < bytes_.size() && bytes_[at_] == '\n';
    return field;
  }

  std::string name_, bytes_;
  std::size_t at_ = 0, line_ = 1, first_line_ = 1;
};

std::string first_label(std::string label) {
  if (!label.starts_with('[') || !label.ends_with(']')) return label;
  const std::string list = label.substr(1, label.size() - 2);
  const std::size_t begin = list.find_first_not_of(", ");
  if (begin == list.npos) return "none";
  return list.substr(begin, list.find_first_of(", ", begin) - begin);
}

}  // namespace

Corpus read_csv_texts(const std::filesystem::path& path, const CsvColumns& columns,
                      const std::vector<std::string>& classes) {
  Records records(path);
  std::vector<std::string> names, fields;
  check<FileError>(records.next(names), "{}: file must have a header; found none", path.string());
  const auto column = [&](const std::string& name) {
    const auto match = std::find(names.begin(), names.end(), name);
    check<FileError>(match != names.end(), "{}: there must be a column {}; found {}",
                     records.where(), name, fmt::join(names, ", "));
    return static_cast<std::size_t>(match - names.begin());
  };
  const std::size_t text = column(columns.text), label = column(columns.label);
  std::vector<Example> examples;
  while (records.next(fields)) {
    check<FileError>(fields.size() == names.size(), "{}: record must have {} fields; found {}",
                     records.where(), names.size(), fields.size());
    std::string name = first_label(fields[label]);
    check<FileError>(!name.empty(), "{}: label must not be empty", records.where());
    examples.push_back({{records.where(), std::move(fields[text])}, std::move(name)});
  }
  check<FileError>(!examples.empty(), "{}: file must hold at least one example; found none",
                   path.string());
  return make_corpus(std::move(examples), classes);
}

}  // namespace reel
