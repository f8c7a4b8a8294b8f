// Labelled texts, named on a command line.
#pragma once

#include <reel/data/corpus.hpp>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

namespace apps {

// One TSV file, or a file for each of two classes.
struct TextSource {
  std::string tsv;
  std::vector<std::filesystem::path> class_files;

  void add_options(CLI::App& command) {
    auto* data = command.add_option("--data", tsv, "lines of label<TAB>text");
    command.add_option("--classes", class_files, "two files, one text on a line, one class each")
        ->expected(2)
        ->excludes(data);
  }
  // Throws reel::FileError; CLI::RequiredError if neither option was given.
  reel::Corpus read(const std::vector<std::string>& classes = {}) const {
    if (!class_files.empty()) return reel::read_class_files(class_files, classes);
    if (tsv.empty()) throw CLI::RequiredError("--data or --classes");
    return reel::read_tsv(tsv, classes);
  }
  std::string name() const { return tsv.empty() ? class_files[0].string() : tsv; }
};

}  // namespace apps
