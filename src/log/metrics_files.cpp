// The logs of a run: metrics.csv with a line per epoch, steps.jsonl with a line every few steps.
#include "io/json_text.h"

#include <mlaan/core/error.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/log/metrics_files.h>

#include <nlohmann/json.hpp>

#include <cmath>
#include <functional>
#include <sstream>

namespace mlaan {
namespace {

namespace fs = std::filesystem;

constexpr const char* csv_header =
    "epoch,step,learning_rate,train_loss,train_error,validation_loss,validation_error,"
    "images_per_second,seconds,peak_bytes,data_wait,average_validation_error";

/// Reads the lines of a log up to number `last`, and drops a half-written last line.
/// \param number_of returns a line's number; below 0 for a line without one.
std::string lines_until(const fs::path& path, std::int64_t last,
                        const std::function<std::int64_t(const std::string&)>& number_of) {
  if (!fs::exists(path)) return "";
  std::istringstream text(read_text(path));
  std::string kept;
  for (std::string line; std::getline(text, line);) {
    const std::int64_t number = text.eof() ? -1 : number_of(line);
    if (number >= 0 && number <= last) kept += line + "\n";
  }
  return kept;
}

std::int64_t epoch_of_csv(const std::string& line) {
  std::istringstream fields(line);
  std::int64_t epoch = -1;
  return fields >> epoch ? epoch : -1;
}

std::int64_t step_of_json(const std::string& line) {
  const auto object = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  return object.is_object() ? object.value("step", std::int64_t{-1}) : -1;
}

std::ofstream open_to_append(const fs::path& path, const std::string& content) {
  write_text(path, content);
  std::ofstream file(path, std::ios::app);
  if (!file) throw Error("cannot write to " + path.string());
  return file;
}

void flush(std::ofstream& file, const char* name) {
  if (!file.flush()) throw Error(std::string("cannot write to ") + name + ": is the disk full?");
}

/// A field of metrics.csv; empty if the value is not finite.
std::string field(double value) {
  if (!std::isfinite(value)) return "";
  std::ostringstream text;
  text.precision(8);
  text << value;
  return text.str();
}

}  // namespace

void MetricsFiles::on_start(const RunReport& report) {
  const fs::path csv = folder_ / "metrics.csv";
  const fs::path jsonl = folder_ / "steps.jsonl";
  const std::int64_t step = report.steps_done > 0 ? report.steps_done : -1;
  // Cut by epoch, since the checkpoint of an epoch's last step may precede the epoch's report.
  epochs_ =
      open_to_append(csv, csv_header + ("\n" + lines_until(csv, report.epochs_done, epoch_of_csv)));
  steps_ = open_to_append(jsonl, lines_until(jsonl, step, step_of_json));
}

void MetricsFiles::on_steps(const StepReport& report) {
  nlohmann::ordered_json line;
  line["epoch"] = report.epoch;
  line["batch"] = report.batch;
  line["step"] = report.step;
  line["learning_rate"] = report.learning_rate;
  line["loss"] = report.loss;
  line["error"] = report.error;
  line["images_per_second"] = report.images_per_second;
  line["data_wait"] = report.data_wait;
  line["losses"] = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < report.losses.size(); ++i) {
    line["losses"][report.supervisions.at(i)] = report.losses[i];
  }
  steps_ << json_text(line) << "\n";
  flush(steps_, "steps.jsonl");
}

void MetricsFiles::on_epoch(const EpochReport& report) {
  epochs_ << report.epoch << "," << report.step;
  for (const double value :
       {report.learning_rate, report.train_loss, report.train_error, report.validation_loss,
        report.validation_error, report.images_per_second, report.seconds}) {
    epochs_ << "," << field(value);
  }
  epochs_ << "," << report.peak_bytes << "," << field(report.data_wait) << ","
          << field(report.average_validation_error) << "\n";
  flush(epochs_, "metrics.csv");
}

}  // namespace mlaan
