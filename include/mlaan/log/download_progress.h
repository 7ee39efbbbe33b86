// Progress of downloads on the terminal.
#pragma once

#include <mlaan/data/fetch.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

namespace mlaan {

/// Writes to a stream: on a terminal one line with a bar, which is updated in place; otherwise a
/// plain line every ten seconds. Notes are lines that stay.
class DownloadProgress final : public FetchObserver {
 public:
  /// \param stream for example stderr.
  /// \param quiet write nothing at all.
  DownloadProgress(std::FILE* stream, bool quiet);
  ~DownloadProgress() override;

  void on_bytes(const std::string& file, std::int64_t done, std::int64_t total) override;
  void on_note(const std::string& text) override;

 private:
  void clear_line();

  std::FILE* stream_;
  bool quiet_;
  bool terminal_;
  bool line_open_ = false;
  std::string file_;             ///< the file that is being downloaded
  std::int64_t first_done_ = 0;  ///< its bytes when the download began or resumed
  std::chrono::steady_clock::time_point begun_;
  std::chrono::steady_clock::time_point last_line_;
};

}  // namespace mlaan
