// Unpacks untrusted archives.
#include <mlaan/core/error.h>
#include <mlaan/core/quantity.h>
#include <mlaan/io/unpack.h>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

namespace mlaan {
namespace {

namespace fs = std::filesystem;

using Archive = std::unique_ptr<struct archive, decltype(&archive_read_free)>;

/// A new file. Opening fails for an existing file or a link.
class NewFile {
 public:
  explicit NewFile(fs::path path) : path_(std::move(path)) {
    constexpr int permissions = 0666;
    descriptor_ =
        open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, permissions);
    if (descriptor_ < 0) fail();
  }
  ~NewFile() { close(descriptor_); }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void write(const void* bytes, std::size_t count, std::int64_t position) const {
    const auto* next = static_cast<const char*>(bytes);
    while (count > 0) {
      const ssize_t written = pwrite(descriptor_, next, count, position);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail();
      next += written;
      position += written;
      count -= static_cast<std::size_t>(written);
    }
  }

  void finish(std::int64_t size) const {
    if (ftruncate(descriptor_, size) != 0 || fsync(descriptor_) != 0) fail();
  }

 private:
  [[noreturn]] void fail() const {
    throw Error("cannot write " + path_.string() + ": " + std::strerror(errno));
  }

  fs::path path_;
  int descriptor_ = -1;
};

class Unpacking {
 public:
  Unpacking(fs::path path, fs::path folder, std::int64_t most_bytes,
            const std::function<bool()>& stop)
      : path_(std::move(path)),
        folder_(std::move(folder)),
        most_bytes_(most_bytes),
        stop_(stop),
        archive_(archive_read_new(), archive_read_free) {
    // Only the format that data sets are published in: for some others libarchive runs programs
    // found in PATH, which it reports by a warning.
    if (archive_read_support_filter_gzip(archive_.get()) != ARCHIVE_OK ||
        archive_read_support_format_tar(archive_.get()) != ARCHIVE_OK) {
      throw Error("this libarchive cannot read .tar.gz files by itself");
    }
    constexpr std::size_t block = 1 << 16;
    if (archive_read_open_filename(archive_.get(), path_.c_str(), block) != ARCHIVE_OK) damaged();
  }

  bool run() {
    std::error_code error;
    if (!fs::create_directory(folder_, error)) {
      throw Error("cannot make the folder " + folder_.string() + " to unpack to" +
                  (error ? ": " + error.message() : ""));
    }
    archive_entry* entry = nullptr;
    while (true) {
      if (stop_()) return false;
      const int code = archive_read_next_header(archive_.get(), &entry);
      if (code == ARCHIVE_EOF) return true;
      if (code < ARCHIVE_WARN) damaged();
      const fs::path target = place_of(entry);
      if (archive_entry_filetype(entry) == AE_IFDIR) {
        make_folder(target);
      } else {
        make_folder(target.parent_path());
        if (!copy_data(target)) return false;
      }
    }
  }

 private:
  [[noreturn]] void damaged() const {
    const char* what = archive_error_string(archive_.get());
    throw UserError(path_.string() + " is damaged or not an archive: " +
                    (what != nullptr ? what : "it cannot be read"));
  }

  [[noreturn]] void refuse(const std::string& name, const std::string& what) const {
    throw UserError(path_.string() + " is not unpacked: its entry '" + name + "' " + what);
  }

  /// The target of an entry; refuses entries that would lie outside the folder.
  fs::path place_of(archive_entry* entry) const {
    const char* text = archive_entry_pathname(entry);
    if (text == nullptr || *text == '\0') refuse("", "has no name");
    const std::string name = text;
    if (archive_entry_hardlink(entry) != nullptr) refuse(name, "is a link");
    const auto type = archive_entry_filetype(entry);
    if (type == AE_IFLNK) refuse(name, "is a link");
    if (type != AE_IFREG && type != AE_IFDIR) refuse(name, "is neither a file nor a folder");
    const fs::path path(name);
    if (path.is_absolute()) refuse(name, "has an absolute path");
    fs::path target = folder_;
    for (const auto& part : path) {
      if (part == "..") refuse(name, "leads out of the archive");
      if (part != "." && !part.empty()) target /= part;
    }
    if (target == folder_ && type == AE_IFREG) refuse(name, "has no name");
    return target;
  }

  void make_folder(const fs::path& path) const {
    std::error_code error;
    fs::create_directories(path, error);
    if (error) throw Error("cannot make the folder " + path.string() + ": " + error.message());
  }

  /// \return false if it was stopped.
  bool copy_data(const fs::path& target) {
    if (fs::exists(fs::symlink_status(target))) {
      refuse(fs::relative(target, folder_).string(), "occurs twice");
    }
    const NewFile file(target);
    std::int64_t end = 0;
    while (true) {
      if (stop_()) return false;
      const void* bytes = nullptr;
      std::size_t count = 0;
      la_int64_t position = 0;
      const int code = archive_read_data_block(archive_.get(), &bytes, &count, &position);
      if (code == ARCHIVE_EOF) break;
      if (code < ARCHIVE_OK) damaged();
      if (position < end || position > most_bytes_ ||
          static_cast<std::int64_t>(count) > most_bytes_ - done_ - position) {
        throw UserError(path_.string() + " is not unpacked: its files have more than " +
                        format_bytes(most_bytes_));
      }
      file.write(bytes, count, position);
      end = position + static_cast<std::int64_t>(count);
    }
    done_ += end;
    file.finish(end);
    return true;
  }

  fs::path path_;
  fs::path folder_;
  std::int64_t most_bytes_;
  const std::function<bool()>& stop_;
  Archive archive_;
  std::int64_t done_ = 0;  ///< bytes of the files written so far
};

}  // namespace

bool unpack(const fs::path& archive, const fs::path& folder, std::int64_t most_bytes,
            const std::function<bool()>& stop) {
  return Unpacking(archive, folder, most_bytes, stop).run();
}

}  // namespace mlaan
