// The summary of a run as a table and as JSON.
#include "core/undefined_number.h"
#include "io/json_text.h"
#include "log/layout_text.h"

#include <mlaan/core/error.h>
#include <mlaan/core/quantity.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/log/summary.h>
#include <mlaan/log/table.h>
#include <mlaan/train/options.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace mlaan {
namespace {

using nlohmann::ordered_json;

void add_bytes_by_kind(ordered_json& json, const TrainSummary& summary) {
  for (std::size_t k = 0; k < summary.peak_by_kind.size(); ++k) {
    const std::string kind = measure::to_string(static_cast<measure::MemoryKind>(k));
    json["peak_bytes_by_kind"][kind] = summary.peak_by_kind.at(k);
  }
}

void add_ranks(ordered_json& json, const TrainSummary& summary) {
  for (const auto& rank : summary.ranks) {
    json["ranks"].push_back({{"name", rank.name},
                             {"peak_bytes", rank.peak_bytes},
                             {"bytes_per_step", rank.bytes_per_step},
                             {"seconds_waited", rank.seconds_waited}});
    if (rank.first_module == 0) continue;
    json["ranks"].back()["first_module"] = rank.first_module;
    json["ranks"].back()["last_module"] = rank.last_module;
  }
}

void add_phases(ordered_json& json, const TrainSummary& summary) {
  for (const auto& phase : summary.run.phases) {
    if (phase.name.empty()) continue;
    json["phases"].push_back({{"name", phase.name},
                              {"method", phase.method},
                              {"begin", phase.begin},
                              {"end", phase.end},
                              {"modules", phase.modules},
                              {"peak_bytes", phase.peak_bytes}});
  }
}

ordered_json to_json(const TrainSummary& summary, const Settings& settings) {
  const auto& run = settings.get<RunOptions>();
  ordered_json json;
  json["method"] = summary.run.method;
  json["model"] = summary.run.model;
  json["dataset"] = summary.run.dataset;
  json["modules"] = summary.run.modules;
  json["window"] = summary.run.window;
  json["batch"] = summary.run.batch;
  json["processes"] = summary.run.processes;
  const std::size_t stages = std::max<std::size_t>(1, summary.run.first_modules.size());
  json["stages"] = stages;
  json["layout"] = stages > 1                  ? "stages"
                   : summary.run.processes > 1 ? "data-parallel"
                                               : "one process";
  json["epochs"] = summary.run.epochs;
  json["lr"] = run.lr;
  json["seed"] = run.seed;
  json["device"] = run.device;
  json["train_images"] = summary.run.train_images;
  json["validation_images"] = summary.run.validation_images;
  json["test_images"] = summary.run.test_images;
  json["complete"] = summary.complete;
  json["ended_by"] = summary.ended_by;
  json["reported"] = summary.reported;
  json["reported_epoch"] = summary.reported_epoch;
  json["test_error"] = summary.test_error;  // NaN becomes null
  json["test_loss"] = summary.test_loss;
  json["validation_error"] = summary.validation_error;
  json["average_test_error"] = summary.average_test_error;
  json["average_validation_error"] = summary.average_validation_error;
  json["train_error"] = summary.train_error;
  json["seconds"] = summary.seconds;
  json["images_per_second"] = summary.images_per_second;
  json["peak_bytes"] = summary.peak_bytes;
  add_bytes_by_kind(json, summary);
  add_ranks(json, summary);
  add_phases(json, summary);
  json["parameters"] = summary.run.parameters;
  json["auxiliary_parameters"] = summary.run.auxiliary_parameters;
  return json;
}

/// Reads a number; NaN for null.
double number(const nlohmann::json& json, const char* key) {
  const auto& value = json.at(key);
  return value.is_null() ? undefined_number : value.get<double>();
}

/// The same; NaN also for a missing key, as in summaries of earlier versions.
double number_if_there(const nlohmann::json& json, const char* key) {
  return json.contains(key) ? number(json, key) : undefined_number;
}

std::vector<RankReport> ranks_of(const nlohmann::json& json) {
  std::vector<RankReport> ranks;
  if (!json.contains("ranks")) return ranks;
  for (const auto& of_rank : json.at("ranks")) {
    RankReport rank;
    of_rank.at("name").get_to(rank.name);
    of_rank.at("peak_bytes").get_to(rank.peak_bytes);
    of_rank.at("bytes_per_step").get_to(rank.bytes_per_step);
    of_rank.at("seconds_waited").get_to(rank.seconds_waited);
    rank.first_module = of_rank.value("first_module", std::int64_t{0});
    rank.last_module = of_rank.value("last_module", std::int64_t{0});
    ranks.push_back(std::move(rank));
  }
  return ranks;
}

TrainSummary from_json(const nlohmann::json& json) {
  TrainSummary summary;
  json.at("method").get_to(summary.run.method);
  json.at("model").get_to(summary.run.model);
  json.at("dataset").get_to(summary.run.dataset);
  json.at("modules").get_to(summary.run.modules);
  json.at("window").get_to(summary.run.window);
  json.at("batch").get_to(summary.run.batch);
  summary.run.processes = json.value("processes", std::int64_t{1});
  summary.ranks = ranks_of(json);
  for (const auto& rank : summary.ranks) {
    if (rank.first_module > 0) summary.run.first_modules.push_back(rank.first_module);
  }
  json.at("epochs").get_to(summary.run.epochs);
  json.at("train_images").get_to(summary.run.train_images);
  json.at("validation_images").get_to(summary.run.validation_images);
  json.at("test_images").get_to(summary.run.test_images);
  json.at("complete").get_to(summary.complete);
  summary.ended_by = json.value("ended_by", "");
  json.at("reported").get_to(summary.reported);
  json.at("reported_epoch").get_to(summary.reported_epoch);
  summary.test_error = number(json, "test_error");
  summary.test_loss = number(json, "test_loss");
  summary.validation_error = number(json, "validation_error");
  summary.average_test_error = number_if_there(json, "average_test_error");
  summary.average_validation_error = number_if_there(json, "average_validation_error");
  summary.train_error = number(json, "train_error");
  summary.seconds = number(json, "seconds");
  summary.images_per_second = number(json, "images_per_second");
  json.at("peak_bytes").get_to(summary.peak_bytes);
  for (std::size_t k = 0; k < summary.peak_by_kind.size(); ++k) {
    const std::string kind = measure::to_string(static_cast<measure::MemoryKind>(k));
    json.at("peak_bytes_by_kind").at(kind).get_to(summary.peak_by_kind.at(k));
  }
  json.at("parameters").get_to(summary.run.parameters);
  json.at("auxiliary_parameters").get_to(summary.run.auxiliary_parameters);
  return summary;
}

/// "  peak of phase local (75 %): 67.8 MiB", one line per phase; empty for methods without phases.
std::string phases_text(const std::vector<TrainSummary>& summaries) {
  std::string text;
  for (const auto& summary : summaries) {
    for (const auto& phase : summary.run.phases) {
      if (phase.name.empty() || phase.peak_bytes == 0) continue;
      text += "  " + summary.run.method + ", phase " + phase.name + " (" +
              fixed(100 * (phase.end - phase.begin), 0) + " %, " + phase.method +
              "): " + std::to_string(phase.modules) + " modules, peak " +
              format_bytes(phase.peak_bytes) + "\n";
    }
  }
  return text;
}

/// "  mlm: 2 processes with 64 images each: 128 images a step", and
/// "  mlm, rank 1 (node03): peak 67.8 MiB, 3.6 MiB sent a step, waited 12 s", one line per rank.
std::string ranks_text(const std::vector<TrainSummary>& summaries) {
  std::string text;
  for (const auto& summary : summaries) {
    if (summary.ranks.empty()) continue;
    text += "  " + summary.run.method + ": " + layout_text(summary.run) + "\n";
    for (const auto& rank : summary.ranks) {
      const std::string modules = rank.first_module == 0
                                      ? ""
                                      : ", modules " + std::to_string(rank.first_module) + " to " +
                                            std::to_string(rank.last_module);
      text += "  " + summary.run.method + ", " + rank.name + modules + ": peak " +
              format_bytes(rank.peak_bytes) + ", " + format_bytes(rank.bytes_per_step) +
              " sent a step, waited " + format_seconds(rank.seconds_waited) + "\n";
    }
  }
  return text;
}

/// "  mlm ended in epoch 3 of 40, by limit.time = 30m", one line per run that ended early.
std::string ends_text(const std::vector<TrainSummary>& summaries) {
  std::string text;
  for (const auto& summary : summaries) {
    if (summary.ended_by.empty()) continue;
    text += "  " + summary.run.method + " ended in epoch " +
            std::to_string(summary.run.epochs_begun) + " of " + std::to_string(summary.run.epochs) +
            ", by " + summary.ended_by + "\n";
  }
  return text;
}

}  // namespace

