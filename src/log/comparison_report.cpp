// The results of a comparison as tables and JSON.
#include "io/json_text.h"

#include <mlaan/core/quantity.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/log/comparison_report.h>
#include <mlaan/log/table.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace mlaan {
namespace {

using nlohmann::ordered_json;

/// "14.20 ± 0.31"
std::string spread_cell(const Spread& spread) {
  const std::string mean = fixed(spread.mean, 2);
  return std::isnan(spread.deviation) ? mean : mean + " ± " + fixed(spread.deviation, 2);
}

/// "+1.20 ± 0.85"
std::string difference_cell(const std::optional<PairedTest>& test) {
  if (!test || std::isnan(test->difference)) return "-";
  const std::string difference = (test->difference < 0 ? "" : "+") + fixed(test->difference, 2);
  return std::isnan(test->half_width) ? difference
                                      : difference + " ± " + fixed(test->half_width, 2);
}

/// "0.031"
std::string chance_cell(const std::optional<PairedTest>& test) {
  if (!test || std::isnan(test->p)) return "-";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2g", test->p);
  return text.data();
}

bool have_averages(const std::vector<ComparedMethod>& methods) {
  return std::any_of(methods.begin(), methods.end(), [](const ComparedMethod& method) {
    return !std::isnan(method.average_test_error.mean);
  });
}

Table errors_table(const std::vector<ComparedMethod>& methods) {
  const bool averaged = have_averages(methods);
  std::vector<std::string> header{"method",     "seeds", "epochs",       "validation error %",
                                  "difference", "p",     "test error %", "difference",
                                  "p"};
  if (averaged) {
    header.insert(header.end(), {"averaged: validation error %", "test error %", "difference"});
  }
  Table table(header);
  for (const auto& method : methods) {
    std::vector<std::string> row{method.spec.text,
                                 std::to_string(method.seeds.size()),
                                 std::to_string(method.epochs),
                                 spread_cell(method.validation_error),
                                 difference_cell(method.validation_difference),
                                 chance_cell(method.validation_difference),
                                 spread_cell(method.test_error),
                                 difference_cell(method.test_difference),
                                 chance_cell(method.test_difference)};
    if (averaged) {
      row.insert(row.end(), {spread_cell(method.average_validation_error),
                             spread_cell(method.average_test_error),
                             difference_cell(method.average_test_difference)});
    }
    table.add(std::move(row));
  }
  return table;
}

/// The value; "-" if it was not measured.
std::string measured_cell(double value, int digits) {
  return std::isnan(value) ? "-" : fixed(value, digits);
}

Table costs_table(const std::vector<ComparedMethod>& methods) {
  Table table({"method", "modules", "parameters", "auxiliary", "×", "multiply-adds", "auxiliary",
               "×", "peak", "×", "images/s", "×", "time", "×", "step time ×", "step peak ×"});
  for (const auto& method : methods) {
    table.add({method.spec.text, std::to_string(method.modules), format_count(method.parameters),
               format_count(method.auxiliary_parameters), fixed(method.parameter_ratio, 2),
               format_magnitude(static_cast<double>(method.work.backbone)),
               format_magnitude(method.work.nets), fixed(method.work_ratio, 2),
               format_bytes(method.peak_bytes), fixed(method.peak_ratio, 3),
               fixed(method.images_per_second, 0), fixed(method.speed_ratio, 2),
               format_seconds(method.seconds), fixed(method.time_ratio, 2),
               measured_cell(method.step_time_ratio, 2), measured_cell(method.step_peak_ratio, 3)});
  }
  return table;
}

std::string notes(const ComparisonReport& report) {
  const std::string first = specs_of(report.runs).at(0).text;
  const bool best = report.finished.front().summary.reported == "best";
  return "  errors: mean ± sample standard deviation over the seeds, of " +
         std::string(best ? "the epoch with the lowest validation error" : "the last epoch") +
         "\n  difference: to " + first +
         ", seed by seed, ± half the width of its 95 % confidence interval; p: two-sided, of a "
         "paired t-test over the seeds\n"
         "  ×: ratio to " +
         first +
         ", backbone and auxiliary nets together\n"
         "  multiply-adds: of one training image, forward, backbone and auxiliary nets; time: of "
         "training one run\n"
         "  step time, step peak: measured for all methods in turn with --budget time or --plot\n";
}

ordered_json to_json(const Spread& spread) {
  return {{"mean", spread.mean},
          {"deviation", spread.deviation},
          {"confidence_half_width", spread.half_width}};
}

ordered_json to_json(const std::optional<PairedTest>& test) {
  if (!test) return nullptr;
  return {{"mean", test->difference},
          {"t", test->t},
          {"p", test->p},
          {"pairs", test->pairs},
          {"confidence_half_width", test->half_width}};
}

ordered_json to_json(const ComparedMethod& method) {
  ordered_json json;
  json["method"] = method.spec.text;
  json["base_method"] = method.spec.method;
  json["seeds"] = method.seeds;
  json["modules"] = method.modules;
  json["window"] = method.window;
  json["validation_error"] = to_json(method.validation_error);
  json["validation_difference"] = to_json(method.validation_difference);
  json["test_error"] = to_json(method.test_error);
  json["test_difference"] = to_json(method.test_difference);
  json["epochs"] = method.epochs;
  json["average_validation_error"] = to_json(method.average_validation_error);
  json["average_test_error"] = to_json(method.average_test_error);
  json["average_test_difference"] = to_json(method.average_test_difference);
  json["parameters"] = method.parameters;
  json["auxiliary_parameters"] = method.auxiliary_parameters;
  json["parameter_ratio"] = method.parameter_ratio;
  json["multiply_adds"] = method.work.backbone;
  json["auxiliary_multiply_adds"] = method.work.nets;
  json["multiply_add_ratio"] = method.work_ratio;
  json["peak_bytes"] = method.peak_bytes;
  json["peak_ratio"] = method.peak_ratio;
  json["images_per_second"] = method.images_per_second;
  json["speed_ratio"] = method.speed_ratio;
  json["seconds"] = method.seconds;
  json["time_ratio"] = method.time_ratio;
  json["step_time_ratio"] = method.step_time_ratio;  // NaN, for what was not measured, becomes null
  json["step_peak_ratio"] = method.step_peak_ratio;
  return json;
}

ordered_json to_json(const FinishedRun& finished) {
  const TrainSummary& summary = finished.summary;
  ordered_json json;
  json["method"] = finished.run.spec.text;
  json["seed"] = finished.run.seed;
  json["folder"] = finished.run.folder.filename().string();
  json["reported_epoch"] = summary.reported_epoch;
  json["test_error"] = summary.test_error;
  json["test_loss"] = summary.test_loss;
  json["validation_error"] = summary.validation_error;
  json["epochs"] = summary.run.epochs;
  json["average_test_error"] = summary.average_test_error;
  json["average_validation_error"] = summary.average_validation_error;
  json["train_error"] = summary.train_error;
  json["seconds"] = summary.seconds;
  json["images_per_second"] = summary.images_per_second;
  json["peak_bytes"] = summary.peak_bytes;
  return json;
}

}  // namespace

