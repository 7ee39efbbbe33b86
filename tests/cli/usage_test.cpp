// What the program lists, and how it refuses words, values and files that it cannot take.
#include "support/cli.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mlaan::testing {
namespace {

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

}  // namespace
}  // namespace mlaan::testing
