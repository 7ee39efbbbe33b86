// The plot of a comparison, and the file with the costs of its steps.
#include "io/json_text.h"

#include <mlaan/core/error.h>
#include <mlaan/core/quantity.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/log/comparison_report.h>
#include <mlaan/log/table.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <map>

namespace mlaan {
namespace {

/// Draws the methods of a comparison against one cost.
class ComparisonPlot {
 public:
  ComparisonPlot(const ComparisonReport& report, ComparedCost cost)
      : report_(report),
        cost_(cost),
        averaged_(std::any_of(report.methods.begin(), report.methods.end(),
                              [](const ComparedMethod& method) {
                                return !std::isnan(method.average_test_error.mean);
                              })) {
    if (report.methods.empty()) throw UserError("a comparison without finished runs has no plot");
  }

  ScatterPlot draw() {
    const TrainSummary& summary = report_.finished.front().summary;
    ScatterPlot plot;
    plot.title = summary.run.model + " on " + summary.run.dataset + ": test error and " +
                 (cost_ == ComparedCost::peak_bytes ? "peak bytes" : "training time");
    plot.subtitle = std::to_string(report_.methods.front().epochs) + " epochs of " +
                    std::to_string(summary.run.train_images) + " images, batch " +
                    std::to_string(summary.run.batch) + (averaged_ ? ", averaged weights" : "") +
                    "; bars: 95 % confidence";
    const std::string first = report_.methods.front().spec.text;
    plot.x = {std::string(cost_ == ComparedCost::peak_bytes ? "peak bytes of a step"
                                                            : "time of training") +
                  ", ratio to " + first + " (logarithmic)",
              true, 1};
    plot.y = {"test error, per cent", false, error_of(report_.methods.front()).mean};
    add_methods(plot);
    add_checkpointing(plot);
    return plot;
  }

 private:
  const Spread& error_of(const ComparedMethod& method) const {
    return averaged_ ? method.average_test_error : method.test_error;
  }

  double cost_of_method(const StepCost& step, std::int64_t epochs) const {
    const ComparedMethod& first = report_.methods.front();
    const StepCost& reference = cost_of(first.spec.text, report_.step_costs);
    if (cost_ == ComparedCost::peak_bytes) {
      return static_cast<double>(step.peak_bytes) / static_cast<double>(reference.peak_bytes);
    }
    return step.time_ratio / reference.time_ratio * static_cast<double>(epochs) /
           static_cast<double>(first.epochs);
  }

  PlotPoint point_of(const ComparedMethod& errors, const StepCost& step, const std::string& label) {
    const Spread& error = error_of(errors);
    PlotPoint point;
    point.x = cost_of_method(step, errors.epochs);
    point.y = error.mean;
    point.label = label;
    point.note = label + ": " + fixed(point.y, 2) + " %, " + fixed(point.x, 3) + " ×, " +
                 format_bytes(step.peak_bytes);
    if (!std::isnan(error.half_width)) point.y_half_width = error.half_width;
    return point;
  }

  /// Adds a series for each method; specs that differ only in settings share one.
  void add_methods(ScatterPlot& plot) {
    std::map<std::string, std::size_t> series;
    for (const auto& method : report_.methods) {
      const auto [found, is_new] = series.try_emplace(method.spec.method, plot.series.size());
      if (is_new) plot.series.emplace_back();
      plot.series[found->second].points.push_back(
          point_of(method, cost_of(method.spec.text, report_.step_costs), method.spec.text));
    }
  }

  void add_checkpointing(ScatterPlot& plot) {
    PlotSeries series;
    for (const auto& step : report_.step_costs) {
      const ComparedMethod* end_to_end = find_method(step.errors_of);
      if (end_to_end == nullptr || find_method(step.spec) != nullptr) continue;
      const std::string segments = step.spec.substr(step.spec.rfind('=') + 1);
      series.points.push_back(point_of(*end_to_end, step, "checkpointing, " + segments));
      series.points.back().y_half_width = 0;
    }
    if (!series.points.empty()) plot.series.push_back(std::move(series));
  }

  /// The compared method of this spec; null if there is none.
  const ComparedMethod* find_method(const std::string& spec) const {
    for (const auto& method : report_.methods) {
      if (method.spec.text == spec) return &method;
    }
    return nullptr;
  }

  const ComparisonReport& report_;
  ComparedCost cost_;
  bool averaged_;
};

}  // namespace

ScatterPlot comparison_plot(const ComparisonReport& report, ComparedCost cost) {
  return ComparisonPlot(report, cost).draw();
}

void write_step_costs(const std::filesystem::path& path, const std::vector<StepCost>& costs) {
  nlohmann::ordered_json document;
  document["step_costs"] = nlohmann::ordered_json::array();
  for (const auto& cost : costs) {
    document["step_costs"].push_back(
        {{"method", cost.spec}, {"time_ratio", cost.time_ratio}, {"peak_bytes", cost.peak_bytes}});
    if (!cost.errors_of.empty()) document["step_costs"].back()["errors_of"] = cost.errors_of;
  }
  write_text(path, json_text(document, 2) + "\n");
}

namespace {

/// Epochs are divided by these numbers, and plots show their logarithms.
void check(const StepCost& cost, const std::filesystem::path& path) {
  constexpr double longest = 1e9;
  if (cost.time_ratio > 1 / longest && cost.time_ratio < longest && cost.peak_bytes > 0) return;
  throw UserError(
      path.string() + ": the step of " + cost.spec +
      " has an impossible time or number of bytes; remove it to have steps measured again");
}

}  // namespace

std::vector<StepCost> read_step_costs(const std::filesystem::path& path) {
  std::vector<StepCost> costs;
  try {
    const auto document = parse_json(read_text(path));
    for (const auto& cost : document.at("step_costs")) {
      costs.push_back({cost.at("method").get<std::string>(), cost.at("time_ratio").get<double>(),
                       cost.at("peak_bytes").get<std::int64_t>(), cost.value("errors_of", "")});
      check(costs.back(), path);
    }
  } catch (const nlohmann::json::exception& error) {
    throw UserError(path.string() + " holds no step costs of a comparison: " + error.what() +
                    "; remove it to have steps measured again");
  }
  return costs;
}

}  // namespace mlaan
