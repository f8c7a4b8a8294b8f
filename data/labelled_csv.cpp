#include <fmt/format.h>
#include <reel/autodiff/error.hpp>
#include <reel/data/corpus_parts.hpp>
#include <reel/data/csv.hpp>
#include <reel/data/file.hpp>
#include <reel/data/labelled_csv.hpp>
#include <reel/data/text.hpp>

#include <algorithm>

namespace reel {
namespace {

std::string text_of(CsvField field, const std::string& where) {
  check<FileError>(!field.open, "{}: a quotation must end; found none", where);
  check<FileError>(field.behind.empty(), "{}: a quotation must end its field; found {:?}", where,
                   field.behind.substr(0, 1));
  check<FileError>(field.quoted || field.text.find('"') == field.text.npos,
                   "{}: a field with quotes must be quoted; found {:?}", where, field.text);
  check_utf8<FileError>(field.text, where);
  return std::move(field.text);
}

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
  const std::string bytes = read_file(path);
  CsvReader reader(bytes);
  std::string where;  // of the last record
  const auto next = [&] {
    std::vector<std::string> fields;
    if (std::optional<CsvRecord> record = reader.next()) {
      where = fmt::format("{}:{}", path.string(), record->line);
      for (CsvField& field : record->fields) fields.push_back(text_of(std::move(field), where));
    }
    return fields;
  };
  const std::vector<std::string> names = next();
  check<FileError>(!names.empty(), "{}: file must have a header; found none", path.string());
  const auto column = [&](const std::string& name) {
    const auto match = std::find(names.begin(), names.end(), name);
    check<FileError>(match != names.end(), "{}: there must be a column {}; found {}", where, name,
                     fmt::join(names, ", "));
    return static_cast<std::size_t>(match - names.begin());
  };
  const std::size_t text = column(columns.text), label = column(columns.label);
  std::vector<Example> examples;
  for (std::vector<std::string> fields = next(); !fields.empty(); fields = next()) {
    check<FileError>(fields.size() == names.size(), "{}: record must have {} fields; found {}",
                     where, names.size(), fields.size());
    std::string name = first_label(fields[label]);
    check<FileError>(!name.empty(), "{}: label must not be empty", where);
    examples.push_back({{where, std::move(fields[text])}, std::move(name)});
  }
  check<FileError>(!examples.empty(), "{}: file must hold at least one example; found none",
                   path.string());
  return make_corpus(std::move(examples), classes);
}

}  // namespace reel
