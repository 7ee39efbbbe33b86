// Writes files completely or not at all.
#include <mlaan/core/error.h>
#include <mlaan/io/atomic_file.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>
#include <vector>

namespace mlaan {

namespace fs = std::filesystem;

namespace {

/// Limit for reading pipes and devices, which may have no end.
constexpr std::size_t longest_stream = std::size_t{64} << 20;

constexpr const char* part_suffix = ".part";

/// The longest name that file systems accept, in bytes.
constexpr std::size_t longest_name = 255;

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

/// Whether the path denotes an open file, such as /proc/self/fd/1.
bool is_open_file(const fs::path& path) {
  std::error_code error;
  const std::string folder = fs::canonical(folder_of(path), error).string();
  return folder.compare(0, 6, "/proc/") == 0;
}

/// The path that a symbolic link leads to, whether or not it exists.
fs::path without_links(fs::path path) {
  constexpr int most_links = 40;
  std::error_code error;
  for (int i = 0; i < most_links; ++i) {
    if (is_open_file(path) || !fs::is_symlink(path, error)) return path;
    const fs::path next = fs::read_symlink(path, error);
    if (error) return path;
    path = next.is_absolute() ? next : folder_of(path) / next;
  }
  throw UserError(path.string() + " is a link that leads to itself");
}

/// NAME.PROCESS.part in the same folder.
fs::path part_of(const fs::path& path) {
  const std::string end = "." + std::to_string(getpid()) + part_suffix;
  return path.parent_path() / (path.filename().string().substr(0, longest_name - end.size()) + end);
}

bool is_part_name(const std::string& name) {
  const std::string suffix = part_suffix;
  if (name.size() <= suffix.size()) return false;
  const std::string stem = name.substr(0, name.size() - suffix.size());
  const auto dot = stem.rfind('.');
  return stem + suffix == name && dot != std::string::npos && dot + 1 < stem.size() &&
         stem.find_first_not_of("0123456789", dot + 1) == std::string::npos;
}

/// Opens a new file and locks it, which tells other processes that the writer is alive.
int open_part(const fs::path& path) {
  constexpr int permissions = 0666;
  for (;;) {
    const int descriptor =
        open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, permissions);
    if (descriptor < 0) return descriptor;
    flock(descriptor, LOCK_EX | LOCK_NB);
    struct stat found {};
    // remove_abandoned_parts() of another process may have deleted the file before it was locked.
    if (fstat(descriptor, &found) != 0 || found.st_nlink > 0) return descriptor;
    close(descriptor);
  }
}

/// Gives the new file the owner and permissions of the file that it replaces.
void take_permissions(int descriptor, const fs::path& from) {
  constexpr mode_t all_permissions = 07777;
  struct stat found {};
  if (stat(from.c_str(), &found) != 0) return;
  // If changing the owner is not allowed, the file stays the writer's.
  [[maybe_unused]] const int owned = fchown(descriptor, found.st_uid, found.st_gid);
  fchmod(descriptor, found.st_mode & all_permissions);
}

}  // namespace

AtomicFile::AtomicFile(fs::path path) : path_(std::move(path)), target_(without_links(path_)) {
  struct stat found {};
  const bool exists = stat(path_.c_str(), &found) == 0;
  if (exists && S_ISDIR(found.st_mode)) {
    throw UserError(path_.string() + " is a folder; expected a file to write to");
  }
  if (is_open_file(target_) || (exists && !S_ISREG(found.st_mode))) {
    open_as_it_is();
  } else {
    open_beside();
  }
}

void AtomicFile::open_as_it_is() {
  descriptor_ = open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (descriptor_ < 0) {
    throw UserError("cannot write to " + path_.string() + ": " + std::strerror(errno));
  }
}

void AtomicFile::open_beside() {
  temporary_ = part_of(target_);
  descriptor_ = open_part(temporary_);
  if (descriptor_ < 0) {
    throw UserError("cannot write to " + folder_of(target_).string() + ": " + std::strerror(errno));
  }
  take_permissions(descriptor_, target_);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  if (!temporary_.empty()) unlink(temporary_.c_str());
  close(descriptor_);
}

void AtomicFile::fail(const std::string& what) const {
  throw Error(what + " " + path_.string() + ": " + std::strerror(errno) +
              (temporary_.empty() ? "" : "; what was there before is unchanged"));
}

void AtomicFile::write(const void* bytes, std::size_t count) {
  const auto* next = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t written = ::write(descriptor_, next, count);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("cannot write");
    next += written;
    count -= static_cast<std::size_t>(written);
  }
}

void AtomicFile::commit() {
  if (temporary_.empty()) {
    close(descriptor_);
    descriptor_ = -1;
    return;
  }
  if (fsync(descriptor_) != 0) fail("cannot write");
  if (rename(temporary_.c_str(), target_.c_str()) != 0) fail("cannot rename to");
  close(descriptor_);
  descriptor_ = -1;
  // The rename is durable only after the folder has been synchronized.
  const int folder = open(folder_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    fsync(folder);
    close(folder);
  }
}

void remove_abandoned_parts(const fs::path& folder) {
  std::error_code error;
  for (const auto& item : fs::directory_iterator(folder, error)) {
    if (!is_part_name(item.path().filename().string())) continue;
    const int descriptor =
        open(item.path().c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0) continue;
    struct stat found {};
    const bool is_file = fstat(descriptor, &found) == 0 && S_ISREG(found.st_mode);
    // A process that is still writing holds the lock.
    if (is_file && flock(descriptor, LOCK_EX | LOCK_NB) == 0) unlink(item.path().c_str());
    close(descriptor);
  }
}

void write_text(const fs::path& path, const std::string& text) {
  AtomicFile file(path);
  file.write(text.data(), text.size());
  file.commit();
}

std::string read_text(const fs::path& path) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (!fs::exists(status) || fs::is_directory(status)) {
    throw UserError("cannot read " + path.string() +
                    (fs::is_directory(status)             ? ": it is a folder"
                     : fs::status_known(status) || !error ? ": there is no such file"
                                                          : ": " + error.message()));
  }
  std::ifstream file(path, std::ios::binary);
  std::string text;
  std::vector<char> buffer(std::size_t{1} << 16);
  while (file) {
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    text.append(buffer.data(), static_cast<std::size_t>(file.gcount()));
    if (text.size() > longest_stream && !fs::is_regular_file(status)) {
      throw UserError(path.string() + " is not a regular file, and yields more than " +
                      std::to_string(longest_stream >> 20) + " MiB of text");
    }
  }
  if (!file.eof()) throw UserError("cannot read " + path.string());
  return text;
}

}  // namespace mlaan
