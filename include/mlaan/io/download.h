// Downloads over HTTP that can be interrupted and resumed.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace mlaan {

/// Called with the number of bytes downloaded so far, including earlier attempts.
/// \param total size of the file in bytes; 0: unknown.
/// \return false to stop the download.
using ByteObserver = std::function<bool(std::int64_t done, std::int64_t total)>;

struct DownloadOptions {
  /// The file's size in bytes: more are refused, and a file that has as many is complete. 0:
  /// unknown.
  std::int64_t most_bytes = 0;
  /// Further attempts after one that brings no new byte, before the download fails.
  int retries = 4;
  /// Wait before the first of these attempts; each further one waits twice as long as the last.
  std::chrono::milliseconds wait{1000};
};

/// Downloads `url`, http or https, to a file. Bytes that the file holds already are taken as the
/// beginning of the download, and only the rest is requested; if the server does not support
/// ranges, the whole file is downloaded again.
/// \return whether the download is complete; false if `observer` stopped it.
/// \throws Error naming the address and the cause; the bytes that have arrived stay in the file.
/// \throws UserError if the file cannot be written to, or another process is downloading to it.
bool download(const std::string& url, const std::filesystem::path& path,
              const DownloadOptions& options, const ByteObserver& observer);

}  // namespace mlaan
