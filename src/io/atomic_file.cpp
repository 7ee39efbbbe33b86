// Files that are written whole or not at all.
#include <mlaan/core/error.h>
#include <mlaan/io/atomic_file.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>
#include <vector>

namespace mlaan {

namespace fs = std::filesystem;

namespace {

/// What is no file, such as a pipe or a device, may have no end.
constexpr std::size_t longest_stream = std::size_t{64} << 20;

}  // namespace

AtomicFile::AtomicFile(fs::path path)
    : path_(std::move(path)),
      temporary_(path_.string() + "." + std::to_string(getpid()) + ".part") {
  constexpr int permissions = 0666;
  descriptor_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, permissions);
  if (descriptor_ < 0) {
    throw UserError("cannot write to " + path_.parent_path().string() + ": " +
                    std::strerror(errno));
  }
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  close(descriptor_);
  unlink(temporary_.c_str());
}

void AtomicFile::fail(const std::string& what) const {
  throw Error(what + " " + path_.string() + ": " + std::strerror(errno) +
              "; what was there before is unchanged");
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
  if (fsync(descriptor_) != 0) fail("cannot write");
  if (rename(temporary_.c_str(), path_.c_str()) != 0) fail("cannot rename to");
  close(descriptor_);
  descriptor_ = -1;
  // The renaming itself is on the disk only when the folder is.
  const fs::path folder = path_.has_parent_path() ? path_.parent_path() : fs::path(".");
  const int folder_descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_descriptor >= 0) {
    fsync(folder_descriptor);
    close(folder_descriptor);
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
      throw UserError(path.string() + " is no file, and gives more than " +
                      std::to_string(longest_stream >> 20) + " MiB of text");
    }
  }
  if (!file.eof()) throw UserError("cannot read " + path.string());
  return text;
}

}  // namespace mlaan
