// Pages about runs and comparisons, looked at as a browser shows them where there is one.
#include "support/program.h"
#include "support/temporary_folder.h"

#include <mlaan/data/picture.h>
#include <mlaan/io/atomic_file.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace mlaan::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const std::string few_pictures =
    " --model resnet8 --epochs 2 -b 8 --lr 0.01 --modules 3 --set procedural.train_size=50 --set "
    "procedural.test_size=20 --set validation.fraction=0.2 --set "
    "engine.memory_format=channels_last "
    "--set log.steps=1 -q ";

class ReportCommand : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared = std::make_unique<TemporaryFolder>();
    const ProgramResult trained =
        run_program("train" + few_pictures + "--method mlaan --output " + run());
    ASSERT_EQ(trained.exit_code, 0) << trained.output;
    const ProgramResult compared = run_program(
        "compare" + few_pictures + "--methods e2e,dgl --seeds 0,1 --output " + comparison());
    ASSERT_EQ(compared.exit_code, 0) << compared.output;
  }
  static void TearDownTestSuite() { shared.reset(); }

  static std::string run() { return (*shared / "run").string(); }
  static std::string comparison() { return (*shared / "comparison").string(); }

  static std::string page_of(const std::string& arguments) {
    const std::string file = (*shared / "page.html").string();
    const ProgramResult result = run_program("report -q " + arguments + " -o " + file);
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return read_text(file);
  }

  static void expect_parts(const std::string& page, const std::vector<std::string>& parts) {
    for (const auto& part : parts) {
      EXPECT_NE(page.find(part), std::string::npos) << part << " is not in the page";
    }
  }

  /// Nothing that a page without a network or scripts would lack.
  static void expect_self_contained(const std::string& page) {
    for (const char* part : {"http://", "https://", "<script", "<link", "url(", "@import"}) {
      EXPECT_EQ(page.find(part), std::string::npos) << part;
    }
  }

  /// Takes a picture of the page, and sees that it is not empty.
  static void expect_visible(const std::string& page, int width, int height) {
    const fs::path picture = *shared / ("screen-" + std::to_string(width) + ".png");
    const std::string command =
        "HOME=" + shared->path().string() +
        " chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --screenshot=" +
        picture.string() + " --window-size=" + std::to_string(width) + "," +
        std::to_string(height) + " file://" + page + " > /dev/null 2>&1";
    ASSERT_EQ(std::system(command.c_str()), 0);
    const torch::Tensor pixels = read_picture(picture.string(), whole_frame);
    EXPECT_EQ(pixels.sizes(), (std::vector<std::int64_t>{3, height, width}));
    const auto dark = pixels.to(torch::kFloat32).mean(0).lt(128).to(torch::kFloat32);
    EXPECT_GT(dark.mean().item<double>(), 0.005);                  // there is text,
    EXPECT_LT(dark.mean().item<double>(), 0.5);                    // on a light ground,
    EXPECT_GT(dark.slice(0, height / 2).sum().item<double>(), 0);  // down to the end
  }

  static std::unique_ptr<TemporaryFolder> shared;
};

std::unique_ptr<TemporaryFolder> ReportCommand::shared;

TEST_F(ReportCommand, ARunsPageHasAllThatIsKnownOfIt) {
  const std::string page = page_of(run());
  expect_self_contained(page);
  expect_parts(
      page, {"<!DOCTYPE html>", "width=device-width", "independent 1..1", "cascaded 1..2", "Errors",
             "Learning rate", "Time of a step, by modules", "Bytes over a step", "Alive then",
             "before the step", "parameters", "Confusion matrix", "Most frequent mistakes",
             "Worst pictures", "data:image/png;base64,", "resnet8", "batch_size = 8"});
  const json summary = json::parse(read_text(run() + "/summary.json"));
  std::array<char, 32> error{};
  std::snprintf(error.data(), error.size(), "%.2f %%", summary["test_error"].get<double>());
  expect_parts(page, {std::string("<b>") + error.data()});
  EXPECT_EQ(page.find("Not all could be measured"), std::string::npos);
}

TEST_F(ReportCommand, LogsAloneMakeAPageToo) {
  const std::string page = page_of(run() + " --logs-only");
  expect_parts(page, {"cascaded 1..2", "Errors"});
  EXPECT_EQ(page.find("Confusion matrix"), std::string::npos);
  // So does a run whose data are not where they were.
  const std::string elsewhere = page_of(run() + " --set dataset=cifar10 --data /nowhere");
  expect_parts(elsewhere, {"cascaded 1..2", "Not all could be measured", "/nowhere"});
}

TEST_F(ReportCommand, AComparisonsPageHasIntervalsOfItsMethods) {
  const std::string page = page_of(comparison());
  expect_self_contained(page);
  const json methods = json::parse(read_text(comparison() + "/comparison.json"))["methods"];
  const double mean = methods[1]["test_error"]["mean"];
  const double deviation = methods[1]["test_error"]["deviation"];
  const double reach = 12.706204736 * deviation / std::sqrt(2.0);  // Student's t of one degree
  std::array<char, 96> interval{};
  std::snprintf(interval.data(), interval.size(), "%.2f (%.2f to %.2f)", mean, mean - reach,
                mean + reach);
  expect_parts(page, {"Test error", "Difference to e2e", "Validation error", interval.data(),
                      "dgl, seed 1", "local 1..1"});
}

TEST_F(ReportCommand, SeveralOnOnePage) {
  const std::string page = page_of(run() + " " + comparison() + " --logs-only");
  expect_parts(page, {"cascaded 1..2", "Difference to e2e"});
}

TEST_F(ReportCommand, WhatIsNoRunIsRefused) {
  const ProgramResult result = run_program("report " + shared->path().string());
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.output.find("neither config.toml nor comparison.json"), std::string::npos)
      << result.output;
}

TEST_F(ReportCommand, BrowsersShowIt) {
  if (std::system("command -v chromium > /dev/null 2>&1") != 0) {
    GTEST_SKIP() << "chromium is not installed";
  }
  for (const auto& folder : {run(), comparison()}) {
    page_of(folder);
    const std::string page = (*shared / "page.html").string();
    expect_visible(page, 1200, 1000);
    expect_visible(page, 500, 900);
  }
}

}  // namespace
}  // namespace mlaan::testing
