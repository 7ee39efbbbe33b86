// The program's help: laid out for reading, every flag under a heading.
#include "support/program.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace mlaan::testing {
namespace {

/// The lines of a command's help.
std::vector<std::string> help_lines(const std::string& command) {
  const ProgramResult result = run_program(command + " --help");
  EXPECT_EQ(result.exit_code, 0) << command;
  std::vector<std::string> lines;
  std::istringstream text(result.output);
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

std::size_t characters(const std::string& line) {
  return static_cast<std::size_t>(
      std::count_if(line.begin(), line.end(), [](char byte) { return (byte & 0xc0) != 0x80; }));
}

bool is_heading(const std::string& line) {
  return !line.empty() && line.front() != ' ' && line.back() == ':';
}

/// Of each command of a command's help, its name.
std::vector<std::string> commands_below(const std::string& command) {
  std::vector<std::string> commands;
  bool inside = false;
  for (const auto& line : help_lines(command)) {
    if (is_heading(line)) inside = line == "Subcommands:";
    const bool names_one = inside && line.size() > 2 && line[0] == ' ' && line[2] != ' ';
    if (names_one) commands.push_back(line.substr(2, line.find(' ', 2) - 2));
  }
  return commands;
}

std::vector<std::string> all_commands(const std::string& command = "") {
  std::vector<std::string> all{command};
  for (const auto& below : commands_below(command)) {
    const auto more = all_commands(command + (command.empty() ? "" : " ") + below);
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

/// The heading of each line that names a flag.
std::map<std::string, std::string> headings_of_flags(const std::string& command) {
  std::map<std::string, std::string> headings;
  std::string heading;
  for (const auto& line : help_lines(command)) {
    if (is_heading(line)) heading = line.substr(0, line.size() - 1);
    if (line.compare(0, 3, "  -") == 0)
      headings[line.substr(2, line.find_first_of(" ,", 2) - 2)] = heading;
  }
  return headings;
}

TEST(Help, FitsIntoAHundredColumnsWithEveryFlagInAGroup) {
  const std::set<std::string> known{
      "Data",        "Model",        "Method",     "Training",       "Optimizer",
      "Schedule",    "Augmentation", "Validation", "Regularisation", "Time and memory",
      "Measurement", "Results",      "Saving",     "Logging",        "Settings"};
  const auto commands = all_commands();
  for (const char* command : {"train", "compare", "bench loader", "data get", "completion"}) {
    EXPECT_EQ(std::count(commands.begin(), commands.end(), command), 1) << command;
  }
  for (const auto& command : commands) {
    for (const auto& line : help_lines(command)) EXPECT_LE(characters(line), 100U) << line;
    auto headings = headings_of_flags(command);
    EXPECT_EQ(headings["-h"], "Other") << command;
    headings.erase("-h");
    if (command.empty()) headings.erase("--version");
    for (const auto& [flag, heading] : headings) {
      EXPECT_EQ(known.count(heading), 1U) << "mlaan " << command << " " << flag << ": " << heading;
    }
  }
}

TEST(Help, SaysWhatATrainingsFlagsAreAbout) {
  const auto headings = headings_of_flags("train");
  const std::map<std::string, std::string> expected{
      {"--dataset", "Data"},           {"--model", "Model"},
      {"--method", "Method"},          {"--epochs", "Training"},
      {"--opt", "Optimizer"},          {"--sched", "Schedule"},
      {"--mixup", "Augmentation"},     {"--smoothing", "Regularisation"},
      {"--memory", "Time and memory"}, {"--resume", "Saving"},
      {"--tensorboard", "Logging"},    {"-c", "Settings"},
  };
  for (const auto& [flag, heading] : expected) {
    ASSERT_EQ(headings.count(flag), 1U) << flag;
    EXPECT_EQ(headings.at(flag), heading) << flag;
  }
  const auto lines = help_lines("train");
  const auto has = [&](const std::string& begin) {
    return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
      return line.compare(0, begin.size(), begin) == 0;
    });
  };
  EXPECT_TRUE(has("  --precision {float32,bfloat16,float16}"));
  EXPECT_TRUE(has("  --model-ema                 "));
  EXPECT_TRUE(has("  -b, --batch-size N          images a step [64]"));
}

}  // namespace
}  // namespace mlaan::testing
