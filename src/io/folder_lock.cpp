// Locks folders, so that two processes do not write the same files.
#include "io/folder_lock.h"

#include <mlaan/core/error.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace mlaan {
namespace {

namespace fs = std::filesystem;

void make_output_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error || !fs::is_directory(folder)) {
    throw UserError("cannot make the output folder " + folder.string() + ": " +
                    (error ? error.message() : "there is a file of that name"));
  }
}

/// "process 12 on HOST".
std::string this_process() {
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  return "process " + std::to_string(getpid()) + " on " + host.data();
}

std::string content(int descriptor) {
  std::array<char, 512> text{};
  const ssize_t count = pread(descriptor, text.data(), text.size() - 1, 0);
  return count > 0 ? std::string(text.data(), static_cast<std::size_t>(count)) : "another process";
}

/// Whether the path still names the open file, since the previous holder may have deleted it.
bool is_at(int descriptor, const fs::path& path) {
  struct stat open {};
  struct stat named {};
  return fstat(descriptor, &open) == 0 && stat(path.c_str(), &named) == 0 &&
         open.st_ino == named.st_ino && open.st_dev == named.st_dev;
}

}  // namespace

FolderLock::FolderLock(const fs::path& folder) : file_(folder / ".lock") {
  make_output_folder(folder);
  constexpr int permissions = 0666;
  while (descriptor_ < 0) {
    const int opened = open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, permissions);
    if (opened < 0) {
      throw UserError("cannot write to the output folder " + folder.string() + ": " +
                      std::strerror(errno));
    }
    const bool locked = flock(opened, LOCK_EX | LOCK_NB) == 0;
    if (!locked && errno == EWOULDBLOCK) {
      const std::string holder = content(opened);
      close(opened);
      throw UserError(folder.string() + " is being written to by " + holder +
                      "; wait for its end, or choose another folder");
    }
    if (locked && !is_at(opened, file_)) {
      close(opened);
      continue;
    }
    descriptor_ = opened;
  }
  const std::string holder = this_process();
  if (ftruncate(descriptor_, 0) == 0) {
    // The holder's name is used for messages only, so an error is ignored.
    [[maybe_unused]] const ssize_t written = pwrite(descriptor_, holder.data(), holder.size(), 0);
  }
}

FolderLock::FolderLock(FolderLock&& other) noexcept
    : file_(std::move(other.file_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

FolderLock::~FolderLock() {
  if (descriptor_ < 0) return;
  unlink(file_.c_str());
  close(descriptor_);
}

}  // namespace mlaan
