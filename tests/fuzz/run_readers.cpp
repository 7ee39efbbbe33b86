// Readers of what runs and comparisons leave, and of what they are begun with.
#include "fuzz/readers.h"
#include "io/json_text.h"
#include "support/test_backbone.h"

#include <mlaan/io/atomic_file.h>
#include <mlaan/io/safetensors.h>
#include <mlaan/local/engine.h>
#include <mlaan/local/methods/dgl.h>
#include <mlaan/local/published.h>
#include <mlaan/log/comparison_page.h>
#include <mlaan/log/comparison_report.h>
#include <mlaan/log/run_record.h>
#include <mlaan/log/summary.h>
#include <mlaan/train/checkpoint.h>
#include <mlaan/train/config.h>

#include <cmath>
#include <map>

namespace mlaan::testing {
namespace {

namespace fs = std::filesystem;

std::string settings() {
  return Settings()
      .with({{"model", "resnet8"}, {"augment.mixup", "0.4"}, {"lam.rows", "[\"1:2,3\"]"}}, "--set")
      .to_toml();
}

/// The metadata of a checkpoint as JSON: behind the checksum nothing that is changed at random is
/// ever read, so files are made anew from changed metadata.
FuzzedReader checkpoint(const FuzzFolder& folder) {
  const Backbone backbone = test_backbone("resnet8", 0);
  const Engine engine(backbone, methods::dgl(backbone, default_partition(backbone, 3)));
  CheckpointInfo info;
  info.config = settings();
  info.model = "resnet8";
  info.classes = 2;
  info.image_shape = {3, 16, 16};
  info.class_names = {"cat", "d\xe9g"};
  info.normalisation = {{0.5, 0.5, 0.5}, {0.25, 0.25, 0.25}};
  info.train_images = 40;
  info.state.step = 7;
  const fs::path path = *folder / "seed-checkpoint.safetensors";
  write_checkpoint(path, engine, info);
  const std::string seed = json_text(nlohmann::json(read_safetensors(path).metadata));
  return reader_of_file(folder, "checkpoint", "metadata.json", {seed}, [](const fs::path& file) {
    TensorFile content;
    try {
      const auto metadata = parse_json(read_text(file));
      content.metadata = metadata.get<std::map<std::string, std::string>>();
    } catch (const nlohmann::json::exception&) {
      return;
    }
    const fs::path written = file.parent_path() / "fuzzed-checkpoint.safetensors";
    write_safetensors(written, content);
    const Checkpoint read = read_checkpoint(written);
    Config().apply_text(read.info.config, written.string());
  });
}

FuzzedReader training_state(const FuzzFolder& folder) {
  TrainingState state;
  state.epoch = 3;
  state.loss_sum = 0.125;
  state.phase_peaks = {100, 200};
  return reader_of_file(folder, "training_state", "state.json", {state.to_json()},
                        [](const fs::path& path) { TrainingState::from_json(read_text(path)); });
}

FuzzedReader config(const FuzzFolder& folder) {
  return reader_of_file(folder, "config", "config.toml",
                        {settings(), Settings().to_toml(), "lr = 0.5\n[augment]\nmixup = 1\n"},
                        [](const fs::path& path) { Config().apply_file(path); });
}

TrainSummary finished(double test_error) {
  TrainSummary summary;
  summary.run.method = "dgl";
  summary.run.model = "resnet8";
  summary.run.dataset = "procedural";
  summary.run.epochs = 4;
  summary.run.modules = 3;
  summary.run.phases = {{}};
  summary.complete = true;
  summary.reported = "last";
  summary.reported_epoch = 4;
  summary.test_error = test_error;
  summary.validation_error = std::nan("");
  summary.average_test_error = std::nan("");
  summary.average_validation_error = std::nan("");
  summary.peak_bytes = 1000;
  return summary;
}

FuzzedReader summary(const FuzzFolder& folder) {
  const fs::path path = *folder / "seed-summary.json";
  write_summary(path, Settings(), {finished(12.5), finished(20)});
  return reader_of_file(folder, "summary", "summary.json", {read_text(path)},
                        [](const fs::path& file) { summary_table({read_summary(file)}); });
}

FuzzedReader comparison(const FuzzFolder& folder) {
  ComparisonReport report;
  report.runs = compared_runs({"dgl", "mlm:mlm.window=3"}, {0, 1}, *folder / "comparison");
  for (const auto& run : report.runs) {
    report.finished.push_back({run, finished(10 + static_cast<double>(run.seed))});
  }
  report.methods = compare_methods(report.runs, report.finished, {{1000, 0}, {1000, 500}});
  const fs::path path = *folder / "seed-comparison.json";
  write_comparison(path, report);
  return reader_of_file(
      folder, "comparison", "comparison/comparison.json", {read_text(path)},
      [](const fs::path& file) { comparison_section(read_comparison_story(file.parent_path())); });
}

FuzzedReader step_costs(const FuzzFolder& folder) {
  const fs::path path = *folder / "seed-costs.json";
  write_step_costs(path, {{"e2e", 1, 1000}, {"dgl", 1.25, 400}});
  return reader_of_file(folder, "step_costs", "step_costs.json", {read_text(path)},
                        [](const fs::path& file) {
                          ComparisonReport report;
                          report.step_costs = read_step_costs(file);
                          report.runs = compared_runs({"e2e", "dgl"}, {0, 1}, file.parent_path());
                          if (!without_costs(specs_of(report.runs), report.step_costs).empty()) {
                            return;
                          }
                          give_equal_time(report.runs, report.step_costs, 100);
                          for (const auto& run : report.runs) {
                            report.finished.push_back({run, finished(10)});
                          }
                          report.methods = compare_methods(report.runs, report.finished, {{}, {}});
                          set_step_costs(report.methods, report.step_costs);
                          comparison_plot(report, ComparedCost::peak_bytes).to_svg();
                          comparison_plot(report, ComparedCost::training_time).to_svg();
                        });
}

FuzzedReader metrics(const FuzzFolder& folder) {
  return reader_of_file(folder, "metrics", "metrics/metrics.csv",
                        {"epoch,step,train_loss,validation_error\n1,10,2.5,90\n2,20,2.25,\n"},
                        [](const fs::path& path) {
                          const RunRecord record = read_run_record(path.parent_path());
                          for (const auto& column : record.epochs) record.curve(column.first, "");
                        });
}

FuzzedReader steps(const FuzzFolder& folder) {
  return reader_of_file(folder, "steps", "steps/steps.jsonl",
                        {"{\"epoch\":1,\"step\":1,\"losses\":{\"head\":2.5,\"net\":1e-3}}\n"
                         "{\"epoch\":1,\"step\":2,\"losses\":{\"head\":null,\"net\":1}}\n"},
                        [](const fs::path& path) { read_run_record(path.parent_path()); });
}

}  // namespace

std::vector<FuzzedReader> readers_of_runs(const FuzzFolder& folder) {
  return {checkpoint(folder), training_state(folder), config(folder),  summary(folder),
          comparison(folder), step_costs(folder),     metrics(folder), steps(folder)};
}

}  // namespace mlaan::testing
