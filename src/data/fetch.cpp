// Fetches data sets from their publishers: downloads, checks, unpacks.
#include <mlaan/core/quantity.h>
#include <mlaan/data/fetch.h>

#ifdef MLAAN_HAS_DOWNLOAD
#include <mlaan/io/checksum.h>
#include <mlaan/io/download.h>
#include <mlaan/io/unpack.h>
#endif

#include <vector>

namespace mlaan {

namespace fs = std::filesystem;

#ifdef MLAAN_HAS_DOWNLOAD
namespace {

/// Limit on the size of unpacked files: the archive's size times this factor.
constexpr std::int64_t most_expansion = 50;

/// Downloads, checks and unpacks one file of a data set.
class Fetch {
 public:
  Fetch(const PublishedFile& file, const fs::path& folder, const FetchOptions& options,
        FetchObserver& observer, const std::function<bool()>& stop)
      : file_(file),
        folder_(folder),
        options_(options),
        observer_(observer),
        stop_(stop),
        part_(folder / (file.name + ".part")) {}

  bool run() {
    if (is_there()) {
      observer_.on_note(target().string() + " already exists");
      return true;
    }
    check_space();
    if (!download_from_any() || stop_()) return false;
    if (!file_.unpacks_to.empty()) return unpack_whole();
    fs::rename(part_, target());
    return true;
  }

 private:
  fs::path target() const {
    return folder_ / (file_.unpacks_to.empty() ? file_.name : file_.unpacks_to);
  }

  std::string checksum_of(const fs::path& path) const {
    return file_checksum(path, file_.checksum.substr(0, file_.checksum.find(':')));
  }

  bool is_there() const {
    if (!fs::exists(target())) return false;
    if (!file_.unpacks_to.empty()) return true;
    const std::string checksum = checksum_of(target());
    if (checksum == file_.checksum) return true;
    throw UserError(target().string() + " already exists, but its checksum is " + checksum +
                    ", not the published " + file_.checksum +
                    "; move it away to download it afresh");
  }

  void check_space() const {
    std::error_code error;
    const auto space = fs::space(folder_, error);
    const auto begun = fs::exists(part_) ? static_cast<std::int64_t>(fs::file_size(part_)) : 0;
    // An archive and its unpacked files need space at the same time.
    const std::int64_t needed = file_.bytes * (file_.unpacks_to.empty() ? 1 : 2) - begun;
    if (!error && needed > 0 && space.available < static_cast<std::uintmax_t>(needed)) {
      throw Error("no room for " + file_.name + " in " + folder_.string() + ": it needs " +
                  format_bytes(needed) + ", and there are " +
                  format_bytes(static_cast<std::int64_t>(space.available)) + " left");
    }
  }

  std::vector<std::string> addresses() const {
    if (options_.source.empty()) return file_.addresses;
    return {options_.source + (options_.source.back() == '/' ? "" : "/")};
  }

  bool download_from_any() {
    const std::vector<std::string> all = addresses();
    for (std::size_t i = 0; i < all.size(); ++i) {
      try {
        if (!download_from(all[i] + file_.name)) return false;
        check(all[i] + file_.name);
        return true;
      } catch (const UserError&) {
        throw;
      } catch (const Error& error) {
        if (i + 1 == all.size()) throw;
        observer_.on_note(std::string(error.what()) + "; trying another address");
      }
    }
    throw Error(file_.name + " has no address to download it from");
  }

  bool download_from(const std::string& url) {
    DownloadOptions download_options;
    download_options.most_bytes = file_.bytes;
    download_options.retries = options_.retries;
    observer_.on_note("downloading " + url);
    return download(url, part_, download_options, [this](std::int64_t done, std::int64_t total) {
      observer_.on_bytes(file_.name, done, total);
      return !stop_();
    });
  }

  void check(const std::string& url) const {
    observer_.on_note("checking " + file_.name);
    const std::string checksum = checksum_of(part_);
    if (checksum == file_.checksum) return;
    const fs::path rejected = folder_ / (file_.name + ".rejected");
    fs::rename(part_, rejected);
    throw Error("the file from " + url + " is not the published one: its checksum is " + checksum +
                ", not " + file_.checksum + "; it is kept as " + rejected.string());
  }

  bool unpack_whole() {
    observer_.on_note("unpacking " + file_.name);
    const fs::path unpacked = folder_ / ("." + file_.unpacks_to + ".unpacking");
    fs::remove_all(unpacked);
    const auto clear = [&] {
      std::error_code ignored;
      fs::remove_all(unpacked, ignored);
    };
    try {
      const auto bytes = static_cast<std::int64_t>(fs::file_size(part_));
      if (!unpack(part_, unpacked, bytes * most_expansion, stop_)) {
        clear();
        return false;
      }
      if (!fs::is_directory(unpacked / file_.unpacks_to)) {
        throw UserError(part_.string() + " has no folder '" + file_.unpacks_to + "' in it");
      }
      fs::rename(unpacked / file_.unpacks_to, target());
    } catch (...) {
      clear();
      throw;
    }
    clear();
    fs::remove(part_);
    return true;
  }

  const PublishedFile& file_;
  const fs::path& folder_;
  const FetchOptions& options_;
  FetchObserver& observer_;
  const std::function<bool()>& stop_;
  fs::path part_;
};

}  // namespace
#endif

bool can_fetch() {
#ifdef MLAAN_HAS_DOWNLOAD
  return true;
#else
  return false;
#endif
}

bool fetch(const DatasetEntry& dataset, const fs::path& folder,
           [[maybe_unused]] const FetchOptions& options, [[maybe_unused]] FetchObserver& observer,
           [[maybe_unused]] const std::function<bool()>& stop) {
  if (dataset.files.empty()) {
    throw UserError("data set '" + dataset.name + "' has no files to download");
  }
#ifdef MLAAN_HAS_DOWNLOAD
  std::error_code error;
  fs::create_directories(folder, error);
  if (error || !fs::is_directory(folder)) {
    throw UserError("cannot make the folder " + folder.string() + ": " + error.message());
  }
  for (const auto& file : dataset.files) {
    if (file.optional && !options.optional_files) continue;
    if (stop() || !Fetch(file, folder, options, observer, stop).run()) return false;
  }
  return true;
#else
  std::string text =
      "this build of mlaan cannot download: it has no libcurl, libarchive or OpenSSL; put these "
      "into " +
      folder.string() + ", archives unpacked:";
  for (const auto& file : dataset.files) {
    text += " " + file.addresses.at(0) + file.name + " (" + file.checksum + ")";
  }
  throw UserError(text);
#endif
}

}  // namespace mlaan
