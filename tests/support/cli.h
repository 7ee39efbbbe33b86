// What tests of the program's commands share: a folder, a small training, and how it refuses.
#pragma once

#include "support/program.h"
#include "support/temporary_folder.h"

#include <mlaan/io/atomic_file.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace mlaan::testing {

class Cli : public ::testing::Test {
 protected:
  static inline const std::string small =
      " --model resnet8 --epochs 2 -b 8 --set procedural.train_size=50 "
      "--set procedural.test_size=20 --set validation.fraction=0.2 "
      "--set engine.memory_format=channels_last -q ";

  /// A layout that is measured may differ from one run to the next.
  static inline const std::string one_layout = " --set engine.memory_format=channels_last ";

  static bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }

  /// For a shell, if there are blanks in it.
  static std::string quoted(const std::filesystem::path& path) { return "'" + path.string() + "'"; }

  /// Expects exit code 2 and one line with all of `parts` in it.
  static void expect_usage_error(const std::string& arguments,
                                 const std::vector<std::string>& parts) {
    const ProgramResult result = run_program(arguments);
    EXPECT_EQ(result.exit_code, 2) << arguments << "\n" << result.output;
    EXPECT_EQ(std::count(result.output.begin(), result.output.end(), '\n'), 1) << result.output;
    EXPECT_EQ(result.output.compare(0, 7, "mlaan: "), 0) << result.output;
    for (const auto& part : parts) {
      EXPECT_TRUE(contains(result.output, part)) << "no \"" << part << "\" in: " << result.output;
    }
  }

  std::string train(const std::string& name, const std::string& more = "") const {
    return "train" + small + "--output " + quoted(folder / name) + " " + more;
  }

  nlohmann::json summary(const std::string& name) const {
    return nlohmann::json::parse(read_text(folder / name / "summary.json"));
  }

  TemporaryFolder folder;
};

}  // namespace mlaan::testing
