// `mlaan compare` from outside.
#include "support/cli.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>

namespace mlaan::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

TEST_F(Cli, ComparesMethodsOverSeeds) {
  const std::string command =
      "compare" + small + "--methods e2e,mlm:modules=2 --seeds 0,1 --output " +
      (folder / "compared").string() + " --json " + (folder / "results.json").string();
  const ProgramResult result = run_program(command);
  ASSERT_EQ(result.exit_code, 0) << result.output;
  for (const char* part : {"validation error %", "test error %", "multiply-adds", "mlm:modules=2",
                           " ± ", "difference: to e2e", "last epoch"}) {
    EXPECT_TRUE(contains(result.output, part)) << part << " is not in:\n" << result.output;
  }
  for (const char* file : {"config.toml", "metrics.csv", "steps.jsonl", "summary.json",
                           "checkpoints/last.safetensors"}) {
    EXPECT_TRUE(fs::exists(folder / "compared/mlm,modules=2-seed1" / file)) << file;
  }
  const std::string written = read_text(folder / "compared/comparison.json");
  EXPECT_EQ(read_text(folder / "results.json"), written);
  const json document = json::parse(written);
  EXPECT_EQ(document["complete"], true);
  EXPECT_EQ(document["epochs"], 2);
  ASSERT_EQ(document["methods"].size(), 2U);
  EXPECT_EQ(document["methods"][1]["base_method"], "mlm");
  EXPECT_EQ(document["methods"][1]["test_difference"]["pairs"], 2);
  EXPECT_TRUE(document["methods"][0]["test_difference"].is_null());
  EXPECT_GT(document["methods"][1]["auxiliary_multiply_adds"].get<double>(), 0);
  ASSERT_EQ(document["runs"].size(), 4U);
  EXPECT_EQ(document["runs"][3]["test_error"],
            summary("compared/mlm,modules=2-seed1")["test_error"]);

  const ProgramResult again = run_program(command);
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_EQ(again.output, result.output) << "times too: nothing was trained again";
  expect_usage_error(command + " --epochs 3", {"e2e-seed0", "epochs = 2", "3"});
}

TEST_F(Cli, ComparisonsOfNothingAreRefused) {
  expect_usage_error("compare", {"--methods"});
  expect_usage_error("compare --methods ,", {"methods", "at least one"});
  expect_usage_error("compare --methods e2e,dlg", {"unknown method 'dlg'", "'dgl'"});
  expect_usage_error("compare --methods e2e,e2e", {"'e2e'", "twice"});
  expect_usage_error("compare --methods e2e --seeds 0,x", {"seeds", "'x'"});
  expect_usage_error("compare --methods e2e --seeds 1,1", {"seeds", "1", "twice"});
  expect_usage_error("compare --methods mlm:lr=1", {"'lr'", "accepted: modules"});
  expect_usage_error(
      "compare" + small + "--methods e2e,mlm:modules=9 --output " + (folder / "none").string(),
      {"mlm:modules=9", "resnet8", "1 to 4"});
  EXPECT_FALSE(fs::exists(folder / "none")) << "refused before anything is made";
}

}  // namespace
}  // namespace mlaan::testing
