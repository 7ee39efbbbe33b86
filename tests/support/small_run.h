// Runs of two epochs of five steps, what became of them, and what they logged.
#pragma once

#include "support/closeness.h"
#include "support/configured.h"
#include "support/temporary_folder.h"

#include <mlaan/io/atomic_file.h>
#include <mlaan/log/metrics_files.h>
#include <mlaan/train/setup.h>
#include <mlaan/train/trainer.h>

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace mlaan::testing {

class TrainerTest : public ::testing::Test {
 protected:
  /// A run of 2 epochs of 5 steps.
  static Settings small_run(const std::vector<std::string>& more = {}) {
    return configured({"model=resnet8", "epochs=2", "batch_size=8", "procedural.train_size=50",
                       "procedural.test_size=20", "validation.fraction=0.2", "log.steps=1",
                       "engine.memory_format=channels_last"},
                      more);
  }

  struct Outcome {
    TrainSummary summary;
    std::vector<NamedTensor> tensors;
  };

  static Outcome finish(Trainer& trainer, const std::function<bool()>& should_stop = {}) {
    Outcome outcome;
    outcome.summary = trainer.run(should_stop);
    for (const auto& named : trainer.engine().named_parameters()) {
      outcome.tensors.push_back({named.name, named.tensor.detach().clone()});
    }
    for (const auto& named : trainer.engine().named_buffers()) {
      outcome.tensors.push_back({named.name, named.tensor.clone()});
    }
    return outcome;
  }

  Outcome train(const std::string& name, const std::vector<std::string>& more = {}) const {
    const Settings config = small_run(more);
    Trainer trainer(config, make_data(config), folder / name);
    return finish(trainer);
  }

  /// Trains with the logs that a run has. \param resume from the last checkpoint in the folder.
  Outcome train_logged(const std::string& name, const std::vector<std::string>& more, bool resume,
                       const std::function<bool()>& should_stop = {}) const {
    const Settings config = small_run(more);
    Trainer trainer(config, make_data(config), folder / name);
    if (resume) trainer.resume(read_checkpoint(last_checkpoint(folder / name)));
    MetricsFiles files(folder / name);
    trainer.add_observer(files);
    return finish(trainer, should_stop);
  }

  static void expect_same_network(const Outcome& actual, const Outcome& expected) {
    ASSERT_EQ(actual.tensors.size(), expected.tensors.size());
    for (std::size_t i = 0; i < actual.tensors.size(); ++i) {
      expect_same(actual.tensors[i].tensor, expected.tensors[i].tensor, actual.tensors[i].name);
    }
  }

  /// Stops when it was asked so often: once a step, and once a batch to validate or to test on. Of
  /// a small run, 1 to 5 and 8 to 12 are steps, 6, 7, 13 and 14 validate, and 15 to 17 test.
  static std::function<bool()> at_question(int number) {
    return [count = std::make_shared<int>(0), number] { return ++*count >= number; };
  }

  static std::vector<std::string> lines_of(const std::filesystem::path& path) {
    std::istringstream text(read_text(path));
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
  }

  /// The learning rate that each epoch of a run ended with, by its log.
  static std::vector<double> rates_of_epochs(const std::filesystem::path& run_folder) {
    std::vector<double> rates;
    for (const auto& line : lines_of(run_folder / "metrics.csv")) {
      std::istringstream fields(line);
      std::string epoch;
      std::string step;
      std::string rate;
      std::getline(fields, epoch, ',');
      std::getline(fields, step, ',');
      std::getline(fields, rate, ',');
      if (epoch != "epoch") rates.push_back(std::stod(rate));
    }
    return rates;
  }

  TemporaryFolder folder;
};

}  // namespace mlaan::testing