std::string summary_table(const std::vector<TrainSummary>& summaries) {
  const bool averaged = std::any_of(
      summaries.begin(), summaries.end(),
      [](const TrainSummary& summary) { return !std::isnan(summary.average_test_error); });
  std::vector<std::string> header{"method", "modules", "window", "test error %",
                                  "validation error %"};
  if (averaged) header.insert(header.end(), {"averaged: test error %", "validation error %"});
  header.insert(header.end(), {"images/s", "peak", "parameters", "auxiliary", "training time"});
  Table table(header);
  for (const auto& summary : summaries) {
    std::vector<std::string> row{summary.run.method, std::to_string(summary.run.modules),
                                 std::to_string(summary.run.window), fixed(summary.test_error, 2),
                                 fixed(summary.validation_error, 2)};
    if (averaged) {
      row.push_back(fixed(summary.average_test_error, 2));
      row.push_back(fixed(summary.average_validation_error, 2));
    }
    row.insert(row.end(),
               {fixed(summary.images_per_second, 0), format_bytes(summary.peak_bytes),
                format_count(summary.run.parameters),
                format_count(summary.run.auxiliary_parameters), format_seconds(summary.seconds)});
    table.add(std::move(row));
  }
  return table.to_string() + phases_text(summaries) + ranks_text(summaries) + ends_text(summaries);
}

