// Files that are written whole or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace mlaan {

/// Writes to a temporary file beside the target, which commit() renames to the target once all
/// bytes are on the disk: whoever opens the path finds the old content or the new one, even after a
/// kill or a power failure. A symbolic link is followed, and the file it points to is replaced. A
/// path that is not a regular file - a device, a pipe, /dev/stdout - is written to directly.
class AtomicFile {
 public:
  /// \throws UserError if the folder cannot be written to, the path is a folder's, or a link leads
  ///         to itself.
  explicit AtomicFile(std::filesystem::path path);
  /// Without commit(), removes the temporary file.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// \throws Error naming the file and the cause, such as a full disk; the old content stays.
  void write(const void* bytes, std::size_t count);
  /// Replaces the file's content by what was written.
  /// \throws Error as write().
  void commit();

 private:
  [[noreturn]] void fail(const std::string& what) const;
  void open_as_it_is();
  void open_beside();

  std::filesystem::path path_;
  std::filesystem::path target_;     ///< the path with symbolic links resolved
  std::filesystem::path temporary_;  ///< empty if the path is written to directly
  int descriptor_ = -1;
};

/// Removes the temporary files that killed processes have left in a folder.
void remove_abandoned_parts(const std::filesystem::path& folder);

/// Writes a whole text file, as AtomicFile does.
void write_text(const std::filesystem::path& path, const std::string& text);

/// Reads a whole file.
/// \throws UserError if it does not exist or cannot be read.
std::string read_text(const std::filesystem::path& path);

}  // namespace mlaan