std::string comparison_table(const ComparisonReport& report) {
  if (report.finished.empty()) return "  no run is finished\n";
  return errors_table(report.methods).to_string() + "\n" + costs_table(report.methods).to_string() +
         "\n" + notes(report);
}

void write_comparison(const std::filesystem::path& path, const ComparisonReport& report) {
  ordered_json document;
  document["complete"] = report.complete();
  document["runs_asked_for"] = report.runs.size();
  document["reference"] = specs_of(report.runs).at(0).text;
  if (!report.finished.empty()) {
    const TrainSummary& summary = report.finished.front().summary;
    document["model"] = summary.run.model;
    document["dataset"] = summary.run.dataset;
    document["epochs"] = summary.run.epochs;
    document["batch"] = summary.run.batch;
    document["train_images"] = summary.run.train_images;
    document["validation_images"] = summary.run.validation_images;
    document["test_images"] = summary.run.test_images;
    document["reported"] = summary.reported;
  }
  document["methods"] = ordered_json::array();
  for (const auto& method : report.methods) document["methods"].push_back(to_json(method));
  document["runs"] = ordered_json::array();
  for (const auto& run : report.finished) document["runs"].push_back(to_json(run));
  write_text(path, json_text(document, 2) + "\n");
}

}  // namespace mlaan
