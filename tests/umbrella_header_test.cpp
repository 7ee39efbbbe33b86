#include "support/folders.h"

#include <mlaan/io/atomic_file.h>

#include <gtest/gtest.h>

#include <filesystem>

namespace mlaan::testing {
namespace {

namespace fs = std::filesystem;

TEST(UmbrellaHeader, HasEveryHeaderOfTheCoreLibrary) {
  const fs::path include = test_folder().parent_path() / "include";
  const std::string umbrella = read_text(include / "mlaan/mlaan.h");
  int headers = 0;
  for (const char* folder : {"core", "local", "measure", "nn"}) {
    for (const auto& item : fs::recursive_directory_iterator(include / "mlaan" / folder)) {
      if (item.path().extension() != ".h") continue;
      ++headers;
      const std::string line = "#include <" + fs::relative(item.path(), include).string() + ">\n";
      EXPECT_NE(umbrella.find(line), std::string::npos) << line;
    }
  }
  EXPECT_GT(headers, 50);
}

}  // namespace
}  // namespace mlaan::testing
