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
  std::int64_t side = 224;  ///< of what the network takes, in pixels
  double share = 0.875;
  double test_fraction = 0.2;
  std::int64_t split_seed = 0;
  std::string damaged = "fatal";

  void describe(FieldList& fields);
};

/// Picture files and their classes, read from disk when asked for; see read_picture().
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

  /// \throws DamagedPicture naming the file, as get_framed() does.
  Sample get(std::int64_t index) const override;
  std::int64_t label(std::int64_t index) const override { return entry(index).label; }
  Sample get_framed(std::int64_t index, const FrameChooser& choose) const override;

 private:
  std::vector<Entry> entries_;
};

/// Two layouts are known. ImageNet's: train/CLASS/… and val/CLASS/… (or test/ in place of val/), of
/// the same classes. And CLASS/…, of which a seeded split holds out a share of every class to test
/// on. Pictures may lie in folders below their class's. Classes are numbered in the order of their
/// names, pictures too; files that do not end like a picture, and whatever begins with a dot, are
/// left alone. Pictures are trained on in random resized crops, flipped at random, and tested on in
/// centre crops. Means and deviations are ImageNet's.
/// \throws UserError for a folder in neither layout, a class without a picture, and classes that
///         are not the same in training and testing.
DataSource load_image_folder(const std::filesystem::path& folder, const FolderOptions& options);

DatasetEntry image_folder_entry();

}  // namespace mlaan
