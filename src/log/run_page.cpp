// A run as a section of an HTML page.
#include "io/png_file.h"
#include "log/chart.h"
#include "log/markup.h"

#include <mlaan/core/quantity.h>
#include <mlaan/log/run_page.h>
#include <mlaan/log/table.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace mlaan {
namespace {

constexpr double mebibyte = 1 << 20;
constexpr double in_milliseconds = 1000;
constexpr std::int64_t most_classes_with_numbers = 20;
constexpr std::int64_t most_classes_in_matrix = 200;
constexpr std::size_t most_confusions = 12;
constexpr std::array<const char*, 5> step_phases{"forward", "supervise", "recompute", "backward",
                                                 "update"};

std::string fact(const std::string& value, const std::string& name) {
  return "<div class=\"fact\"><b>" + escaped_markup(value) + "</b><span>" + escaped_markup(name) +
         "</span></div>\n";
}

std::string per_cent(double value) {
  return std::isnan(value) ? "-" : fixed(value, 2) + " %";
}

std::string facts(const RunStory& story) {
  if (story.summaries.empty()) return "<p class=\"note\">not finished</p>\n";
  const TrainSummary& summary = story.summaries.front();
  const RunReport& run = summary.run;
  return "<div class=\"facts\">\n" +
         fact(run.method, "method, " + std::to_string(run.modules) + " modules") +
         fact(run.model, run.dataset + ", " + format_count(run.train_images) + " images") +
         fact(per_cent(summary.test_error), "test error") +
         fact(per_cent(summary.validation_error), "validation error") +
         fact(format_bytes(summary.peak_bytes), "peak of a step") +
         fact(fixed(summary.images_per_second, 0), "images/s") +
         fact(format_seconds(summary.seconds),
              "training, " + std::to_string(run.epochs) + " epochs") +
         fact(format_count(run.parameters),
              "parameters, and " + format_count(run.auxiliary_parameters) + " of auxiliary nets") +
         "</div>\n";
}

ChartLine line_of(RecordedCurve curve) {
  return {std::move(curve.name), std::move(curve.points)};
}

/// The name without its window: "cascaded" for "cascaded 3..4".
std::string kind_of(const std::string& supervision) {
  return supervision.substr(0, supervision.rfind(' '));
}

/// A chart for each kind of supervision.
std::string loss_charts(const RunRecord& record) {
  std::vector<std::string> kinds;
  std::map<std::string, LineChart> charts;
  for (const auto& curve : record.losses) {
    const std::string kind = kind_of(curve.name);
    if (charts.count(kind) == 0) {
      kinds.push_back(kind);
      charts[kind] = {"Loss of the supervisions “" + kind + "”, by modules", "step", "loss", {}};
    }
    charts[kind].lines.push_back(line_of(curve));
  }
  std::string html;
  for (const auto& kind : kinds) html += line_chart(charts[kind]);
  return html;
}

std::string curves(const RunRecord& record) {
  const auto chart = [&](const std::string& title, const std::string& y_title,
                         const std::vector<std::pair<std::string, std::string>>& columns,
                         double scale = 1) {
    LineChart lines{title, "epoch", y_title, {}};
    for (const auto& [column, name] : columns) {
      ChartLine line = line_of(record.curve(column, name));
      for (auto& point : line.points) point.second *= scale;
      lines.lines.push_back(std::move(line));
    }
    return line_chart(lines);
  };
  const std::string html =
      chart("Errors", "%", {{"train_error", "training"}, {"validation_error", "validation"}}) +
      chart("Loss of the network's head", "cross-entropy",
            {{"train_loss", "training"}, {"validation_loss", "validation"}}) +
      loss_charts(record) + chart("Learning rate", "", {{"learning_rate", "learning rate"}}) +
      chart("Peak of the steps so far", "MiB", {{"peak_bytes", "peak"}}, 1 / mebibyte);
  return html.empty() ? "" : "<h2>Curves</h2>\n<div class=\"charts\">\n" + html + "</div>\n";
}

std::string time_chart(const StepProfile& profile) {
  ColumnChart chart{
      "Time of a step, by modules", "module", "ms", {step_phases.begin(), step_phases.end()}, {}};
  for (const auto& operation : profile.operations) {
    const auto module = static_cast<std::size_t>(operation.module);
    if (chart.columns.size() < module) {
      chart.columns.resize(module, std::vector<double>(step_phases.size()));
    }
    const auto phase = std::find(step_phases.begin(), step_phases.end(), operation.phase);
    if (phase == step_phases.end()) continue;
    chart.columns.at(module - 1).at(static_cast<std::size_t>(phase - step_phases.begin())) +=
        in_milliseconds * operation.seconds;
  }
  return column_chart(chart);
}

std::string bytes_chart(const StepProfile& profile) {
  LineChart chart{"Bytes over a step",
                  "ms",
                  "MiB",
                  {{"highest", {}}, {"after each operation", {}}},
                  /*steps=*/true};
  for (const auto& operation : profile.operations) {
    chart.lines[0].points.emplace_back(in_milliseconds * operation.begin_seconds,
                                       static_cast<double>(operation.peak_bytes) / mebibyte);
    chart.lines[1].points.emplace_back(
        in_milliseconds * (operation.begin_seconds + operation.seconds),
        static_cast<double>(operation.live_bytes) / mebibyte);
  }
  return line_chart(chart);
}

/// Tables of the bytes alive at the step's peak: by kind, and by the operation that allocated them.
std::string alive_tables(const StepProfile& profile) {
  const auto peak = std::max_element(
      profile.operations.begin(), profile.operations.end(),
      [](const auto& left, const auto& right) { return left.peak_bytes < right.peak_bytes; });
  if (peak == profile.operations.end()) return "";
  std::string html = "<p>The peak, " + escaped_markup(format_bytes(peak->peak_bytes)) +
                     ", is reached in “" + escaped_markup(peak->name) + "”. Alive then:</p>\n";
  std::vector<std::vector<std::string>> kinds;
  for (std::size_t kind = 0; kind < peak->peak_by_kind.size(); ++kind) {
    const auto bytes = peak->peak_by_kind.at(kind);
    if (bytes > 0) {
      kinds.push_back(
          {measure::to_string(static_cast<measure::MemoryKind>(kind)), format_bytes(bytes)});
    }
  }
  html += html_table({"kind", "bytes"}, kinds);
  auto alive = profile.alive_at_peak;
  std::sort(alive.begin(), alive.end(),
            [](const auto& left, const auto& right) { return left.bytes > right.bytes; });
  constexpr std::size_t most = 15;
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < std::min(most, alive.size()); ++i) {
    rows.push_back({alive[i].operation, format_bytes(alive[i].bytes),
                    alive[i].blocks.empty() ? "" : std::to_string(alive[i].blocks.size())});
  }
  if (rows.empty()) return html;
  if (alive.size() > most) {
    std::int64_t bytes = 0;
    for (std::size_t i = most; i < alive.size(); ++i) bytes += alive[i].bytes;
    rows.push_back({"of " + std::to_string(alive.size() - most) + " more operations",
                    format_bytes(bytes), ""});
  }
  return html + html_table({"made by", "bytes", "blocks"}, rows);
}

