// Every op that a header declares has a row in the table, and every row an op.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>

#include "op_cases.hpp"

namespace reel::testing {
namespace {

// How many functions of each name a header declares that return Vars or Expressions; overloads
// defined there, which forward, and namespace detail do not count.
std::map<std::string, int> declared_ops(const std::string& header) {
  std::ifstream file(std::string(REEL_SOURCE_DIR) + "/" + header);
  static const std::regex op(
      R"(^(?:Var|std::vector<Var>|std::array<Var, N>) (operator[^\w\s(]+|\w+)\()");
  static const std::regex elementwise(R"(^auto (operator[^\w\s(]+|\w+)\()");
  static const std::regex function(R"(^REEL_(?:UNARY|BINARY)\(\w+, (\w+)\))");
  static const std::regex symbol(R"re(^REEL_OPERATOR\(\w+, "\w+", (.)\))re");
  std::map<std::string, int> count;
  bool in_detail = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("namespace detail")) in_detail = true;
    if (line.starts_with("}  // namespace detail")) in_detail = false;
    if (in_detail) continue;
    std::smatch match;
    const bool definition = line.find(") {") != std::string::npos;
    if ((!definition && std::regex_search(line, match, op)) ||
        std::regex_search(line, match, elementwise) || std::regex_search(line, match, function))
      ++count[match[1]];
    else if (std::regex_search(line, match, symbol))
      ++count["operator" + match[1].str()];
  }
  return count;
}

std::map<std::string, int> all_declared_ops() {
  std::map<std::string, int> count = declared_ops("autodiff/ops.hpp");
  count.merge(declared_ops("autodiff/row_products.hpp"));
  if (std::filesystem::exists(std::string(REEL_SOURCE_DIR) + "/layers/loss.hpp"))
    count.merge(declared_ops("layers/loss.hpp"));
  return count;
}

std::map<std::string, int> rows_by_op() {
  std::map<std::string, int> count;
  for (const OpCase& row : op_cases()) ++count[row.declared];
  return count;
}

TEST(OpCompleteness, TheHeaderIsUnderstood) {
  const std::map<std::string, int> declared = declared_ops("autodiff/ops.hpp");
  EXPECT_GT(declared.size(), 50u);
  EXPECT_EQ(declared.at("operator-"), 2);
  EXPECT_EQ(declared.at("max"), 2);
  EXPECT_EQ(declared.at("clamp"), 1);
  EXPECT_EQ(declared.at("split"), 2);
}

TEST(OpCompleteness, EveryOpHasARowPerOverload) {
  std::map<std::string, int> rows = rows_by_op();
  for (const auto& [name, overloads] : all_declared_ops())
    EXPECT_GE(rows[name], overloads) << name << " needs a row in tests/autodiff/op_cases";
}

TEST(OpCompleteness, EveryRowHasAnOp) {
  const std::map<std::string, int> declared = all_declared_ops();
  for (const auto& [name, rows] : rows_by_op())
    EXPECT_TRUE(declared.contains(name)) << name << " is declared in no header";
}

TEST(OpCompleteness, RowsHaveNamesOfTheirOwn) {
  std::map<std::string, int> count;
  for (const OpCase& row : op_cases()) EXPECT_EQ(++count[row.name], 1) << row.name;
}

}  // namespace
}  // namespace reel::testing
