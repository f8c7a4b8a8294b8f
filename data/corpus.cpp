#include <fmt/format.h>
#include <reel/autodiff/error.hpp>
#include <reel/data/corpus_parts.hpp>
#include <reel/data/file.hpp>
#include <reel/data/text.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace reel {
namespace {

using Path = std::filesystem::path;

std::vector<std::string> class_names(const std::vector<Path>& paths,
                                     const std::vector<std::string>& classes) {
  std::vector<std::string> files, stems, extensions;
  for (const Path& path : paths) {
    files.push_back(path.string());
    stems.push_back(path.stem().string());
    extensions.push_back(path.has_extension() ? path.extension().string().substr(1) : "");
  }
  const std::set<std::string_view> known(classes.begin(), classes.end());
  const auto name_classes = [&](const std::vector<std::string>& names) {
    return std::set(names.begin(), names.end()).size() == names.size() &&
           std::all_of(names.begin(), names.end(), [&](const std::string& name) {
             return known.empty() ? !name.empty() : known.contains(name);
           });
  };
  if (name_classes(stems)) return stems;
  check<FileError>(name_classes(extensions),
                   "class files must differ in stem or in extension, which is the class{}{}; "
                   "found {}",
                   classes.empty() ? "" : ", one of ", fmt::join(classes, ", "),
                   fmt::join(files, ", "));
  return extensions;
}

bool is_blank(std::string_view text) { return text.find_first_not_of(' ') == text.npos; }

}  // namespace

std::vector<std::string_view> lines_of(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
  }
  return lines;
}

std::vector<Line> read_lines(const Path& path, std::string_view item) {
  const std::string bytes = read_file(path);
  std::vector<Line> lines;
  for (const std::string_view text : lines_of(bytes)) {
    lines.push_back({fmt::format("{}:{}", path.string(), lines.size() + 1), std::string(text)});
    check_utf8<FileError>(text, lines.back().where);
  }
  while (!lines.empty() && is_blank(lines.back().text)) lines.pop_back();
  check<FileError>(!lines.empty(), "{}: file must hold at least one {}; found none", path.string(),
                   item);
  return lines;
}

Corpus make_corpus(std::vector<Example> examples, std::vector<std::string> classes) {
  if (classes.empty()) {
    std::set<std::string> found;
    for (const Example& example : examples) found.insert(example.label);
    classes.assign(found.begin(), found.end());
  }
  Corpus corpus{std::move(classes), {}};
  corpus.texts.reserve(examples.size());
  std::map<std::string_view, std::int64_t> labels;
  for (std::size_t i = 0; i < corpus.classes.size(); ++i)
    labels.emplace(corpus.classes[i], static_cast<std::int64_t>(i));
  for (Example& example : examples) {
    const auto match = labels.find(example.label);
    if (match == labels.end())
      throw FileError(fmt::format("{}: label must be one of {}; found {:?}", example.line.where,
                                  fmt::join(corpus.classes, ", "), example.label));
    corpus.texts.push_back({match->second, std::move(example.line.text)});
  }
  return corpus;
}

Corpus read_tsv(const Path& path, const std::vector<std::string>& classes) {
  std::vector<Example> examples;
  for (Line& line : read_lines(path)) {
    const std::size_t tab = line.text.find('\t');
    check<FileError>(tab != std::string::npos, "{}: line must be label<TAB>text; found no tab",
                     line.where);
    check<FileError>(tab > 0, "{}: line must be label<TAB>text; found an empty label", line.where);
    std::string label = line.text.substr(0, tab);
    line.text.erase(0, tab + 1);
    examples.push_back({std::move(line), std::move(label)});
  }
  return make_corpus(std::move(examples), classes);
}

Corpus read_class_files(const std::vector<Path>& paths, const std::vector<std::string>& classes) {
  const std::vector<std::string> names = class_names(paths, classes);
  std::vector<Example> examples;
  for (std::size_t i = 0; i < paths.size(); ++i)
    for (Line& line : read_lines(paths[i])) {
      check<FileError>(!is_blank(line.text), "{}: line must hold a text; found a blank line",
                       line.where);
      examples.push_back({std::move(line), names[i]});
    }
  return make_corpus(std::move(examples), classes);
}

std::vector<std::int64_t> labels_of(const Corpus& corpus) {
  std::vector<std::int64_t> labels;
  for (const LabelledText& text : corpus.texts) labels.push_back(text.label);
  return labels;
}

}  // namespace reel
