// Downloads over HTTP that can be cut off and gone on with.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace mlaan {

/// Told of a download's bytes, those of earlier attempts included. \param total 0: not known.
/// \return false to stop it.
using ByteObserver = std::function<bool(std::int64_t done, std::int64_t total)>;

struct DownloadOptions {
  /// More bytes than these are refused; 0: any number.
  std::int64_t most_bytes = 0;
  /// Attempts without a byte of progress after the first one; each waits twice as long as the last.
  int retries = 4;
  std::chrono::milliseconds wait{1000};
};

/// Downloads `url`, http or https, to a file. What the file holds already is taken for the
/// beginning of the download: only the rest is asked for, unless the server gives no parts. \return
/// whether it is complete; false where `observer` stopped it. \throws Error naming the address and
/// what went wrong; what has arrived stays in the file. \throws UserError if the file cannot be
/// written to, or another process downloads to it.
bool download(const std::string& url, const std::filesystem::path& path,
              const DownloadOptions& options, const ByteObserver& observer);

}  // namespace mlaan