void write_summary(const std::filesystem::path& path, const Settings& settings,
                   const std::vector<TrainSummary>& summaries) {
  ordered_json json = to_json(summaries.at(0), settings);
  json["results"] = ordered_json::array();
  for (const auto& summary : summaries) json["results"].push_back(to_json(summary, settings));
  write_text(path, json_text(json, 2) + "\n");
}

TrainSummary read_summary(const std::filesystem::path& path) {
  const std::string text = read_text(path);
  try {
    return from_json(parse_json(text));
  } catch (const std::exception& error) {
    throw UserError(path.string() + " is not a summary of a run: " + error.what());
  }
}

std::string summary_table(const EvalSummary& summary) {
  Table table({"method", "model", "epochs", "test images", "test error %", "top-5 error %",
               "test loss", "images/s", "peak"});
  table.add({summary.method, summary.model, std::to_string(summary.epochs),
             format_count(summary.score.images), fixed(summary.score.error, 2),
             fixed(summary.score.error_top5, 2), fixed(summary.score.loss, 4),
             fixed(summary.images_per_second, 0), format_bytes(summary.peak_bytes)});
  std::string text = table.to_string();
  for (const auto& rank : summary.ranks) {
    text += "  " + rank.name + ": peak " + format_bytes(rank.peak_bytes) + ", waited " +
            format_seconds(rank.seconds_waited) + "\n";
  }
  return text;
}

std::string exits_table(const EvalSummary& summary) {
  Table table({"early exit", "test error %"});
  for (const auto& exit : summary.exits) table.add({exit.output, fixed(exit.error, 2)});
  return table.to_string();
}

std::string class_table(const EvalSummary& summary) {
  Table table({"class", "images", "error %", "top-5 error %", "most often taken for"});
  for (std::size_t c = 0; c < summary.score.classes.size(); ++c) {
    const ClassScore& score = summary.score.classes[c];
    table.add({summary.class_names.at(c), format_count(score.images), fixed(score.error, 2),
               fixed(score.error_top5, 2),
               score.mistaken_for < 0
                   ? ""
                   : summary.class_names.at(static_cast<std::size_t>(score.mistaken_for))});
  }
  return table.to_string();
}

void write_summary(const std::filesystem::path& path, const EvalSummary& summary) {
  ordered_json json;
  json["checkpoint"] = summary.checkpoint;
  json["method"] = summary.method;
  json["model"] = summary.model;
  json["dataset"] = summary.dataset;
  json["epochs"] = summary.epochs;
  json["batch"] = summary.batch;
  json["test_images"] = summary.score.images;
  json["test_error"] = summary.score.error;
  json["test_error_top5"] = summary.score.error_top5;
  json["test_loss"] = summary.score.loss;
  json["seconds"] = summary.score.seconds;
  json["images_per_second"] = summary.images_per_second;
  json["peak_bytes"] = summary.peak_bytes;
  json["parameters"] = summary.parameters;
  json["processes"] = std::max<std::size_t>(1, summary.ranks.size());
  for (const auto& rank : summary.ranks) {
    json["ranks"].push_back({{"name", rank.name},
                             {"peak_bytes", rank.peak_bytes},
                             {"seconds_waited", rank.seconds_waited}});
  }
  ordered_json document = json;
  for (const auto& exit : summary.exits) {
    document["exits"].push_back({{"name", exit.output}, {"test_error", exit.error}});
  }
  document["classes"] = ordered_json::array();
  for (std::size_t c = 0; c < summary.score.classes.size(); ++c) {
    const ClassScore& score = summary.score.classes[c];
    ordered_json of_class;
    of_class["name"] = summary.class_names.at(c);
    of_class["images"] = score.images;
    of_class["error"] = score.error;
    of_class["error_top5"] = score.error_top5;
    of_class["mistaken_for"] = nullptr;
    if (score.mistaken_for >= 0) {
      of_class["mistaken_for"] =
          summary.class_names.at(static_cast<std::size_t>(score.mistaken_for));
    }
    document["classes"].push_back(of_class);
  }
  document["results"] = ordered_json::array({json});
  write_text(path, json_text(document, 2) + "\n");
}

}  // namespace mlaan
