// Writes a run's metrics as TensorBoard event files.
#include "io/protobuf.h"
#include "io/record_file.h"

#include <mlaan/core/error.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/log/tensorboard.h>

#include <chrono>
#include <cmath>

namespace mlaan {
namespace {

namespace fs = std::filesystem;

constexpr const char* event_file_name = "events.out.tfevents.";

// Field numbers of tensorboard/compat/proto/event.proto and summary.proto.
namespace event_field {
constexpr int wall_time = 1;
constexpr int step = 2;
constexpr int file_version = 3;
constexpr int summary = 5;
constexpr int session_log = 7;
}  // namespace event_field
namespace summary_field {
constexpr int value = 1;
}
namespace value_field {
constexpr int tag = 1;
constexpr int simple_value = 2;
}  // namespace value_field
namespace session_field {
constexpr int status = 1;
constexpr int status_start = 1;
}  // namespace session_field

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

ProtobufWriter event_at(std::int64_t step) {
  ProtobufWriter event;
  event.float64(event_field::wall_time, now());
  event.integer(event_field::step, step);
  return event;
}

std::int64_t step_of_event(std::string_view event) {
  std::int64_t step = 0;
  ProtobufReader reader(event);
  while (reader.next()) {
    if (reader.field() == event_field::step) step = static_cast<std::int64_t>(reader.number());
  }
  return step;
}

/// Drops a file's events after `last_step`, and a half-written last event.
void cut_events(const fs::path& path, std::int64_t last_step) {
  const std::string content = read_text(path);
  std::string kept;
  try {
    for (const auto& event : whole_records(content)) {
      if (step_of_event(event) <= last_step) kept += framed_record(event);
    }
  } catch (const UserError& error) {
    throw UserError(path.string() + " is not an event file of TensorBoard: " + error.what());
  }
  if (kept != content) write_text(path, kept);
}

/// A new file name; names sort by time, since TensorBoard reads a folder's files in that order.
fs::path new_event_file(const fs::path& folder) {
  const std::string name =
      event_file_name + std::to_string(static_cast<std::int64_t>(now())) + ".mlaan.";
  int number = 0;
  while (fs::exists(folder / (name + std::to_string(number)))) ++number;
  return folder / (name + std::to_string(number));
}

}  // namespace

void TensorBoardFile::on_start(const RunReport& report) {
  fs::create_directories(folder_);
  for (const auto& entry : fs::directory_iterator(folder_)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_regular_file() || name.rfind(event_file_name, 0) != 0) continue;
    if (report.steps_done == 0) {
      fs::remove(entry.path());  // from an earlier run in this folder
    } else {
      cut_events(entry.path(), report.steps_done);
    }
  }
  path_ = new_event_file(folder_);
  file_.open(path_, std::ios::binary | std::ios::app);
  ProtobufWriter version = event_at(0);
  version.text(event_field::file_version, "brain.Event:2");
  write_record(version.bytes());
  if (report.steps_done == 0) return;
  // Makes a running TensorBoard discard the later steps that it has already read.
  ProtobufWriter session;
  session.integer(session_field::status, session_field::status_start);
  ProtobufWriter start = event_at(report.steps_done + 1);
  start.message(event_field::session_log, session);
  write_record(start.bytes());
}

void TensorBoardFile::on_steps(const StepReport& report) {
  Scalars scalars{{"learning_rate", report.learning_rate},
                  {"images_per_second", report.images_per_second},
                  {"data_wait", report.data_wait}};
  for (std::size_t i = 0; i < report.losses.size(); ++i) {
    scalars.emplace_back("supervision/" + report.supervisions.at(i), report.losses[i]);
  }
  write(report.step, scalars);
}

void TensorBoardFile::on_epoch(const EpochReport& report) {
  write(report.step, {{"loss/train", report.train_loss},
                      {"loss/validation", report.validation_loss},
                      {"error/train", report.train_error},
                      {"error/validation", report.validation_error},
                      {"peak_bytes", static_cast<double>(report.peak_bytes)}});
}

void TensorBoardFile::write(std::int64_t step, const Scalars& scalars) {
  ProtobufWriter summary;
  for (const auto& [tag, number] : scalars) {
    // Values that were not measured or not computed in this step are NaN, and get no point.
    if (!std::isfinite(number)) continue;
    ProtobufWriter value;
    value.text(value_field::tag, tag);
    value.float32(value_field::simple_value, static_cast<float>(number));
    summary.message(summary_field::value, value);
  }
  ProtobufWriter event = event_at(step);
  event.message(event_field::summary, summary);
  write_record(event.bytes());
}

void TensorBoardFile::write_record(const std::string& event) {
  const std::string record = framed_record(event);
  file_.write(record.data(), static_cast<std::streamsize>(record.size()));
  if (!file_.flush()) throw Error("cannot write to " + path_.string() + ": is the disk full?");
}

}  // namespace mlaan
