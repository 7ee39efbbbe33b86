// A comparison as a section of an HTML page.
#include "core/undefined_number.h"
#include "io/json_text.h"
#include "log/chart.h"
#include "log/markup.h"

#include <mlaan/core/error.h>
#include <mlaan/core/quantity.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/log/comparison_page.h>
#include <mlaan/log/table.h>
#include <mlaan/train/paired_test.h>

#include <nlohmann/json.hpp>

#include <array>
#include <cmath>
#include <cstdio>

namespace mlaan {
namespace {

namespace fs = std::filesystem;

constexpr double chance_outside = 0.05;

double number_or_none(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  return found == json.end() || !found->is_number() ? undefined_number : found->get<double>();
}

SeedInterval spread_from(const nlohmann::json& json, std::int64_t seeds) {
  return interval_of_mean(number_or_none(json, "mean"), number_or_none(json, "deviation"), seeds);
}

/// Reads a paired difference; its standard error is its mean divided by t.
SeedInterval difference_from(const nlohmann::json& json) {
  SeedInterval interval{undefined_number, undefined_number, undefined_number};
  if (!json.is_object()) return interval;
  interval.mean = number_or_none(json, "mean");
  const double error = std::abs(interval.mean / number_or_none(json, "t"));
  const auto pairs = json.value("pairs", std::int64_t{0});
  if (pairs < 2 || !std::isfinite(error)) return interval;
  const double reach = student_t_bound(chance_outside, pairs - 1) * error;
  interval.lowest = interval.mean - reach;
  interval.highest = interval.mean + reach;
  return interval;
}

StoryMethod method_from(const nlohmann::json& json) {
  StoryMethod method;
  json.at("method").get_to(method.name);
  method.seeds = static_cast<std::int64_t>(json.at("seeds").size());
  json.at("modules").get_to(method.modules);
  method.validation_error = spread_from(json.at("validation_error"), method.seeds);
  method.test_error = spread_from(json.at("test_error"), method.seeds);
  method.test_difference = difference_from(json.at("test_difference"));
  method.p = json.at("test_difference").is_object()
                 ? number_or_none(json.at("test_difference"), "p")
                 : undefined_number;
  json.at("parameters").get_to(method.parameters);
  json.at("auxiliary_parameters").get_to(method.auxiliary_parameters);
  json.at("peak_bytes").get_to(method.peak_bytes);
  method.peak_ratio = number_or_none(json, "peak_ratio");
  method.images_per_second = number_or_none(json, "images_per_second");
  method.seconds = number_or_none(json, "seconds");
  method.time_ratio = number_or_none(json, "time_ratio");
  return method;
}

/// "24.10 (23.52 to 24.68)"
std::string interval_text(const SeedInterval& interval) {
  if (std::isnan(interval.mean)) return "-";
  const std::string mean = fixed(interval.mean, 2);
  if (std::isnan(interval.lowest)) return mean;
  return mean + " (" + fixed(interval.lowest, 2) + " to " + fixed(interval.highest, 2) + ")";
}

std::string signed_interval_text(const SeedInterval& interval) {
  return (interval.mean > 0 ? "+" : "") + interval_text(interval);
}

std::string chance_text(double p) {
  if (std::isnan(p)) return "-";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2g", p);
  return text.data();
}

std::string errors_of_methods(const ComparisonStory& story) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& method : story.methods) {
    rows.push_back({method.name, std::to_string(method.seeds), interval_text(method.test_error),
                    signed_interval_text(method.test_difference), chance_text(method.p),
                    interval_text(method.validation_error)});
  }
  return html_table({"method", "seeds", "test error %", "difference", "p", "validation error %"},
                    rows);
}

std::string costs_of_methods(const ComparisonStory& story) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& method : story.methods) {
    rows.push_back({method.name, std::to_string(method.modules), format_bytes(method.peak_bytes),
                    fixed(method.peak_ratio, 3), fixed(method.images_per_second, 0),
                    format_seconds(method.seconds), fixed(method.time_ratio, 2),
                    format_count(method.parameters), format_count(method.auxiliary_parameters)});
  }
  return html_table(
      {"method", "modules", "peak", "×", "images/s", "time", "×", "parameters", "auxiliary"}, rows);
}

