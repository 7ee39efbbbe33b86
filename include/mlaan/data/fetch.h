// Fetches data sets from their publishers: downloads, checks, unpacks.
#pragma once

#include <mlaan/data/dataset.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace mlaan {

struct FetchOptions {
  /// Address of a mirror that has the files by their names, to be asked instead of the publishers.
  std::string source;
  /// Fetch what a data set can do without as well.
  bool optional_files = false;
  /// Attempts of a download without a byte of progress after the first one.
  int retries = 4;
};

/// Told what a fetch does.
class FetchObserver {
 public:
  FetchObserver() = default;
  virtual ~FetchObserver() = default;
  FetchObserver(const FetchObserver&) = delete;
  FetchObserver& operator=(const FetchObserver&) = delete;

  /// Bytes of a file that have arrived; `total` 0: not known.
  virtual void on_bytes(const std::string& file, std::int64_t done, std::int64_t total) = 0;
  /// Something worth a line: "checking …".
  virtual void on_note(const std::string& text) = 0;
};

/// Whether this build can download: whether it has libcurl, libarchive and OpenSSL.
bool can_fetch();

/// Fetches the files of a data set that are not in the folder yet, which is made where it is not
/// there. Each is downloaded to NAME.part, going on with what is there of it, and takes its name,
/// or is unpacked, only when it is complete and its checksum is the published one; an archive's
/// folder appears whole or not at all. A file with another checksum is kept as NAME.rejected.
/// \param stop asked now and then; true ends the fetch.
/// \return whether all of it is there; false where `stop` ended it, after which another fetch goes
///         on.
/// \throws UserError for a data set that has no files to fetch, a file of another checksum in the
///         folder, an archive that is not as it should be, and a build that cannot download.
/// \throws Error for a download that fails, a checksum that differs, and a full disk.
bool fetch(
    const DatasetEntry& dataset, const std::filesystem::path& folder, const FetchOptions& options,
    FetchObserver& observer, const std::function<bool()>& stop = [] { return false; });

}  // namespace mlaan
