// Fetches data sets from their publishers: downloads, checks, unpacks.
#pragma once

#include <mlaan/data/dataset.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace mlaan {

struct FetchOptions {
  /// URL of a mirror that has the files under their names, used instead of the publishers; "":
  /// none.
  std::string source;
  /// Also fetch the files that the data set works without.
  bool optional_files = false;
  /// Further attempts after one that brings no new byte, before a download fails.
  int retries = 4;
};

/// Receives the progress of a fetch.
class FetchObserver {
 public:
  FetchObserver() = default;
  virtual ~FetchObserver() = default;
  FetchObserver(const FetchObserver&) = delete;
  FetchObserver& operator=(const FetchObserver&) = delete;

  /// Bytes of a file that have arrived, of `total`; 0: unknown.
  virtual void on_bytes(const std::string& file, std::int64_t done, std::int64_t total) = 0;
  /// A line for the user: "checking …".
  virtual void on_note(const std::string& text) = 0;
};

/// Whether this build can download, that is, has libcurl, libarchive and OpenSSL.
bool can_fetch();

/// Fetches the files of a data set that are not in the folder yet; the folder is created if it does
/// not exist. Each file is downloaded to NAME.part, resuming a partial download, and is renamed or
/// unpacked only once it is complete and has the published checksum; an archive's folder appears
/// whole or not at all. A file with another checksum is kept as NAME.rejected.
/// \param stop polled during the fetch; true ends it.
/// \return whether all files are there; false if `stop` ended the fetch, which another call
///         resumes.
/// \throws UserError for a data set without files to fetch, a file in the folder with another
///         checksum, a malformed archive, and a build that cannot download.
/// \throws Error for a failed download, a wrong checksum, and a full disk.
bool fetch(
    const DatasetEntry& dataset, const std::filesystem::path& folder, const FetchOptions& options,
    FetchObserver& observer, const std::function<bool()>& stop = [] { return false; });

}  // namespace mlaan
