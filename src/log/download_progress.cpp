// Shows the progress of downloads on the terminal.
#include "log/terminal_line.h"
#include "measure/timing.h"

#include <mlaan/core/quantity.h>
#include <mlaan/log/download_progress.h>

#include <algorithm>

namespace mlaan {

DownloadProgress::DownloadProgress(std::FILE* stream, bool quiet)
    : stream_(stream), quiet_(quiet), terminal_(renews_lines(stream)) {}

DownloadProgress::~DownloadProgress() {
  clear_line();
}

void DownloadProgress::clear_line() {
  if (line_open_) std::fprintf(stream_, "\r\033[K");
  line_open_ = false;
}

void DownloadProgress::on_note(const std::string& text) {
  if (quiet_) return;
  clear_line();
  std::fprintf(stream_, "%s\n", text.c_str());
  std::fflush(stream_);
  file_.clear();
}

void DownloadProgress::on_bytes(const std::string& file, std::int64_t done, std::int64_t total) {
  if (quiet_) return;
  const auto now = Clock::now();
  if (file != file_) {
    file_ = file;
    first_done_ = done;
    begun_ = now;
    last_line_ = now;
  }
  if (now - last_line_ < time_between_lines(terminal_)) return;
  last_line_ = now;
  const double bytes_per_second =
      static_cast<double>(done - first_done_) / std::max(seconds_since(begun_), 1e-3);
  std::string numbers = format_bytes(done);
  if (total > 0) numbers += " of " + format_bytes(total);
  numbers += "  " + format_bytes(static_cast<std::int64_t>(bytes_per_second)) + "/s";
  if (total > 0 && bytes_per_second > 0) {
    numbers +=
        "  " + format_seconds(static_cast<double>(total - done) / bytes_per_second) + " left";
  }
  if (!terminal_) {
    std::fprintf(stream_, "%s  %s\n", file.c_str(), numbers.c_str());
    std::fflush(stream_);
    return;
  }
  const std::size_t columns = columns_of(stream_);
  const std::size_t text = file.size() + numbers.size() + 6;
  std::string line = file + "  ";
  if (total > 0 && columns > text + 4) {
    const double share = static_cast<double>(done) / static_cast<double>(total);
    line += bar(std::clamp(share, 0.0, 1.0), std::min<std::size_t>(columns - text, 30)) + "  ";
  }
  line += numbers;
  std::fprintf(stream_, "\r\033[K%s", line.substr(0, columns - 1).c_str());
  std::fflush(stream_);
  line_open_ = true;
}

}  // namespace mlaan
