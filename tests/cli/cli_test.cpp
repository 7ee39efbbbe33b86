// The program from outside: what it prints, the files it leaves, and its exit codes.
#include "support/files.h"
#include "support/interrupted_program.h"
#include "support/picture_writer.h"
#include "support/program.h"
#include "support/temporary_folder.h"

#include <mlaan/io/atomic_file.h>
#include <mlaan/io/safetensors.h>

#include <torch/version.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>

namespace mlaan::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const std::string small =
    " --model resnet8 --epochs 2 -b 8 --set procedural.train_size=50 --set procedural.test_size=20 "
    "--set validation.fraction=0.2 --set engine.memory_format=channels_last -q ";

/// A layout that is measured may differ from one run to the next.
const std::string one_layout = " --set engine.memory_format=channels_last ";

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// For a shell, if there are blanks in it.
std::string quoted(const fs::path& path) {
  return "'" + path.string() + "'";
}

class Cli : public ::testing::Test {
 protected:
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

  json summary(const std::string& name) const {
    return json::parse(read_text(folder / name / "summary.json"));
  }

  TemporaryFolder folder;
};

TEST_F(Cli, TrainsAndLeavesItsFiles) {
  const ProgramResult result = run_program(train("run", "--method mlaan --baseline e2e --lr 0.05"));
  ASSERT_EQ(result.exit_code, 0) << result.output;
  for (const char* word : {"method", "test error", "images/s", "peak", "mlaan", "e2e"}) {
    EXPECT_TRUE(contains(result.output, word)) << word << " is not in:\n" << result.output;
  }
  for (const char* file : {"config.toml", "metrics.csv", "steps.jsonl", "summary.json",
                           "checkpoints/last.safetensors", "checkpoints/best.safetensors"}) {
    EXPECT_TRUE(fs::exists(folder / "run" / file)) << file;
  }
  EXPECT_TRUE(contains(read_text(folder / "run/config.toml"), "lr = 0.05  # --lr"));
  const json run = summary("run");
  EXPECT_EQ(run["method"], "mlaan");
  EXPECT_EQ(run["epochs"], 2);
  EXPECT_TRUE(run["test_error"].is_number());
  EXPECT_GT(run["peak_bytes"].get<std::int64_t>(), 0);
  EXPECT_GT(run["seconds"].get<double>(), 0);
  ASSERT_EQ(run["results"].size(), 2U);
  EXPECT_EQ(run["results"][1]["method"], "e2e");
}

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

