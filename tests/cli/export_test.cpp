// Networks that leave the program and come back.
#include "support/files.h"
#include "support/picture_writer.h"
#include "support/program.h"
#include "support/temporary_folder.h"

#include <mlaan/io/atomic_file.h>

#include <torch/torch.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>

namespace mlaan::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class ExportCommand : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared = std::make_unique<TemporaryFolder>();
    const ProgramResult trained = run_program(
        "train --model resnet8 --epochs 1 -b 8 --lr 0.01 --method mlaan --modules 3 --set "
        "procedural.train_size=50 --set procedural.test_size=20 --set validation.fraction=0.2 "
        "--set engine.memory_format=channels_last -q --tensorboard --output " +
        run());
    ASSERT_EQ(trained.exit_code, 0) << trained.output;
  }
  static void TearDownTestSuite() { shared.reset(); }

  static std::string run() { return (*shared / "run").string(); }

  static json expect_json(const std::string& command) {
    const ProgramResult result = run_program(command);
    EXPECT_EQ(result.exit_code, 0) << command << "\n" << result.output;
    return json::parse(result.output, nullptr, false);
  }

  static double test_error_of(const std::string& path, int images = 20) {
    const std::string file = (*shared / "eval.json").string();
    const ProgramResult result = run_program(
        "eval " + path + " -b 8 --set procedural.train_size=50 --set procedural.test_size=" +
        std::to_string(images) + " --output " + (*shared / "eval").string() + " --json " + file);
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return json::parse(read_text(file))["test_error"];
  }

  static std::unique_ptr<TemporaryFolder> shared;
};

std::unique_ptr<TemporaryFolder> ExportCommand::shared;

TEST_F(ExportCommand, WhatItWritesIsEvaluatedAndPredictsAsTheRunDoes) {
  const json summary = json::parse(read_text(fs::path(run()) / "summary.json"));
  const double error = summary["test_error"];
  const fs::path picture = *shared / "picture.png";
  torch::manual_seed(1);
  write_bytes(picture, png_file(torch::randint(0, 255, {3, 40, 40}).to(torch::kUInt8)));
  const std::string predict = " --json - --top 2 " + picture.string();
  const json expected = expect_json("predict " + run() + predict);
  for (const std::string format : {"safetensors", "torchscript", "onnx", "folder"}) {
    SCOPED_TRACE(format);
    const ProgramResult exported = run_program("export " + run() + " --to " + format);
    ASSERT_EQ(exported.exit_code, 0) << exported.output;
    const std::string extension = format == "folder"        ? ""
                                  : format == "torchscript" ? ".pt"
                                                            : "." + format;
    const std::string path = run() + "/export/network" + extension;
    EXPECT_NE(exported.output.find(path), std::string::npos) << exported.output;
    EXPECT_DOUBLE_EQ(test_error_of(path), error);
    const json predicted = expect_json("predict " + path + predict);
    for (int k = 0; k < 2; ++k) {
      const json& actual = predicted["pictures"][0]["classes"][k];
      const json& wanted = expected["pictures"][0]["classes"][k];
      EXPECT_EQ(actual["name"], wanted["name"]);
      EXPECT_NEAR(actual["probability"].get<double>(), wanted["probability"].get<double>(), 1e-5);
    }
  }
  const json described = json::parse(read_text(run() + "/export/network.json"));
  EXPECT_EQ(described["model"], "resnet8");
  EXPECT_EQ(described["classes"].size(), 10U);
  EXPECT_EQ(described["normalisation"]["mean"].size(), 3U);
  EXPECT_EQ(described["image"]["height"], 32);
  EXPECT_DOUBLE_EQ(described["outputs"][0]["test_error"].get<double>(), error);
  EXPECT_TRUE(fs::exists(run() + "/export/network/classes.txt"));
}

