// Folders of pictures: one folder for each class.
#pragma once

#include <mlaan/data/dataset.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace mlaan {

struct FolderOptions {
  static constexpr const char* section = "folder";
  std::int64_t side = 224;      ///< height and width of the network's input, in pixels
  double share = 0.875;         ///< share of the shorter side that the centre crop spans
  double test_fraction = 0.2;   ///< share of each class to test on, in the layout CLASS/…
  std::int64_t split_seed = 0;  ///< selects these pictures
  /// "fatal": a damaged picture ends the run; "skip": see LoaderOptions::skip_damaged.
  std::string damaged = "fatal";

  void describe(FieldList& fields);
};

/// Picture files and their labels, read from disk on request; see read_picture().
class ImageFolder final : public Dataset {
 public:
  struct Entry {
    std::filesystem::path path;
    std::int64_t label = 0;
  };

  explicit ImageFolder(std::vector<Entry> entries) : entries_(std::move(entries)) {}

  std::int64_t size() const override { return static_cast<std::int64_t>(entries_.size()); }
  const Entry& entry(std::int64_t index) const {
    return entries_.at(static_cast<std::size_t>(index));
  }

  /// \throws DamagedPicture naming the file, as does get_framed().
  Sample get(std::int64_t index) const override;
  std::int64_t label(std::int64_t index) const override { return entry(index).label; }
  Sample get_framed(std::int64_t index, const FrameChooser& choose) const override;

 private:
  std::vector<Entry> entries_;
};

/// Two layouts are known. ImageNet's: train/CLASS/… and val/CLASS/… (or test/ instead of val/),
/// with the same classes. And CLASS/…, where a seeded split holds out a share of every class to
/// test on. Pictures may be in subfolders of their class's folder. Classes and pictures are
/// numbered in the order of their names; files without a picture's extension, and names that begin
/// with a dot, are ignored. Training uses random resized crops and random flips, testing uses
/// centre crops. Means and deviations are ImageNet's.
/// \throws UserError for a folder in neither layout, a class without a picture, and classes that
///         differ between training and testing.
DataSource load_image_folder(const std::filesystem::path& folder, const FolderOptions& options);

DatasetEntry image_folder_entry();

}  // namespace mlaan
