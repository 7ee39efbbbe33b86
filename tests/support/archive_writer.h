// Writes tar archives, also such as no honest program writes.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace mlaan::testing {

/// One entry of an archive.
struct ArchiveEntry {
  std::string name;
  std::string bytes;
  std::string symlink = "";   ///< where it leads to; "": no symbolic link
  std::string hardlink = "";  ///< the same for a hard link
  int type = AE_IFREG;
};

/// A tar archive, gzip-compressed.
inline void write_archive(const std::filesystem::path& path,
                          const std::vector<ArchiveEntry>& entries) {
  const std::unique_ptr<archive, decltype(&archive_write_free)> writer(archive_write_new(),
                                                                       archive_write_free);
  archive_write_set_format_pax_restricted(writer.get());
  archive_write_add_filter_gzip(writer.get());
  archive_write_open_filename(writer.get(), path.c_str());
  for (const auto& item : entries) {
    const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(archive_entry_new(),
                                                                              archive_entry_free);
    archive_entry_set_pathname(entry.get(), item.name.c_str());
    archive_entry_set_filetype(entry.get(), static_cast<unsigned>(item.type));
    archive_entry_set_perm(entry.get(), 0755);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(item.bytes.size()));
    if (!item.symlink.empty()) {
      archive_entry_set_filetype(entry.get(), AE_IFLNK);
      archive_entry_set_symlink(entry.get(), item.symlink.c_str());
    }
    if (!item.hardlink.empty()) archive_entry_set_hardlink(entry.get(), item.hardlink.c_str());
    archive_write_header(writer.get(), entry.get());
    archive_write_data(writer.get(), item.bytes.data(), item.bytes.size());
  }
}

}  // namespace mlaan::testing
