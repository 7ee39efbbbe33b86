// Shows the progress of a training run on the terminal.
#include "core/byte_text.h"
#include "log/layout_text.h"
#include "log/terminal_line.h"
#include "measure/timing.h"

#include <mlaan/core/quantity.h>
#include <mlaan/log/progress.h>
#include <mlaan/log/table.h>

#include <algorithm>
#include <cmath>

namespace mlaan {
namespace {

/// "2 classes: cat, dog".
std::string classes_line(const std::vector<std::string>& names) {
  constexpr std::size_t most = 10;
  std::string line = format_count(static_cast<std::int64_t>(names.size())) + " classes: ";
  for (std::size_t i = 0; i < std::min(most, names.size()); ++i) {
    line += (i == 0 ? "" : ", ") + printable(names[i]);
  }
  if (names.size() > most) line += " and " + std::to_string(names.size() - most) + " more";
  return line;
}

}  // namespace

Progress::Progress(std::FILE* stream, bool quiet)
    : stream_(stream), quiet_(quiet), terminal_(renews_lines(stream)) {}

void Progress::on_start(const RunReport& report) {
  run_ = report;
  last_line_ = Clock::now();
  if (quiet_) return;
  std::fprintf(stream_,
               "%s of %s in %lld modules on %s: %s images to train on, %s to validate, %s to test; "
               "%s parameters and %s of auxiliary nets\n",
               printable(report.method).c_str(), printable(report.model).c_str(),
               static_cast<long long>(report.modules), report.dataset.c_str(),
               format_count(report.train_images).c_str(),
               format_count(report.validation_images).c_str(),
               format_count(report.test_images).c_str(), format_count(report.parameters).c_str(),
               format_count(report.auxiliary_parameters).c_str());
  std::fprintf(stream_, "%s\n", classes_line(report.class_names).c_str());
  const std::string layout = layout_text(report);
  if (!layout.empty()) std::fprintf(stream_, "%s\n", layout.c_str());
  if (report.steps_done > 0) {
    std::fprintf(stream_, "going on after step %s\n", format_count(report.steps_done).c_str());
  }
}

void Progress::on_steps(const StepReport& report) {
  if (quiet_) return;
  const auto now = Clock::now();
  if (now - last_line_ < time_between_lines(terminal_)) return;
  last_line_ = now;
  const std::string epoch =
      "epoch " + std::to_string(report.epoch) + "/" + std::to_string(run_.epochs);
  const std::string numbers = "loss " + fixed(report.loss, 3) + "  error " +
                              fixed(report.error, 1) + " %  " + fixed(report.images_per_second, 0) +
                              " images/s  " + format_seconds(report.seconds_left) + " left";
  if (!terminal_) {
    std::fprintf(stream_, "%s  batch %lld/%lld  %s\n", epoch.c_str(),
                 static_cast<long long>(report.batch),
                 static_cast<long long>(run_.batches_per_epoch), numbers.c_str());
    std::fflush(stream_);
    return;
  }
  const std::size_t columns = columns_of(stream_);
  const std::size_t text = epoch.size() + numbers.size() + 6;
  std::string line = epoch + "  ";
  if (columns > text + 4) {
    const double share =
        static_cast<double>(report.batch) / static_cast<double>(run_.batches_per_epoch);
    line += bar(std::clamp(share, 0.0, 1.0), std::min<std::size_t>(columns - text, 30)) + "  ";
  }
  line += numbers;
  std::fprintf(stream_, "\r\033[K%s", line.substr(0, columns - 1).c_str());
  std::fflush(stream_);
  line_open_ = true;
}

void Progress::clear_line() {
  if (line_open_) std::fprintf(stream_, "\r\033[K");
  line_open_ = false;
}

void Progress::on_epoch(const EpochReport& report) {
  if (quiet_) return;
  clear_line();
  const std::string averaged =
      std::isnan(report.average_validation_error)
          ? ""
          : ", averaged " + fixed(report.average_validation_error, 1) + " %";
  std::fprintf(
      stream_,
      "epoch %lld/%lld  lr %s  train loss %s error %s %%  validation error %s %%%s  %s images/s  "
      "waiting for data %s %%  peak %s\n",
      static_cast<long long>(report.epoch), static_cast<long long>(run_.epochs),
      fixed(report.learning_rate, 4).c_str(), fixed(report.train_loss, 3).c_str(),
      fixed(report.train_error, 1).c_str(), fixed(report.validation_error, 1).c_str(),
      averaged.c_str(), fixed(report.images_per_second, 0).c_str(),
      fixed(100 * report.data_wait, 1).c_str(), format_bytes(report.peak_bytes).c_str());
  std::fflush(stream_);
}

void Progress::on_phase(const PhaseReport& phase) {
  if (quiet_) return;
  clear_line();
  std::fprintf(stream_, "phase %s: %s in %lld modules\n", phase.name.c_str(), phase.method.c_str(),
               static_cast<long long>(phase.modules));
  std::fflush(stream_);
}

void Progress::on_skipped(const std::string& what) {
  clear_line();
  std::fprintf(stream_, "mlaan: skipped %s\n", printable(what).c_str());
  std::fflush(stream_);
}

void Progress::on_note(const std::string& note) {
  if (quiet_) return;
  clear_line();
  std::fprintf(stream_, "mlaan: note: %s\n", printable(note).c_str());
  std::fflush(stream_);
}

void Progress::on_end() {
  if (quiet_) return;
  clear_line();
  std::fflush(stream_);
}

}  // namespace mlaan
