// The results of a benchmark as a table, a plot and JSON.
#include "io/json_text.h"

#include <mlaan/core/quantity.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/log/benchmark_report.h>
#include <mlaan/log/table.h>

#include <torch/version.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace mlaan {
namespace {

/// "segments=8, window=3"
std::string settings_text(const MethodSpec& spec) {
  std::string text;
  for (const auto& [key, value] : spec.settings) {
    text += (text.empty() ? "" : ", ") + key.substr(key.rfind('.') + 1) + "=" + value;
  }
  return text;
}

std::string note(const BenchmarkResult& result) {
  return result.spec.text + ": " + fixed(result.step_seconds, 3) + " s (" +
         fixed(result.time_ratio, 2) + " ×), " + format_bytes(result.peak_bytes) + " (" +
         fixed(result.peak_ratio, 3) + " ×), " + std::to_string(result.modules) + " modules";
}

std::vector<std::string> keys(const MethodSpec& spec) {
  std::vector<std::string> keys;
  for (const auto& setting : spec.settings) keys.push_back(setting.first);
  std::sort(keys.begin(), keys.end());
  return keys;
}

/// The results of one method as a series. For each set of keys that specs set there is a curve
/// through their results and the results with default settings. Points are labelled by their
/// settings; the method's name is added if no other point of the curve has it.
PlotSeries series_of(const std::string& method, const std::vector<BenchmarkResult>& results) {
  PlotSeries series;
  std::map<std::vector<std::string>, std::vector<std::size_t>> curves;
  std::vector<std::size_t> bare;
  for (const auto& result : results) {
    if (result.spec.method != method) continue;
    const std::size_t number = series.points.size();
    const std::string settings = settings_text(result.spec);
    series.points.push_back(
        {result.peak_ratio, result.time_ratio, settings.empty() ? method : settings, note(result)});
    if (settings.empty()) {
      bare.push_back(number);
    } else {
      curves[keys(result.spec)].push_back(number);
    }
  }
  for (auto& [given, curve] : curves) {
    if (bare.empty()) {
      std::string& label = series.points[curve.front()].label;
      label = method + " " + label;
    }
    curve.insert(curve.end(), bare.begin(), bare.end());
    std::sort(curve.begin(), curve.end());
    if (curve.size() > 1) series.curves.push_back(curve);
  }
  return series;
}

std::vector<PlotSeries> all_series(const std::vector<BenchmarkResult>& results) {
  std::vector<PlotSeries> series;
  std::set<std::string> methods;
  for (const auto& result : results) {
    if (!methods.insert(result.spec.method).second) continue;
    series.push_back(series_of(result.spec.method, results));
  }
  return series;
}

void add_layout(nlohmann::ordered_json& json, const BenchmarkResult& result) {
  json["processes"] = std::max<std::size_t>(1, result.ranks.size());
  for (const auto& rank : result.ranks) {
    json["ranks"].push_back({{"name", rank.name},
                             {"peak_bytes", rank.peak_bytes},
                             {"bytes_per_step", rank.bytes_per_step},
                             {"seconds_waited_per_step", rank.seconds_waited}});
  }
  if (result.one_process_step_seconds == 0) return;
  json["one_process"] = {{"step_seconds", result.one_process_step_seconds},
                         {"peak_bytes", result.one_process_peak_bytes},
                         {"time_ratio", result.one_process_time_ratio}};
}

nlohmann::ordered_json to_json(const BenchmarkResult& result) {
  nlohmann::ordered_json json;
  json["method"] = result.spec.text;
  json["base_method"] = result.spec.method;
  json["model"] = result.model;
  json["modules"] = result.modules;
  json["window"] = result.window;
  json["batch"] = result.batch;
  json["device"] = result.device;
  json["steps"] = result.steps;
  json["step_seconds"] = result.step_seconds;
  json["step_seconds_lowest"] = result.step_seconds_lowest;
  json["step_seconds_highest"] = result.step_seconds_highest;
  json["images_per_second"] = result.images_per_second;
  json["peak_bytes"] = result.peak_bytes;
  for (std::size_t k = 0; k < result.peak_by_kind.size(); ++k) {
    const std::string kind = measure::to_string(static_cast<measure::MemoryKind>(k));
    json["peak_bytes_by_kind"][kind] = result.peak_by_kind.at(k);
  }
  json["multiply_adds"] = result.multiply_adds;
  json["executed_multiply_adds"] = result.executed_multiply_adds;
  json["parameters"] = result.parameters;
  json["auxiliary_parameters"] = result.auxiliary_parameters;
  json["time_ratio"] = result.time_ratio;
  json["peak_ratio"] = result.peak_ratio;
  json["multiply_add_ratio"] = result.multiply_add_ratio;
  if (!result.phase.empty()) {
    json["phase"] = result.phase;
    json["share"] = result.share;
  }
  add_layout(json, result);
  for (const auto& phase : result.phases) json["phases"].push_back(to_json(phase));
  return json;
}

}  // namespace

