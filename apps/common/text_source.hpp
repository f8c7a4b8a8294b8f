// Labelled texts, named on a command line.
#pragma once

#include <reel/data/corpus.hpp>
#include <reel/data/labelled_csv.hpp>
#include <reel/data/trees.hpp>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

namespace apps {

// One TSV or CSV file, a file for each class, or a treebank.
struct TextSource {
  std::string table, trees;
  std::vector<std::filesystem::path> class_files;
  reel::CsvColumns columns;
  reel::TreeOptions tree_options;

  void add_options(CLI::App& command) {
    auto* data = command.add_option(
        "--data", table, "lines of label<TAB>text; or, ending in .csv, a table with a header");
    auto* files =
        command.add_option("--classes", class_files, "a file for each class, one text on a line")
            ->excludes(data);
    command.add_option("--trees", trees, "a labelled tree on each line: (3 (2 It) (4 (..) (..)))")
        ->excludes(data)
        ->excludes(files);
    command.add_flag("--binary", tree_options.binary,
                     "of trees: 0 for grades 0 and 1, 1 for 3 and 4, and no neutral ones");
    command.add_option("--text-column", columns.text, "of a CSV file")->capture_default_str();
    command.add_option("--label-column", columns.label, "of a CSV file")->capture_default_str();
  }
  // Throws reel::FileError; CLI::RequiredError if nothing was named.
  reel::Corpus read(const std::vector<std::string>& classes = {}) const {
    if (!class_files.empty()) return reel::read_class_files(class_files, classes);
    if (!trees.empty()) return reel::read_trees(trees, tree_options, classes);
    if (table.empty()) throw CLI::RequiredError("--data, --classes or --trees");
    return read_table(table, classes);
  }
  // A file as --data has it.
  reel::Corpus read_table(const std::string& file, const std::vector<std::string>& classes) const {
    return file.ends_with(".csv") ? reel::read_csv_texts(file, columns, classes)
                                  : reel::read_tsv(file, classes);
  }
  std::string name() const {
    return !table.empty() ? table : !trees.empty() ? trees : class_files.at(0).string();
  }
};

}  // namespace apps