TEST_F(ExportCommand, EarlyExitsComeWithTheirErrors) {
  const std::string path = (*shared / "exits.pt").string();
  const ProgramResult exported =
      run_program("export " + run() + " --to torchscript --exits -o " + path);
  ASSERT_EQ(exported.exit_code, 0) << exported.output;
  const json outputs = json::parse(read_text(*shared / "exits.json"))["outputs"];
  ASSERT_EQ(outputs.size(), 3U);
  EXPECT_EQ(outputs[0]["name"], "exit_1");
  EXPECT_EQ(outputs[2]["name"], "logits");
  for (const auto& output : outputs) EXPECT_TRUE(output["validation_error"].is_number()) << output;
  EXPECT_DOUBLE_EQ(outputs[2]["test_error"].get<double>(), test_error_of(path));
  const json evaluated = json::parse(read_text(*shared / "eval.json"));
  ASSERT_EQ(evaluated["exits"].size(), 2U);
  EXPECT_EQ(evaluated["exits"][0]["test_error"], outputs[0]["test_error"]);
}

TEST_F(ExportCommand, WhatCannotBeExportedIsRefusedInOneLine) {
  const auto expect_refused = [](const std::string& command, const std::string& part) {
    const ProgramResult result = run_program(command);
    EXPECT_EQ(result.exit_code, 2) << command << "\n" << result.output;
    EXPECT_EQ(std::count(result.output.begin(), result.output.end(), '\n'), 1) << result.output;
    EXPECT_NE(result.output.find(part), std::string::npos) << result.output;
  };
  expect_refused("export " + run() + " --to pickle", "safetensors, torchscript, onnx, folder");
  expect_refused("export " + run() + " --to onnx -o network.pt", ".onnx");
  expect_refused("export " + run() + " --set method=e2e --exits", "no early exits");
  write_bytes(*shared / "text.onnx", "text");
  expect_refused("predict " + (*shared / "text.onnx").string() + " picture.png", "text.onnx");
  expect_refused("export " + (*shared / "nothing").string(), "nothing");
}

TEST_F(ExportCommand, TheRunWroteForTensorBoardToo) {
  ASSERT_TRUE(fs::exists(run() + "/tensorboard"));
  EXPECT_FALSE(fs::is_empty(run() + "/tensorboard"));
}

TEST_F(ExportCommand, ErrorsAreThoseOfTheWeightsThatAreWritten) {
  const std::string averaged = (*shared / "averaged").string();
  const std::string settings =
      " --model resnet8 --epochs 2 -b 8 --lr 0.01 --method mlaan --modules 3 --set "
      "procedural.train_size=50 --set procedural.test_size=41 --set validation.fraction=0.24 "
      "--set engine.memory_format=channels_last --model-ema --set model_ema.decay=0.5 -q ";
  ASSERT_EQ(run_program("train" + settings + "--output " + averaged).exit_code, 0);
  const json summary = json::parse(read_text(fs::path(averaged) / "summary.json"));
  ASSERT_NE(summary["test_error"], summary["average_test_error"]);
  for (const std::string exits : {"", " --exits"}) {
    for (const bool average : {false, true}) {
      SCOPED_TRACE(exits + (average ? " average" : ""));
      const std::string path = (*shared / "averaged.safetensors").string();
      const std::string command = "export " + averaged + " --output " + path + exits +
                                  (average ? " --set model_ema.use=true" : "");
      const ProgramResult result = run_program(command);
      ASSERT_EQ(result.exit_code, 0) << result.output;
      const json head = json::parse(read_text(*shared / "averaged.json"))["outputs"].back();
      const std::string prefix = average ? "average_" : "";
      EXPECT_DOUBLE_EQ(head["test_error"], summary[prefix + "test_error"]);
      EXPECT_DOUBLE_EQ(head["validation_error"], summary[prefix + "validation_error"]);
      EXPECT_DOUBLE_EQ(test_error_of(path, 41), summary[prefix + "test_error"]);
    }
  }
}

}  // namespace
}  // namespace mlaan::testing