TEST_F(Cli, WeightsAreEvaluatedAndTrainedFrom) {
  ASSERT_EQ(run_program(train("run")).exit_code, 0);
  const std::string weights =
      " --weights " + (folder / "run/checkpoints/last.safetensors").string() + " ";
  const ProgramResult result =
      run_program("eval --model resnet8 --set procedural.test_size=20 --output " +
                  (folder / "eval").string() + weights);
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(summary("eval")["test_error"], summary("run")["test_error"]);
  // A step of no length leaves them as they are.
  ASSERT_EQ(run_program(train("more", "--method dgl --lr 1e-12 --epochs 1" + weights)).exit_code,
            0);
  EXPECT_EQ(
      read_safetensors(folder / "more/checkpoints/last.safetensors")
          .find("fc.bias")
          .allclose(read_safetensors(folder / "run/checkpoints/last.safetensors").find("fc.bias")),
      true);
  expect_usage_error("eval", {"checkpoint", "--weights"});
  expect_usage_error("eval " + (folder / "run").string() + weights, {"either"});
  expect_usage_error("train --model resnet14 -q --output " + (folder / "other").string() + weights,
                     {"layer1.1.conv1.weight", "resnet14"});
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

TEST_F(Cli, FlagsThatUsersOfOtherTrainersKnowAreThere) {
  const ProgramResult result =
      run_program(train("run",
                        "--method e2e --opt lamb --lr 0.01 --momentum 0.8 --weight-decay 0.1 "
                        "--clip-grad 1 --layer-decay 0.9 --sched plateau --warmup-epochs 1 "
                        "--warmup-lr 0.002 --min-lr 0.001 --decay-rate 0.5 --patience-epochs 3 "
                        "--drop-path 0.2 --tta flip"));
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const std::string config = read_text(folder / "run/config.toml");
  for (const char* line :
       {"type = \"lamb\"  # --opt", "momentum = 0.8  # --momentum",
        "weight_decay = 0.1  # --weight-decay", "clip_grad = 1.0  # --clip-grad",
        "layer_decay = 0.9  # --layer-decay", "type = \"plateau\"  # --sched",
        "warmup_epochs = 1.0  # --warmup-epochs", "warmup_lr = 0.002  # --warmup-lr",
        "min_lr = 0.001  # --min-lr", "factor = 0.5  # --decay-rate",
        "patience_epochs = 3  # --patience-epochs", "drop_path = 0.2  # --drop-path",
        "tta = \"flip\"  # --tta"}) {
    EXPECT_TRUE(contains(config, line)) << line << " is not in:\n" << config;
  }
  const auto loss_of = [&](const std::string& more) {
    const ProgramResult evaluated =
        run_program("eval " + quoted(folder / "run") + more + " --json " + quoted(folder / "json"));
    EXPECT_EQ(evaluated.exit_code, 0) << evaluated.output;
    return json::parse(read_text(folder / "json"))["test_loss"].get<double>();
  };
  const double tested = summary("run")["test_loss"].get<double>();
  EXPECT_NEAR(loss_of(""), tested, 1e-6) << "as the run was tested";
  EXPECT_NE(loss_of(" --tta none"), tested);
  expect_usage_error(
      "train --opt lamb --set optimizer.state=8bit -q --output " + quoted(folder / "other"),
      {"8bit", "lamb"});
  expect_usage_error("train --drop-path 1", {"--drop-path", "below 1"});
  expect_usage_error("train --tta flop", {"--tta", "none, flip"});
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

TEST_F(Cli, BenchWritesItsResults) {
  const ProgramResult result =
      run_program("bench --model resnet8 -b 8 --methods dgl,mlaan --repeats 2 --warmup 1 --json " +
                  (folder / "bench.json").string());
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const json results = json::parse(read_text(folder / "bench.json"))["results"];
  ASSERT_EQ(results.size(), 3U) << "end-to-end is measured too";
  EXPECT_EQ(results[0]["method"], "e2e");
  EXPECT_DOUBLE_EQ(results[0]["time_ratio"].get<double>(), 1);
  for (const auto& entry : results) {
    for (const char* key :
         {"method", "model", "modules", "window", "batch", "steps", "step_seconds",
          "images_per_second", "peak_bytes", "time_ratio", "peak_ratio"}) {
      EXPECT_TRUE(entry.contains(key)) << key;
    }
    EXPECT_GT(entry["peak_bytes"].get<std::int64_t>(), 0);
  }
  EXPECT_EQ(results[1]["window"], 1);
  EXPECT_EQ(results[2]["window"], 2);
}

TEST_F(Cli, BenchComparesSettingsOfOneMethodAndPlotsThem) {
  const std::string plot = (folder / "bench.svg").string();
  const ProgramResult result = run_program(
      "bench --model resnet8 -b 8 -q --repeats 1 --warmup 0 --methods "
      "checkpoint:checkpoint.segments=2,checkpoint:checkpoint.segments=4,mlm:modules=2 --json " +
      (folder / "bench.json").string() + " --plot " + plot);
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const json results = json::parse(read_text(folder / "bench.json"))["results"];
  ASSERT_EQ(results.size(), 4U) << "end-to-end is measured too";
  EXPECT_EQ(results[1]["method"], "checkpoint:checkpoint.segments=2");
  EXPECT_EQ(results[1]["base_method"], "checkpoint");
  EXPECT_NE(results[1]["peak_bytes"], results[2]["peak_bytes"]);
  EXPECT_EQ(results[3]["modules"], 2);
  const std::string svg = read_text(plot);
  EXPECT_EQ(svg.compare(0, 5, "<svg "), 0);
  for (const auto& entry : results) {
    const std::string method = entry["method"];
    EXPECT_TRUE(contains(result.output, method)) << method;
    EXPECT_TRUE(contains(svg, "<title>" + method + ": ")) << method;
  }
  EXPECT_TRUE(contains(svg, "resnet8, batch 8"));
}

TEST_F(Cli, PeakBytesOfAStepAreTheSameEveryTime) {
  std::vector<json> runs;
  for (const char* threads : {"1", "2", "2"}) {
    const auto path = folder / "bench.json";
    ASSERT_EQ(run_program("bench --model resnet8 -b 8 --methods mlaan --repeats 1 -q" + one_layout +
                          "--threads " + std::string(threads) + " --json " + path.string())
                  .exit_code,
              0);
    runs.push_back(json::parse(read_text(path))["results"]);
  }
  const auto peak = [&](std::size_t run, std::size_t method) {
    return runs[run][method]["peak_bytes"].get<std::int64_t>();
  };
  // Some kernels take scratch memory for each thread, at most 40 KiB with the releases and
  // processors seen so far. A map has 512 KiB.
  constexpr std::int64_t scratch = 128 << 10;
  for (const std::size_t method : {0, 1}) {
    EXPECT_EQ(peak(1, method), peak(2, method));
    EXPECT_LE(std::abs(peak(1, method) - peak(0, method)), scratch);
  }
  // With LibTorch 1.13 there are none at end-to-end's peak.
  if (TORCH_VERSION_MAJOR < 2) {
    EXPECT_EQ(peak(0, 0), peak(1, 0));
  }
}

TEST_F(Cli, BenchProfilesFindTheSamePeak) {
  const std::string setting =
      "bench --model resnet8 -b 8 --methods mlaan --repeats 1 -q" + one_layout;
  ASSERT_EQ(run_program(setting + "--json " + (folder / "bench.json").string()).exit_code, 0);
  const ProgramResult result =
      run_program(setting + "--profile " + (folder / "trace.json").string());
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_TRUE(contains(result.output, "peak in \"")) << result.output;

  const json results = json::parse(read_text(folder / "bench.json"))["results"];
  const json events = json::parse(read_text(folder / "trace.json"))["traceEvents"];
  std::vector<std::int64_t> peaks(results.size(), 0);
  std::vector<int> forwards(results.size(), 0);
  for (const auto& event : events) {
    if (event["ph"] != "X") continue;
    const auto method = event["pid"].get<std::size_t>();
    EXPECT_GT(event["dur"].get<double>(), 0);
    peaks.at(method) = std::max(peaks[method], event["args"]["peak_bytes"].get<std::int64_t>());
    if (event["cat"] == "forward") ++forwards[method];
  }
  for (std::size_t i = 0; i < results.size(); ++i) {
    EXPECT_EQ(peaks[i], results[i]["peak_bytes"].get<std::int64_t>()) << results[i]["method"];
    EXPECT_EQ(forwards[i], results[i]["modules"].get<int>()) << results[i]["method"];
  }
}

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

TEST_F(Cli, RecomputationLowersThePeakAndLeavesTheReferenceAlone) {
  const auto peaks = [&](const std::string& recompute) {
    const std::string file = (folder / (recompute + ".json")).string();
    const ProgramResult result = run_program(
        "bench --model resnet14 --modules 3 -b 8 --methods mlaan --repeats 1 -q --set "
        "engine.memory_format=channels_last "
        "--recompute " +
        recompute + " --json " + file);
    EXPECT_EQ(result.exit_code, 0) << result.output;
    const json results = json::parse(read_text(file))["results"];
    return std::make_pair(results[0]["peak_bytes"].get<std::int64_t>(),
                          results[1]["peak_bytes"].get<std::int64_t>());
  };
  const auto kept = peaks("none");
  const auto recomputed = peaks("unit");
  EXPECT_EQ(recomputed.first, kept.first) << "end-to-end";
  EXPECT_LT(static_cast<double>(recomputed.second), 0.8 * static_cast<double>(kept.second));
  EXPECT_LT(static_cast<double>(peaks("activation").second),
            0.9 * static_cast<double>(kept.second));
}

TEST_F(Cli, ALayoutThatWasMeasuredIsKeptByARunThatGoesOn) {
  const std::string settings =
      " --model resnet8 --epochs 1 -b 8 --set procedural.train_size=50 "
      "--set procedural.test_size=20 --output " +
      (folder / "run").string();
  const ProgramResult first = run_program("train" + settings);
  ASSERT_EQ(first.exit_code, 0) << first.output;
  EXPECT_TRUE(contains(first.output, "engine.memory_format = ")) << first.output;
  const std::string chosen = read_text(folder / "run/config.toml");
  EXPECT_TRUE(contains(chosen, "memory_format = \"c")) << chosen;
  EXPECT_TRUE(contains(chosen, "# measured: channels_last ")) << chosen;
  const bool contiguous = contains(chosen, "memory_format = \"contiguous\"");

  const ProgramResult second =
      run_program("train --epochs 2 --resume " + (folder / "run").string());
  ASSERT_EQ(second.exit_code, 0) << second.output;
  EXPECT_FALSE(contains(second.output, "engine.memory_format = ")) << second.output;
  EXPECT_EQ(contains(read_text(folder / "run/config.toml"), "memory_format = \"contiguous\""),
            contiguous);
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

TEST_F(Cli, InfoPrintsEverythingThereIs) {
  const auto expect_output = [](const std::string& arguments,
                                const std::vector<std::string>& parts) {
    const ProgramResult result = run_program(arguments);
    EXPECT_EQ(result.exit_code, 0) << arguments;
    for (const auto& part : parts) {
      EXPECT_TRUE(contains(result.output, part)) << "no \"" << part << "\" in:\n" << result.output;
    }
  };
  expect_output("info models", {"resnet8", "resnet110", "resnet1202"});
  expect_output("info methods", {"e2e", "checkpoint", "greedy", "dgl", "mlm", "lam", "mlaan"});
  expect_output("info datasets", {"procedural", "cifar10", "cifar100"});
  expect_output("info config", {"[mlm]", "# window = 2", "# lr = "});
  expect_output("info system", {"LibTorch", "threads", "BLAS"});
  expect_output("info --model resnet32 --modules 15",
                {"466,906", "69.1 M", "layer3.4", "aux.2.cascaded", "cascaded [1..2]"});
  expect_output("info --model resnet8 --method mlaan --set lam.fraction=0.5",
                {" in 50 % of steps"});
  expect_output("info layers", {"conv 3x3 32 [stride 2]", "transformer"});
  expect_output("info losses", {"cross_entropy [0.1]", "similarity_matching"});
  expect_output("plan --model resnet14 -b 64 --method mlm --memory 40MiB --seed 3 -q",
                {"checkpoint", "micro-batches", "→", "mlaan train --model resnet14",
                 "--memory 40MiB --set seed=3\n"});
  expect_output("--version", {"mlaan 0."});
  expect_output("--help", {"train", "eval", "predict", "bench", "compare", "analyze", "plan",
                           "data", "info"});
  expect_output("train --help", {"--batch-size", "-j", "--resume"});
}

TEST_F(Cli, ADryRunTriesEveryPhaseAndLeavesNothing) {
  const std::string in_folder = "cd " + quoted(folder.path()) + " && TMPDIR=. " + program() +
                                " train" + small + "--dry-run --baseline e2e";
  const ProgramResult result = run_shell(in_folder);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  // Of six tenths and four, two steps are the fewest that have one of each.
  EXPECT_TRUE(contains(result.output, "mlaan-relay: 2 steps,")) << result.output;
  EXPECT_TRUE(contains(result.output, "e2e: 1 step,")) << result.output;
  EXPECT_TRUE(fs::is_empty(folder.path()));
  expect_usage_error("train --dry-run --resume x", {"--dry-run", "--resume"});
}

TEST_F(Cli, LimitsEndATrainingAndSaySo) {
  const ProgramResult result =
      run_program(train("steps", "--max-steps 7 --limit-test-batches 1 --limit-val-batches 1"));
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_TRUE(contains(result.output, "ended in epoch 2 of 2, by limit.steps = 7"))
      << result.output;
  EXPECT_EQ(summary("steps")["ended_by"], "limit.steps = 7");
  EXPECT_EQ(summary("steps")["test_images"], 8);
  expect_usage_error("train --max-time soon", {"limit.time", "1h30m"});
}

TEST_F(Cli, WhatPlanHasFoundTrainTakes) {
  const std::string settings = small + "--method mlm --memory 100MiB --set lr=0.05";
  const std::string cache = "XDG_CACHE_HOME=" + quoted(folder / "cache") + " " + program();
  EXPECT_EQ(run_shell(cache + " plan --method mlm --model resnet8 -b 8 --memory 100MiB --set "
                              "procedural.train_size=50 --set procedural.test_size=20 --set "
                              "engine.memory_format=channels_last -q")
                .exit_code,
            0);
  std::string without_quiet = settings;
  without_quiet.replace(without_quiet.find(" -q "), 4, " ");
  const std::string command = cache + " train" + without_quiet + " --output ";
  const ProgramResult first = run_shell(command + quoted(folder / "first"));
  EXPECT_EQ(first.exit_code, 0) << first.output;
  EXPECT_TRUE(contains(first.output, "predicted earlier")) << first.output;
  EXPECT_FALSE(contains(first.output, "trying")) << first.output;
  const ProgramResult other = run_shell(command + quoted(folder / "other") + " -b 10");
  EXPECT_TRUE(contains(other.output, "trying")) << other.output;
  EXPECT_FALSE(contains(other.output, "predicted earlier")) << other.output;
}

TEST_F(Cli, WrongWordsAreRefusedWithTheNearestRightOne) {
  expect_usage_error("trian", {"unknown command 'trian'", "'train'"});
  expect_usage_error("plan --memory 6parsecs", {"memory", "6GiB"});
  expect_usage_error("train --epocs 3", {"--epocs", "--epochs"});
  expect_usage_error("train --method mlan", {"unknown method 'mlan'", "'mlaan'"});
  expect_usage_error("train --model resnet21", {"unknown model 'resnet21'"});
  expect_usage_error("train --dataset cifar1", {"unknown data set 'cifar1'", "'cifar10'"});
  expect_usage_error("train --set mlm.windw=3", {"mlm.windw", "'mlm.window'"});
  expect_usage_error("info modles", {"modles", "'models'"});
  expect_usage_error("bench --methods e2e,dlg", {"unknown method 'dlg'", "'dgl'"});
  expect_usage_error("bench --methods e2e,mlm:mlm.windw=3", {"mlm.windw", "'mlm.window'"});
  expect_usage_error("bench --methods mlm:window", {"'window' is not an assignment"});
  expect_usage_error("train --lr", {"--lr"});
  expect_usage_error("train something", {"something"});
}

TEST_F(Cli, CompositionsAndPlansThatMakeNoSenseAreRefused) {
  expect_usage_error("train" + small + "--method e2e+lam", {"e2e+lam", "not a host", "dgl"});
  expect_usage_error("train" + small + "--method dgl+mlam", {"unknown addition 'mlam'", "lam"});
  expect_usage_error("train" + small + "--method auglocal --set auglocal.depth=3",
                     {"auglocal.depth = 3", "2 units", "resnet8"});
  expect_usage_error("train" + small + "--method infopro --set infopro.lambda1_first=-2",
                     {"infopro.lambda1_first", "at least 0"});
  expect_usage_error("bench --methods e2e+mlm --model resnet8", {"e2e+mlm", "not a host"});
  const std::string plan = (folder / "plan.toml").string();
  write_text(plan,
             "model = \"resnet8\"\nmodules = [\"stem to layer1.0\", \"layer1.0 to layer3.0\"]");
  expect_usage_error("train" + small + "--method " + plan,
                     {"plan.toml:2:11", "module 2", "overlaps"});
}

TEST_F(Cli, APlanIsWrittenReadBackAndTrainedBy) {
  const std::string plan = (folder / "plan.toml").string();
  const auto written = run_program("info plan --model resnet8 --method infopro+mlm+lam");
  ASSERT_EQ(written.exit_code, 0) << written.output;
  EXPECT_TRUE(contains(written.output, "parameters")) << "what each net costs, in a comment";
  write_text(plan, written.output);
  ASSERT_EQ(run_program(train("by-name", "--method infopro+mlm+lam")).exit_code, 0);
  const auto by_plan = run_program(train("by-plan", "--method " + plan));
  ASSERT_EQ(by_plan.exit_code, 0) << by_plan.output;
  EXPECT_EQ(summary("by-plan")["test_loss"], summary("by-name")["test_loss"]);
}

TEST_F(Cli, ValuesThatDoNotFitAreRefused) {
  expect_usage_error(train("x", "--modules 5"), {"resnet8", "1 to 4"});
  expect_usage_error(train("x", "--window 4"), {"window of 4"});
  expect_usage_error(train("x", "--lr -1"), {"--lr", "above 0"});
  expect_usage_error(train("x", "--lr fast"), {"--lr", "number"});
  expect_usage_error(train("x", "--set mlm.independent_weight=-0.1"),
                     {"mlm.independent_weight", "at least 0"});
  expect_usage_error(train("x", "--set 'lam.rows=[\"layer3.0\", \"layer3.0\"]'"),
                     {"leap row of module 1", "layer3.0"});
  expect_usage_error(train("x", "--dataset cifar10 --data " + (folder / "none").string()),
                     {"no folder"});
  expect_usage_error(train("x", "--device warp"), {"warp", "cpu"});
  expect_usage_error(train("x", "--precision float16"), {"float16", "cpu", "bfloat16"});
  expect_usage_error(train("x", "--precision float8"), {"--precision", "float32", "bfloat16"});
  expect_usage_error("bench --model resnet8 -b 100000 -q", {"batch_size"});
  expect_usage_error("bench --methods mlm:batch_size=4", {"batch_size", "accepted: modules"});
  expect_usage_error("bench --methods mlm:mlm.window=0", {"mlm:mlm.window=0", "from 1 to"});
  expect_usage_error("bench --model resnet8 --methods dgl,mlm:mlm.window=4:modules=3",
                     {"window of 4"});
  expect_usage_error("bench --plot a.svg --profile b.json", {"--plot", "--profile"});
}

TEST_F(Cli, ConfigurationFilesAreReadAndRefusedByLine) {
  write_text(folder / "run.toml", "epochs = 1\nmethod = \"dgl\"\n[dgl]\nfeature_dim = 16\n");
  ASSERT_EQ(run_program("train" + small + "-c " + (folder / "run.toml").string() + " --output " +
                        (folder / "run").string() + " --epochs 2")
                .exit_code,
            0);
  EXPECT_EQ(summary("run")["method"], "dgl");
  EXPECT_EQ(summary("run")["epochs"], 2) << "flags win";
  write_text(folder / "bad.toml", "epochs = 1\n\n[mlm]\nwindo = 3\n");
  expect_usage_error("train -c " + (folder / "bad.toml").string(), {"bad.toml:4", "mlm.windo"});
  expect_usage_error("train -c " + (folder / "none.toml").string(), {"none.toml"});
}

TEST_F(Cli, ARunIsNeverOverwritten) {
  ASSERT_EQ(run_program(train("run")).exit_code, 0);
  const std::string before = read_text(folder / "run/summary.json");
  expect_usage_error(train("run"), {"holds a run already", "--resume"});
  EXPECT_EQ(read_text(folder / "run/summary.json"), before);
}

TEST_F(Cli, OutputFoldersThatCannotBeMadeAreRefused) {
  write_text(folder / "file", "not a folder");
  expect_usage_error(train("file/run"), {"output folder", "file/run"});
  expect_usage_error("train" + small + "--output /proc/mlaan", {"output folder", "/proc/mlaan"});
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

/// Starts a training in the background, lets it run for some steps of its second epoch, and sends a
/// signal. The run has long epochs, so that the signal falls into one.
class Killed : public Cli {
 protected:
  const std::string settings =
      " --model resnet8 --epochs 3 -b 8 --set procedural.train_size=400 "
      "--set procedural.test_size=20 --set validation.fraction=0.1 --set log.steps=1 "
      "--set engine.memory_format=channels_last -q ";

  /// \return the exit code; −1 if the signal ended it.
  int interrupt(const std::string& name, int signal) const {
    return interrupt("train --method mlaan" + settings + "--output " + quoted(folder / name),
                     folder / name, signal);
  }

  /// \param run_folder where the signal waits for the second epoch.
  int interrupt(const std::string& arguments, const fs::path& run_folder, int signal) const {
    return interrupt_program(arguments, folder / "output", run_folder, {2, 7}, signal);
  }
};

TEST_F(Killed, ARunGoesOnToTheSameWeights) {
  ASSERT_EQ(
      run_program("train --method mlaan" + settings + "--output " + (folder / "whole").string())
          .exit_code,
      0);

  EXPECT_EQ(interrupt("killed", SIGKILL), -1);
  ASSERT_EQ(run_program("train --resume -q --output " + (folder / "killed").string()).exit_code, 0);
  expect_same_weights(folder / "killed", folder / "whole");

  EXPECT_EQ(interrupt("terminated", SIGTERM), 128 + SIGTERM) << "it saves and ends in good order";
  ASSERT_EQ(run_program("train --resume " + (folder / "terminated").string() + " -q").exit_code, 0);
  expect_same_weights(folder / "terminated", folder / "whole");
  EXPECT_EQ(summary("terminated")["test_error"], summary("whole")["test_error"]);
}

TEST_F(Killed, AHungUpRunIsSavedAndAnIgnoredSignalIgnored) {
  EXPECT_EQ(interrupt("hung up", SIGHUP), 128 + SIGHUP);
  const std::string output = read_text(folder / "output");
  const std::string advice = "mlaan train --resume '" + (folder / "hung up").string() + "'";
  EXPECT_TRUE(contains(output, advice)) << output;
  EXPECT_TRUE(fs::exists(folder / "hung up/checkpoints/last.safetensors"));

  const std::string train = "train --method e2e" + settings + "--output ";
  const auto run = [&](const std::string& before, const std::string& name, int signal) {
    const std::string line = "exec " + before + program() + " " + train + (folder / name).string() +
                             " > " + (folder / "output").string() + " 2>&1";
    return interrupt_shell(line, folder / name, {2, 7}, signal);
  };
  EXPECT_EQ(run("nohup ", "nohup", SIGHUP), 0) << read_text(folder / "output");
  EXPECT_EQ(summary("nohup")["complete"], true);
}

TEST_F(Killed, ARunSavesWhenAskedAndGoesOn) {
  const std::string arguments = "train --method e2e --set save.every=3e" + settings + "--output " +
                                (folder / "asked").string();
  EXPECT_EQ(interrupt(arguments, folder / "asked", SIGUSR1), 0);
  EXPECT_EQ(summary("asked")["complete"], true);
}

TEST_F(Killed, AComparisonGoesOnWithWhatIsNotTrained) {
  const auto command = [&](const std::string& name) {
    return "compare --methods e2e,dgl" + settings + "--output " + (folder / name).string();
  };
  ASSERT_EQ(run_program(command("whole")).exit_code, 0);

  EXPECT_EQ(interrupt(command("stopped"), folder / "stopped/dgl-seed0", SIGINT), 128 + SIGINT);
  const std::string output = read_text(folder / "output");
  EXPECT_TRUE(contains(output, "1 of 2 runs finished; go on with the same command")) << output;
  const json stopped = json::parse(read_text(folder / "stopped/comparison.json"));
  EXPECT_EQ(stopped["complete"], false);
  EXPECT_EQ(stopped["runs"].size(), 1U);
  const std::string finished = read_text(folder / "stopped/e2e-seed0/summary.json");

  ASSERT_EQ(run_program(command("stopped")).exit_code, 0);
  EXPECT_EQ(read_text(folder / "stopped/e2e-seed0/summary.json"), finished);
  expect_same_weights(folder / "stopped/dgl-seed0", folder / "whole/dgl-seed0");
  const auto results = [&](const std::string& name) {
    const json document = json::parse(read_text(folder / name / "comparison.json"));
    return std::make_pair(document["methods"][1]["test_error"],
                          document["methods"][1]["validation_difference"]);
  };
  EXPECT_EQ(results("stopped"), results("whole"));
}

}  // namespace
}  // namespace mlaan::testing
