// What the program does with a trained network: `eval`, `predict` and `analyze` from outside.
#include "support/cli.h"
#include "support/files.h"
#include "support/picture_writer.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <utility>
#include <vector>

namespace mlaan::testing {
namespace {

using nlohmann::json;

TEST_F(Cli, EvaluatesWhatWasTrained) {
  ASSERT_EQ(run_program(train("run")).exit_code, 0);
  const ProgramResult result = run_program("eval --per-class " + (folder / "run").string() +
                                           " --json " + (folder / "eval.json").string());
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const json evaluated = json::parse(read_text(folder / "run/eval/summary.json"));
  EXPECT_EQ(evaluated["test_error"], summary("run")["test_error"]);
  EXPECT_EQ(evaluated["test_images"], 20);
  EXPECT_LE(evaluated["test_error_top5"], evaluated["test_error"]);
  EXPECT_EQ(json::parse(read_text(folder / "eval.json")), evaluated);
  ASSERT_EQ(evaluated["classes"].size(), 10U);
  double errors = 0;
  for (const auto& of_class : evaluated["classes"]) {
    EXPECT_EQ(of_class["images"], 2);
    errors += of_class["error"].get<double>();
    EXPECT_TRUE(contains(result.output, of_class["name"])) << result.output;
  }
  EXPECT_NEAR(errors / 10, evaluated["test_error"].get<double>(), 1e-6);
}

TEST_F(Cli, PredictsWhatPicturesShow) {
  if (!built_with_pictures()) GTEST_SKIP() << "built without pictures";
  ASSERT_EQ(run_program(train("run")).exit_code, 0);
  write_bytes(folder / "one.png", png_file(wavy_picture(3, 40, 50)));
  write_bytes(folder / "two.jpg", jpeg_file(wavy_picture(1, 64, 64)));
  write_bytes(folder / "text.jpg", "no picture");
  const auto path = [&](const char* name) { return " " + (folder / name).string(); };
  const ProgramResult result =
      run_program("predict" + path("run") + path("one.png") + path("text.jpg") + path("two.jpg") +
                  " --top 3 -b 2 --json" + path("out.json"));
  EXPECT_EQ(result.exit_code, 2) << "one of them is no picture";
  EXPECT_TRUE(contains(result.output, "text.jpg")) << result.output;
  const json pictures = json::parse(read_text(folder / "out.json"))["pictures"];
  ASSERT_EQ(pictures.size(), 3U);
  EXPECT_TRUE(pictures[1].contains("error"));
  for (const std::size_t i : {0, 2}) {
    const auto& classes = pictures[i]["classes"];
    ASSERT_EQ(classes.size(), 3U);
    EXPECT_GE(classes[0]["probability"], classes[1]["probability"]);
    EXPECT_TRUE(contains(result.output, classes[0]["name"])) << result.output;
  }
  const ProgramResult printed =
      run_program("predict" + path("run") + path("one.png") + " --json -");
  EXPECT_EQ(printed.exit_code, 0) << printed.output;
  EXPECT_EQ(json::parse(printed.output)["pictures"][0]["classes"].size(), 5U);
}

TEST_F(Cli, PredictionsByFlipsAreThoseOfTheMirroredPicture) {
  if (!built_with_pictures()) GTEST_SKIP() << "built without pictures";
  ASSERT_EQ(run_program(train("run")).exit_code, 0);
  const torch::Tensor picture = wavy_picture(3, 32, 32);
  write_bytes(folder / "one.png", png_file(picture));
  write_bytes(folder / "mirrored.png", png_file(picture.flip(2).contiguous()));
  const auto probabilities = [&](const std::string& more) {
    const ProgramResult result =
        run_program("predict " + quoted(folder / "run") + " " + quoted(folder / "one.png") + " " +
                    quoted(folder / "mirrored.png") + more + " --json -");
    EXPECT_EQ(result.exit_code, 0) << result.output;
    std::vector<double> likeliest;
    const json parsed = json::parse(result.output);
    for (const auto& of_picture : parsed.at("pictures")) {
      likeliest.push_back(of_picture["classes"][0]["probability"].get<double>());
    }
    return likeliest;
  };
  const auto plain = probabilities("");
  const auto flipped = probabilities(" --tta flip");
  EXPECT_GT(std::abs(plain.at(0) - plain.at(1)), 1e-5) << "what the test would see";
  EXPECT_NEAR(flipped.at(0), flipped.at(1), 1e-6);
}

TEST_F(Cli, AnalyzesWhatWasTrained) {
  ASSERT_EQ(run_program(train("local", "--method dgl --modules 3")).exit_code, 0);
  ASSERT_EQ(run_program(train("whole", "--method e2e --seed 1")).exit_code, 0);
  const auto analyze = [&](const std::string& more) {
    const ProgramResult result =
        run_program("analyze -q --json " + (folder / "analysis.json").string() + " " +
                    (folder / "local").string() + " " + more);
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return std::make_pair(result.output, json::parse(read_text(folder / "analysis.json")));
  };
  const auto [table, all] = analyze("--test --against " + (folder / "whole").string());
  for (const char* part : {"validation error %", "test error %", "net parameters", "head",
                           "most like", "unbiased", "of the backbone's"}) {
    EXPECT_TRUE(contains(table, part)) << part << " is not in:\n" << table;
  }
  ASSERT_EQ(all["modules"].size(), 3U);
  EXPECT_EQ(all["train_images"], 40);
  EXPECT_EQ(all["modules"][2]["features"], 64);
  EXPECT_TRUE(all["modules"][0]["probe"]["test_error"].is_number());
  EXPECT_GT(all["modules"][0]["nets"]["parameters"].get<std::int64_t>(), 0);
  EXPECT_EQ(all["modules"][2]["nets"]["parameters"], 0) << "the head is the backbone's";
  EXPECT_EQ(all["nets"]["parameters"], summary("local")["auxiliary_parameters"]);
  EXPECT_EQ(all["backbone"]["parameters"], summary("local")["parameters"]);
  EXPECT_EQ(all["head"]["test_error"], summary("local")["test_error"]);
  EXPECT_EQ(all["head"]["validation_error"], summary("local")["validation_error"]);
  const json& similarity = all["similarity"];
  EXPECT_EQ(similarity["images"], 20) << "all there are";
  ASSERT_EQ(similarity["matrix"].size(), similarity["units"].size());
  ASSERT_EQ(similarity["matrix"][0].size(), similarity["units"].size());
  EXPECT_EQ(similarity["diagonal"][1], similarity["matrix"][1][1]);
  EXPECT_LT(similarity["diagonal"][1].get<double>(), 0.999);

  const auto [pooled_table, pooled] =
      analyze("--pool 2 --probe-images 16 --against " + (folder / "local").string());
  EXPECT_EQ(pooled["modules"][2]["features"], 256);
  EXPECT_EQ(pooled["train_images"], 16);
  EXPECT_TRUE(pooled["head"]["test_error"].is_null());
  for (const auto& value : pooled["similarity"]["diagonal"]) {
    EXPECT_NEAR(value.get<double>(), 1, 1e-9);
  }
  const auto [again_table, again] = analyze("--pool 2 --probe-images 16");
  EXPECT_EQ(again["modules"], pooled["modules"]) << "the same every time";
  EXPECT_FALSE(again.contains("similarity"));
}

TEST_F(Cli, AnalysesThatCannotBeAreRefused) {
  ASSERT_EQ(run_program(train("run", "--method e2e --epochs 1")).exit_code, 0);
  ASSERT_EQ(run_program(train("deeper", "--method e2e --epochs 1 --model resnet14")).exit_code, 0);
  ASSERT_EQ(
      run_program(train("all", "--method e2e --epochs 1 --set validation.fraction=0")).exit_code,
      0);
  const std::string run = (folder / "run").string();
  expect_usage_error("analyze", {"run"});
  expect_usage_error("analyze " + (folder / "none").string(), {"none"});
  expect_usage_error("analyze " + run + " --against " + (folder / "none").string(), {"none"});
  expect_usage_error("analyze " + run + " --against " + (folder / "deeper").string(),
                     {"backbone", "resnet8", "resnet14"});
  expect_usage_error("analyze -q " + run + " --set dataset=cifar10 --data " + run, {"cifar10"});
  expect_usage_error("analyze " + run + " --pool 0", {"--pool"});
  expect_usage_error("analyze " + (folder / "all").string(), {"validation.fraction", "--test"});
  EXPECT_EQ(run_program("analyze -q --test " + (folder / "all").string()).exit_code, 0);
}

TEST_F(Cli, WhatWasTrainedInBfloat16IsEvaluatedAsItWasTested) {
  ASSERT_EQ(run_program(train("run", "--precision bfloat16 --set engine.check_precision=false"))
                .exit_code,
            0);
  EXPECT_TRUE(contains(read_text(folder / "run/config.toml"), "precision = \"bfloat16\""));
  ASSERT_EQ(run_program("eval " + (folder / "run").string()).exit_code, 0);
  const json evaluated = json::parse(read_text(folder / "run/eval/summary.json"));
  EXPECT_EQ(evaluated["test_error"], summary("run")["test_error"]);
  EXPECT_EQ(evaluated["test_loss"], summary("run")["test_loss"]);
}

TEST_F(Cli, DamagedAndForeignCheckpointsAreRefused) {
  ASSERT_EQ(run_program(train("run")).exit_code, 0);
  const auto last = folder / "run/checkpoints/last.safetensors";
  const std::string whole = read_text(last);
  const std::string resume = "train --resume " + (folder / "run").string() + " --epochs 3 -q";
  expect_usage_error(resume + " --model resnet14", {"another architecture"});
  write_text(last, whole.substr(0, whole.size() / 2));
  expect_usage_error(resume, {"last.safetensors", "cut short"});
  std::string changed = whole;
  changed[whole.size() - 9] = static_cast<char>(changed[whole.size() - 9] ^ 4);
  write_text(last, changed);
  expect_usage_error(resume, {"last.safetensors", "checksum"});
  expect_usage_error("eval " + last.string(), {"checksum"});
  expect_usage_error("train --resume " + (folder / "none").string(), {"none"});
  expect_usage_error("eval " + (folder / "none").string(), {"none"});
  expect_usage_error("train --resume --output " + (folder / "none").string(),
                     {"nothing to resume"});
}

}  // namespace
}  // namespace mlaan::testing