std::string profile_section(const StepProfile& profile) {
  return "<h2>A training step</h2>\n<p class=\"note\">" +
         escaped_markup(fixed(in_milliseconds * profile.seconds, 1)) +
         " ms, synchronised after each operation; with initial weights.</p>\n"
         "<div class=\"charts\">\n" +
         time_chart(profile) + bytes_chart(profile) + "</div>\n" + alive_tables(profile);
}

std::string class_name(const RunStory& story, std::int64_t label) {
  const auto i = static_cast<std::size_t>(label);
  return i < story.class_names.size() ? story.class_names[i] : std::to_string(label);
}

std::string shortened(const std::string& text) {
  constexpr std::size_t longest = 14;
  if (text.size() <= longest) return text;
  std::size_t end = longest - 1;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

/// Rows are true classes, columns are predicted classes.
std::string confusion_matrix(const RunStory& story, const torch::Tensor& confusion) {
  const std::int64_t classes = confusion.size(0);
  if (classes > most_classes_in_matrix) return "";
  const bool numbers = classes <= most_classes_with_numbers;
  const double cell = numbers ? 34 : std::max(4.0, 640 / static_cast<double>(classes));
  const double margin = numbers ? 104 : 20;
  const double side = margin + cell * static_cast<double>(classes) + 4;
  const auto counts = confusion.to(torch::kFloat64);
  const auto shares = counts / counts.sum(1, true).clamp_min(1);
  const std::string size = fixed(side, 0);
  std::string svg = "<svg viewBox=\"0 0 " + size + " " + size +
                    "\" role=\"img\" style=\"max-width:" + size +
                    "px\"><title>Confusion matrix</title>\n";
  for (std::int64_t row = 0; row < classes; ++row) {
    const double y = margin + cell * static_cast<double>(row);
    if (numbers) {
      const std::string name = escaped_markup(shortened(class_name(story, row)));
      svg += "<text x=\"" + fixed(margin - 6, 1) + "\" y=\"" + fixed(y + cell / 2 + 4, 1) +
             "\" text-anchor=\"end\">" + name + "</text>";
      svg += "<text transform=\"translate(" + fixed(y + cell / 2 + 4, 1) + " " +
             fixed(margin - 6, 1) + ") rotate(-90)\">" + name + "</text>\n";
    }
    for (std::int64_t column = 0; column < classes; ++column) {
      const double share = shares[row][column].item<double>();
      const auto count = confusion[row][column].item<std::int64_t>();
      if (count == 0) continue;
      const double x = margin + cell * static_cast<double>(column);
      svg += "<rect x=\"" + fixed(x, 1) + "\" y=\"" + fixed(y, 1) + "\" width=\"" +
             fixed(cell - 1, 1) + "\" height=\"" + fixed(cell - 1, 1) + "\" fill=\"" +
             (row == column ? "#2b9068" : "#d9722e") + "\" fill-opacity=\"" +
             fixed(0.12 + 0.88 * share, 2) + "\"><title>" + escaped_markup(class_name(story, row)) +
             " taken for " + escaped_markup(class_name(story, column)) + ": " +
             std::to_string(count) + "</title></rect>";
      if (!numbers) continue;
      svg += "<text x=\"" + fixed(x + cell / 2, 1) + "\" y=\"" + fixed(y + cell / 2 + 4, 1) +
             "\" text-anchor=\"middle\" style=\"fill:var(--ink)\">" + std::to_string(count) +
             "</text>\n";
    }
  }
  return "<figure>\n<h3>Confusion matrix</h3>\n" + svg +
         "</svg>\n<figcaption>rows: true classes; columns: predicted classes"
         "</figcaption>\n</figure>\n";
}

std::string confusion_table(const RunStory& story, const torch::Tensor& confusion) {
  const auto mistakes = confusion.clone().fill_diagonal_(0).flatten();
  const auto count = std::min<std::int64_t>(most_confusions, mistakes.numel());
  const auto [values, places] = mistakes.topk(count);
  std::vector<std::vector<std::string>> rows;
  for (std::int64_t i = 0; i < count && values[i].item<std::int64_t>() > 0; ++i) {
    const auto place = places[i].item<std::int64_t>();
    const auto label = place / confusion.size(0);
    const auto of_class = confusion[label].sum().item<std::int64_t>();
    const auto mistaken = values[i].item<std::int64_t>();
    rows.push_back({class_name(story, label), class_name(story, place % confusion.size(0)),
                    std::to_string(mistaken),
                    fixed(100 * static_cast<double>(mistaken) / static_cast<double>(of_class), 1)});
  }
  if (rows.empty()) return "";
  return "<figure>\n<h3>Most frequent mistakes</h3>\n" +
         html_table({"shows", "taken for", "pictures", "% of its class"}, rows) + "</figure>\n";
}

std::string worst_pictures(const RunStory& story, const std::vector<WorstPicture>& worst) {
  std::string html;
  for (const auto& picture : worst) {
    if (picture.picture.size(0) != 1 && picture.picture.size(0) != 3) continue;
    html += "<figure><img alt=\"\" src=\"data:image/png;base64," +
            base64(png_bytes(picture.picture)) + "\"><figcaption>" +
            escaped_markup(class_name(story, picture.label)) + ", taken for <b>" +
            escaped_markup(class_name(story, picture.guess)) + "</b> (" +
            fixed(100 * picture.probability, 0) + " %)</figcaption></figure>\n";
  }
  if (html.empty()) return "";
  return "<h2>Worst pictures</h2>\n<p class=\"note\">misclassified test pictures, those of the "
         "highest loss first</p>\n<div class=\"pictures\">\n" +
         html + "</div>\n";
}

std::string examination_section(const RunStory& story) {
  const auto& examination = *story.examination;
  const Score& score = examination.score;
  if (!score.confusion.defined()) return "";
  return "<h2>Mistakes on the test images</h2>\n<p class=\"note\">error " + per_cent(score.error) +
         ", top-5 error " + per_cent(score.error_top5) + ", of " + format_count(score.images) +
         " pictures</p>\n<div class=\"charts\">\n" + confusion_matrix(story, score.confusion) +
         confusion_table(story, score.confusion) + "</div>\n" +
         worst_pictures(story, examination.worst);
}

}  // namespace

std::string run_heading(const RunStory& story) {
  return escaped_markup(story.name);
}

std::string run_section(const RunStory& story) {
  std::string html = "<h1>" + escaped_markup(story.name) + "</h1>\n" + facts(story);
  for (const auto& remark : story.remarks) {
    html += "<p class=\"note\">" + escaped_markup(remark) + "</p>\n";
  }
  html += curves(story.record);
  if (story.profile) html += profile_section(*story.profile);
  if (story.examination) html += examination_section(story);
  if (!story.settings.empty()) {
    html += "<h2>Settings</h2>\n<details><summary>config.toml</summary>\n<pre>" +
            escaped_markup(story.settings) + "</pre></details>\n";
  }
  return html;
}

std::string report_page(const std::string& title, const std::string& body) {
  return html_page(title, body);
}

}  // namespace mlaan