std::string intervals_chart(const ComparisonStory& story, const std::string& title,
                            const std::string& x_title, SeedInterval StoryMethod::*of,
                            double reference) {
  std::vector<ChartInterval> intervals;
  for (const auto& method : story.methods) {
    const SeedInterval& interval = method.*of;
    // The method that others are compared with lies on the reference line.
    const bool is_reference = std::isnan(interval.mean) && &method == &story.methods.front();
    intervals.push_back(
        {method.name, is_reference ? reference : interval.mean, interval.lowest, interval.highest});
  }
  return interval_chart(title, x_title, intervals, reference);
}

/// The curve of a column of metrics.csv for each method, averaged over its runs.
std::string curves_of_methods(const ComparisonStory& story, const std::string& column,
                              const std::string& title, const std::string& y_title) {
  LineChart chart{title, "epoch", y_title, {}};
  for (const auto& method : story.methods) {
    ChartLine line{method.name, {}};
    std::vector<double> counts;
    for (const auto& run : story.runs) {
      if (run.method != method.name) continue;
      const auto points = run.record.curve(column, "").points;
      for (std::size_t i = 0; i < points.size(); ++i) {
        if (i >= line.points.size()) {
          line.points.emplace_back(points[i].first, 0);
          counts.push_back(0);
        }
        line.points[i].second += points[i].second;
        ++counts[i];
      }
    }
    for (std::size_t i = 0; i < counts.size(); ++i) line.points[i].second /= counts[i];
    chart.lines.push_back(std::move(line));
  }
  return line_chart(chart);
}

}  // namespace

SeedInterval interval_of_mean(double mean, double deviation, std::int64_t seeds) {
  SeedInterval interval{mean, undefined_number, undefined_number};
  if (seeds < 2 || !std::isfinite(deviation)) return interval;
  const double reach = student_t_bound(chance_outside, seeds - 1) * deviation /
                       std::sqrt(static_cast<double>(seeds));
  interval.lowest = mean - reach;
  interval.highest = mean + reach;
  return interval;
}

ComparisonStory read_comparison_story(const fs::path& folder) {
  const fs::path file = folder / "comparison.json";
  ComparisonStory story;
  story.name = folder.string();
  try {
    const nlohmann::json document = parse_json(read_text(file));
    story.model = document.value("model", "");
    story.dataset = document.value("dataset", "");
    story.epochs = document.value("epochs", std::int64_t{0});
    story.runs_asked_for = document.value("runs_asked_for", std::int64_t{0});
    for (const auto& method : document.at("methods")) story.methods.push_back(method_from(method));
    for (const auto& run : document.at("runs")) {
      const fs::path run_folder = folder / run.at("folder").get<std::string>();
      story.runs.push_back({run.at("method").get<std::string>(), run.at("seed").get<std::int64_t>(),
                            run_folder, read_run_record(run_folder)});
    }
  } catch (const nlohmann::json::exception& error) {
    throw UserError(file.string() + " is not what `mlaan compare` writes: " + error.what());
  }
  return story;
}

std::string comparison_section(const ComparisonStory& story) {
  std::string html = "<h1>" + escaped_markup(story.name) + "</h1>\n<p class=\"note\">" +
                     escaped_markup(story.model) + " on " + escaped_markup(story.dataset) + ", " +
                     std::to_string(story.epochs) + " epochs, " +
                     std::to_string(story.runs.size()) + " of " +
                     std::to_string(story.runs_asked_for) + " runs finished</p>\n";
  if (story.methods.empty()) return html;
  html += "<h2>Errors</h2>\n<div class=\"charts\">\n" +
          intervals_chart(story, "Test error", "%", &StoryMethod::test_error, undefined_number) +
          intervals_chart(story, "Difference to " + story.methods.front().name, "percentage points",
                          &StoryMethod::test_difference, 0) +
          "</div>\n" + errors_of_methods(story) +
          "<p class=\"note\">Mean over the seeds, and in parentheses its 95 % confidence interval "
          "(Student’s t). Difference: to the first method, seed by seed; p: two-sided, of a paired "
          "t-test.</p>\n";
  html += "<h2>Costs</h2>\n" + costs_of_methods(story) +
          "<p class=\"note\">×: ratio to the first method</p>\n";
  html += "<h2>Curves</h2>\n<div class=\"charts\">\n" +
          curves_of_methods(story, "validation_error", "Validation error", "%") +
          curves_of_methods(story, "train_error", "Training error", "%") +
          curves_of_methods(story, "validation_loss", "Validation loss", "cross-entropy") +
          curves_of_methods(story, "train_loss", "Training loss", "cross-entropy") +
          "</div>\n<p class=\"note\">means over the seeds</p>\n";
  return html;
}

}  // namespace mlaan