std::string benchmark_table(const std::vector<BenchmarkResult>& results) {
  const auto kind_bytes = [](const BenchmarkResult& result, measure::MemoryKind kind) {
    return format_bytes(result.peak_by_kind.at(static_cast<std::size_t>(kind)));
  };
  Table table({"method", "modules", "window", "step s", "lowest", "highest", "images/s", "time ×",
               "work ×", "peak", "peak ×", "activations", "parameters", "gradients", "optimizer"});
  const auto add_row = [&](const BenchmarkResult& result, const std::string& name) {
    table.add({name, std::to_string(result.modules), std::to_string(result.window),
               fixed(result.step_seconds, 3), fixed(result.step_seconds_lowest, 3),
               fixed(result.step_seconds_highest, 3), fixed(result.images_per_second, 0),
               fixed(result.time_ratio, 2), fixed(result.multiply_add_ratio, 2),
               format_bytes(result.peak_bytes), fixed(result.peak_ratio, 3),
               kind_bytes(result, measure::MemoryKind::activations),
               kind_bytes(result, measure::MemoryKind::parameters),
               kind_bytes(result, measure::MemoryKind::gradients),
               kind_bytes(result, measure::MemoryKind::optimizer_state)});
  };
  for (const auto& result : results) {
    add_row(result, result.spec.text);
    for (const auto& phase : result.phases) {
      add_row(phase, "  " + phase.phase + ", " + fixed(100 * phase.share, 0) + " %");
    }
  }
  return table.to_string();
}

std::string layout_table(const std::vector<BenchmarkResult>& results) {
  const bool beside = results.at(0).one_process_step_seconds > 0;
  std::vector<std::string> header{"method", "rank", "peak"};
  if (beside) header.insert(header.end(), {"one process's", "peak ×", "images/s ×"});
  header.insert(header.end(), {"sent a step", "waited a step"});
  Table table(header);
  for (const auto& result : results) {
    for (std::size_t r = 0; r < result.ranks.size(); ++r) {
      const auto& rank = result.ranks[r];
      std::vector<std::string> row{result.spec.text, rank.name, format_bytes(rank.peak_bytes)};
      if (beside) {
        row.insert(row.end(), {format_bytes(result.one_process_peak_bytes),
                               fixed(static_cast<double>(rank.peak_bytes) /
                                         static_cast<double>(result.one_process_peak_bytes),
                                     3),
                               r == 0 ? fixed(result.one_process_time_ratio, 2) : ""});
      }
      row.insert(row.end(),
                 {format_bytes(rank.bytes_per_step), fixed(rank.seconds_waited, 3) + " s"});
      table.add(std::move(row));
    }
  }
  return table.to_string();
}

void write_benchmark(const std::filesystem::path& path,
                     const std::vector<BenchmarkResult>& results) {
  nlohmann::ordered_json document;
  document["results"] = nlohmann::ordered_json::array();
  for (const auto& result : results) document["results"].push_back(to_json(result));
  write_text(path, json_text(document, 2) + "\n");
}

ScatterPlot benchmark_plot(const std::vector<BenchmarkResult>& results) {
  const BenchmarkResult& first = results.at(0);
  const auto reference = std::find_if(
      results.begin(), results.end(),
      [](const BenchmarkResult& result) { return result.spec.text == result.reference; });
  ScatterPlot plot;
  plot.title = first.model + ", batch " + std::to_string(first.batch) +
               ": time and memory of a training step";
  plot.subtitle = "LibTorch " TORCH_VERSION ", device " + first.device;
  if (reference != results.end()) {
    plot.subtitle += "; " + reference->spec.text + ": " + fixed(reference->step_seconds, 3) +
                     " s, " + format_bytes(reference->peak_bytes);
  }
  plot.x = {"peak bytes of a step, ratio to " + first.reference + " (logarithmic)", true, 1};
  plot.y = {"time of a step, ratio to " + first.reference + " (logarithmic)", true, 1};
  plot.series = all_series(results);
  return plot;
}

}  // namespace mlaan
