// Files that are written whole or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace mlaan {

/// Writes to a file beside the one meant, and takes its place only when all is on the disk: whoever
/// opens the path finds the old content or the new one, also after a kill or a power cut. Of a
/// symbolic link it is the file linked to whose place is taken. What is no regular file - a device,
/// a pipe, /dev/stdout - is written to as it is.
class AtomicFile {
 public:
  /// \throws UserError if the folder cannot be written to, or the path is a folder's.
  explicit AtomicFile(std::filesystem::path path);
  /// Without commit(): removes what was written.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// \throws Error naming the file and the cause, such as a full disk; the old content stays.
  void write(const void* bytes, std::size_t count);
  /// Makes the new content the file's. \throws Error as write().
  void commit();

 private:
  [[noreturn]] void fail(const std::string& what) const;
  void open_as_it_is();
  void open_beside();

  std::filesystem::path path_;
  std::filesystem::path target_;     ///< the same, links followed
  std::filesystem::path temporary_;  ///< empty where the path is written to as it is
  int descriptor_ = -1;
};

/// Removes from a folder what killed processes have left there of files half written.
void remove_abandoned_parts(const std::filesystem::path& folder);

/// Writes a whole text file.
void write_text(const std::filesystem::path& path, const std::string& text);

/// Reads a whole file. \throws UserError if it is not there or cannot be read.
std::string read_text(const std::filesystem::path& path);

}  // namespace mlaan
